"""`lotus restore --figures` on a stranger's records: it does what steps do, whatever the records state."""

import gc
import shlex
import shutil
from pathlib import Path

import pytest
from hand_made import write_by_hand

from lotus import layout
from lotus.errors import LotusError
from lotus.plan.declared import present
from lotus.plan.drawing import LINES, arguments
from lotus.plan.steps import Steps
from lotus.publish import replay
from lotus.publish.recorded_steps import recorded_steps
from lotus.records.files import sha256
from lotus.records.index import read_index
from lotus.results.means import write_means
from lotus.results.metrics_file import KEYS

METRICS = Path("results/d/n/seed1/s/corrected/metrics.json")
FIGURE = Path("results/records/figures/streisand.figure.json")
PREDICTIONS = "results/d/n/seed1/s/corrected/lotus/predictions.npz"
DRAWN = [
    *("figure", "streisand", METRICS.as_posix()),
    *("--out", "results/figures/streisand", "--record", FIGURE.as_posix()),
]


LOAD = replay._load


def note(words):
    """In place of the command line, which is asked for in processes of its own."""
    with Path("ran").open("a") as log:
        log.write(f"{shlex.join(words)}\n")


def drawn():
    """The commands that `restore --figures` ran; none of them does anything."""
    replay.redraw(note)
    return sorted(shlex.split(line) for line in Path("ran").read_text().splitlines())


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Records of metrics and of a figure, by hand; a function that writes one of them otherwise."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # It ends with this: else each worker would look through all that this process holds.
    monkeypatch.setattr(replay, "_load", lambda steps: gc.freeze())
    write("results/figures/streisand.svg", "<svg/>")
    write(PREDICTIONS, "logits")
    write(METRICS, "{}")
    record(
        layout.record_of(METRICS),
        kind="metrics",
        about={"dataset": "d", "architecture": "n", "scenario": "s", "protocol": "corrected"}
        | {"seed": 1},
        settings={"rows": ["lotus"]},
        inputs={PREDICTIONS: "0" * 64},
        outputs={METRICS.as_posix(): sha256(METRICS)},
    )
    figure()
    return folder


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def record(path, **parts):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_by_hand(Path(path), **parts)


def figure(path=FIGURE, **parts):
    outputs = {f"results/figures/streisand.{ending}": "0" * 64 for ending in ("svg", "pdf", "png")}
    usual = {"kind": "figure", "about": {"figure": "streisand"}, "outputs": outputs}
    usual["inputs"] = {METRICS.as_posix(): sha256(METRICS)}
    record(path, **{**usual, **parts})


@pytest.mark.parametrize(
    "command",
    [
        "lotus report --experiment e --template results/evil.j2 --out Snakefile",
        "lotus --log Snakefile figure streisand x --out Snakefile",
        "lotus publish",
        "lotus figure 'x",
        "rm -rf x",
        "",
    ],
)
def test_the_command_that_a_record_states_is_not_run(project, command):
    figure(command=command)
    ran = drawn()
    assert DRAWN in ran
    assert [words[0] for words in ran] == ["evaluate", "figure"]


def test_the_code_that_a_record_names_is_not_loaded(project, monkeypatch):
    (project / "evil.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.setattr(replay, "_load", LOAD)
    monkeypatch.syspath_prepend(str(project))
    figure(code={"entry": ["evil"], "step": "0" * 16, "modules": {}, "package": "0" * 16})
    assert DRAWN in drawn()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"outputs": {"Snakefile": "0" * 64}}, "it states Snakefile"),
        ({"outputs": {"../Snakefile": "0" * 64}}, "states ../Snakefile, which lies outside"),
        ({"outputs": {"/etc/passwd": "0" * 64}}, "states /etc/passwd, which lies outside"),
        ({"about": {"figure": "--help"}}, "unknown figure '--help'"),
        ({"about": {"figure": "../../evil"}}, "unknown figure"),
        ({"about": {}}, "no step of this project leaves this record"),
        ({"kind": "report"}, "the record of such a step is results/records/report/index.json"),
        ({"inputs": {"../m.json": "0" * 64}}, "made of ../m.json, which lies outside the project"),
        ({"inputs": {"/m.json": "0" * 64}}, "made of /m.json, which lies outside the project"),
        ({"inputs": {"~/m.json": "0" * 64}}, "made of ~/m.json, which lies outside the project"),
    ],
)
def test_what_no_step_does_is_refused(project, parts, said):
    figure(**parts)
    with pytest.raises(LotusError, match=r"streisand\.figure\.json: ") as caught:
        replay.redraw(note)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["results/records/x.json", "results/records/a/b/c.figure.json"])
def test_a_record_in_another_place_is_of_no_step(project, name):
    figure(Path(name))
    with pytest.raises(LotusError, match="no step of this project leaves this record"):
        replay.redraw(note)


@pytest.mark.parametrize("name", ["results/figures", "results/figures/streisand.svg"])
def test_nothing_is_written_through_a_link(project, tmp_path, name):
    outside = tmp_path / "outside"
    shutil.move(name, outside)
    Path(name).symlink_to(outside)
    with pytest.raises(LotusError, match=f"{name}: leads out of the project by a link"):
        replay.redraw(note)


def test_a_folder_on_another_disk_can_be_named(project, tmp_path, monkeypatch):
    shutil.move("results/figures", tmp_path / "disk")
    Path("results/figures").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("LOTUS_DISKS", str(tmp_path / "disk"))
    assert DRAWN in drawn()
    monkeypatch.setenv("LOTUS_DISKS", "disk")
    with pytest.raises(LotusError, match="LOTUS_DISKS: 'disk': accepted: absolute paths"):
        drawn()


def test_a_template_of_somebody_else_is_not_rendered(project):
    write(layout.TEMPLATE, "{{ ''.__class__ }}")
    page = layout.record_of(layout.PAGE)
    record(page, kind="report", outputs={str(layout.PAGE): "0" * 64})
    with pytest.raises(LotusError, match=r"j2: not that of the code that runs"):
        replay.redraw(note)


@pytest.mark.parametrize("path", ["../evil", "/tmp/evil", "lotus/evil.py", "results/../x"])
def test_dvc_brings_nothing_to_another_place(project, path):
    layout.PREDICTIONS.write_text(f"outs:\n- path: {path}\n  md5: {'a' * 32}\n")
    with pytest.raises(LotusError, match="accepted: files below results"):
        replay.redraw(note)


def test_records_and_the_list_of_steps_agree(finished, monkeypatch):
    """Made of its record, each step that draws is the one of the plan, and the rules run its command."""
    monkeypatch.chdir(finished)
    records = [
        it
        for it in read_index().records.values()
        if it.kind in ("metrics", "attacks", "shadow-attacks", "table", "figure", "report")
    ]
    steps = Steps(present([]).plan)
    found = recorded_steps(records)
    assert {of.step.kind for of in found} == set(LINES) - {"attack_shadows", "measure_power"}
    for of in found:
        listed = steps.find(of.step.kind, of.step.subject)
        assert arguments(of.step) == arguments(listed) or of.step.kind == "average_metrics"
        assert sorted(arguments(of.step)) == sorted(arguments(listed))
        assert (of.step.modules, set(of.step.files)) == (listed.modules, set(listed.files))
        (command,) = {it.content["command"] for it in of.records}
        assert shlex.split(command)[3:] == arguments(listed)
    listed = {step.files for kind in LINES for step in steps.of_kind(kind).values()}
    assert len(found) == len(listed)


@pytest.mark.parametrize("part", ["dataset", "row"])
def test_names_that_lead_elsewhere_make_no_means_there(project, monkeypatch, part):
    names = {"dataset": "d", "row": "lotus", part: "/../../.."}
    labels = dict.fromkeys(KEYS, "s") | {"dataset": names["dataset"]}
    content = {**labels, "rows": {names["row"]: {}}}
    monkeypatch.setattr("lotus.results.means.read_metrics", lambda path: content)
    with pytest.raises(LotusError, match="cannot be part of a path"):
        write_means([METRICS], layout.MEANS, layout.MEANS_RECORDS)
