"""A run crate says what the records say, holds what it says, and is refused where they disagree."""

import copy
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from rocrate.rocrate import ROCrate
from run_crate import DEMANDS, Metadata, demand_all, ids

from lotus.cli.main import main
from lotus.crate.export import export_crate
from lotus.crate.files import digest_uri
from lotus.crate.project import commit, configuration_files
from lotus.errors import LotusError
from lotus.records.environment import git_state
from lotus.records.files import sha256, write_json
from lotus.records.index import read_index
from lotus.records.record import write_record
from lotus.records.seal import sealed

RUN = Path("results/tiny/net/seed1/all/corrected+m1/lotus")
ORIGINAL = Path("results/tiny/net/seed1/original/corrected")
STORE = Path("data/stores/tiny")
PAGE = Path("results/report/index.html")
PROJECT = {
    "Snakefile": "rule all:\n",
    "workflow/rules/a.smk": "rule a:\n",
    "config/tiny.yaml": "title: tiny\n",
    "envs/requirements.lock": "numpy==2.0\n",
    "LICENSE": "MIT",
    "CITATION.cff": "title: Tiny\nlicense: MIT\nauthors: [{given-names: A., family-names: B}, {name: C}]\n",
    "data.dvc": f"outs:\n- path: {STORE}\n  md5: 0123.dir\n",
    "data/raw/tiny.json": "{}",
}
LIMIT = 1000


def record(path, kind, inputs, outputs, about=None, settings=None):
    """Writes the outputs (path → text), then the record of the step."""
    for output, text in outputs.items():
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_text(text)
    write_record(
        Path(path),
        kind=kind,
        modules=["lotus.errors"],
        about=about or {},
        settings=settings or {},
        inputs=[Path(name) for name in inputs],
        outputs=[Path(name) for name in outputs],
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A project with a record of each sort; its original model and its unlearned one are the same bytes."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project()
    return folder


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A copy of it, to work in."""
    folder = tmp_path / "project"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    return folder


def write_project():
    for name, text in PROJECT.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    about = {"dataset": "tiny", "seed": 1}
    raw, source = "data/raw/tiny.json", STORE / "source.json"
    arrays = {source: "{}", STORE / "images.npy": "pixels"}
    record("results/tiny/store.json", "store", [raw], arrays, {"dataset": "tiny"})
    weights = {ORIGINAL / "model.safetensors": "w", ORIGINAL / "predictions.npz": "p"}
    network = {"architecture": {"model": "net", "width": 8, "bias": None}}
    of_net = {**about, "architecture": "net"}
    record(ORIGINAL / "run.json", "original", [source], weights, of_net, network)
    record(
        RUN / "run.json",
        "unlearned",
        [source, ORIGINAL / "model.safetensors", ORIGINAL / "run.json"],
        {RUN / "model.safetensors": "w", RUN / "predictions.npz": "q"},
        {**about, "row": "lotus"},
        {"method": "lotus", "hyperparameters": {"alpha": 0.5, "flag": True, "milestones": [1, 2]}},
    )
    for seed, text in (("1", "lotus,1\n"), ("2", "lotus,2\n" * LIMIT)):
        record(
            f"results/records/tables/t{seed}.table.json",
            "table",
            [RUN / "predictions.npz"],
            {f"results/tables/t{seed}.csv": text},
            {"table": f"t{seed}"},
        )
    experiment = {"files": ["config/tiny.yaml", "/elsewhere/gone.yaml"], "given": {}}
    record(
        "results/records/experiment.json",
        "experiment",
        [],
        {"results/experiment.json": "{}"},
        {"title": "tiny run"},
        experiment,
    )
    record(
        "results/records/report/index.json",
        "report",
        ["results/experiment.json", "results/tables/t1.csv", RUN / "run.json"],
        {PAGE: "<p>" * LIMIT},
    )
    others = [Path(path) for path in read_index().records]
    record("results/records/ledger.json", "ledger", others, {})


@pytest.fixture
def crate(project):
    export_crate(Path("../crate"), LIMIT)
    return Metadata("../crate")


@pytest.mark.parametrize("demand", DEMANDS)
def test_the_crate_is_as_the_profiles_demand(crate, demand):
    demand(crate)


def test_the_crate_of_a_finished_run_is_as_the_profiles_demand(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished)
    written = export_crate(tmp_path / "crate", 100_000)
    metadata = Metadata(tmp_path / "crate")
    demand_all(metadata)
    actions_are_the_records(metadata)
    assert written.steps > 100
    assert (tmp_path / "crate" / PAGE).is_file()
    assert not list((tmp_path / "crate").rglob("*.safetensors"))
    assert metadata.workflow["version"] == git_state()["commit"]


DAMAGE = [
    ("CreateAction", "instrument"),
    ("CreateAction", "result"),
    ("ControlAction", "object"),
    ("HowToStep", "workExample"),
    ("HowToStep", "position"),
    ("FormalParameter", "additionalType"),
    ("OrganizeAction", "object"),
    ("File", "sha256"),
    ("File", "exampleOfWork"),
    ("HowTo", "hasPart"),
    ("Dataset", "conformsTo"),
    ("CreativeWork", "@id"),
]


@pytest.mark.parametrize(("kind", "key"), DAMAGE)
def test_the_demands_notice_what_is_missing(crate, kind, key):
    damaged = copy.deepcopy(crate.content)
    entity = next(e for e in damaged["@graph"] if kind in e["@type"] and key in e)
    entity[key] = "#other" if key == "@id" else "0" * 64 if key == "sha256" else []
    (crate.folder / "ro-crate-metadata.json").write_text(json.dumps(damaged))
    with pytest.raises((AssertionError, ValueError, KeyError)):
        demand_all(Metadata(crate.folder))


def test_the_library_reads_it_back(crate):
    read = ROCrate(crate.folder)
    assert read.mainEntity.id == "Snakefile"
    assert read.name == "Tiny: tiny run"
    assert [author["name"] for author in read.mainEntity["author"]] == ["A. B", "C"]
    assert len(list(read.get_entities())) == len(crate.graph)


def test_a_zip_file_holds_the_same(crate, tmp_path):
    export_crate(Path("../crate.zip"), LIMIT)
    with zipfile.ZipFile("../crate.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    unpacked = Metadata(tmp_path / "unpacked")
    assert unpacked.content == crate.content
    demand_all(unpacked)


def test_the_same_records_give_the_same_bytes(crate):
    export_crate(Path("../again"), LIMIT)
    name = "ro-crate-metadata.json"
    assert Path("../again", name).read_bytes() == Path("../crate", name).read_bytes()
    assert crate.root["datePublished"] == max(a["endTime"] for a in crate.of("CreateAction"))


def actions_are_the_records(metadata):
    """One action a record, with the record's digests, settings and times."""
    records = read_index().records
    actions = metadata.steps_run()
    assert len(actions) == len(records)
    for action in actions:
        digests = {e["name"]: e["sha256"] for e in metadata.at(action, "result")}
        [path] = digests.keys() & records.keys()
        found = records[path]
        assert digests == {**found.outputs, path: found.sha256}
        read = metadata.at(action, "object")
        assert {e["name"]: e["sha256"] for e in read if e["@type"] == "File"} == found.inputs
        values = {e["name"]: e["value"] for e in read if e["@type"] == "PropertyValue"}
        for key, value in found.about.items():
            assert values[key] == value
        assert action["startTime"] == found.started
        assert found.content["command"] in action["description"]


def test_actions_are_the_records(crate):
    actions_are_the_records(crate)


def test_settings_are_values_of_their_types(crate):
    [action] = [a for a in crate.steps_run() if a["name"].startswith("unlearned")]
    values = {e["name"]: e for e in crate.at(action, "object") if e["@type"] == "PropertyValue"}
    assert {name: entity["value"] for name, entity in values.items()} == {
        "dataset": "tiny",
        "seed": 1,
        "row": "lotus",
        "method": "lotus",
        "hyperparameters.alpha": 0.5,
        "hyperparameters.flag": True,
        "hyperparameters.milestones": "[1, 2]",
    }
    slots = {name: crate.at(value, "exampleOfWork")[0] for name, value in values.items()}
    kinds = {name: slot["additionalType"] for name, slot in slots.items()}
    assert kinds["seed"] == "Integer"
    assert kinds["hyperparameters.alpha"] == "Float"
    assert kinds["hyperparameters.flag"] == "Boolean"
    assert kinds["method"] == kinds["hyperparameters.milestones"] == "Text"


def test_the_run_goes_from_what_was_given_to_what_is_shown(crate):
    run = crate.entities["#run"]
    assert [e["name"] for e in crate.at(run, "object")] == [
        "config/tiny.yaml",
        "data/raw/tiny.json",
    ]
    shown = {str(PAGE), "results/tables/t1.csv", "results/tables/t2.csv"}
    assert {e["name"] for e in crate.at(run, "result")} == shown


def files_of(metadata):
    return {entity["name"]: entity for entity in metadata.of("File")}


def is_copied(entity):
    return not entity["@id"].startswith("ni:")


def test_what_is_copied_goes_by_form_and_size(crate):
    copied = {name: is_copied(entity) for name, entity in files_of(crate).items()}
    assert not copied[str(RUN / "model.safetensors")]
    assert not copied[str(STORE / "images.npy")]
    assert copied["results/tables/t1.csv"]
    assert not copied["results/tables/t2.csv"]
    assert copied[str(PAGE)]
    assert all(copied[name] for name in PROJECT)
    assert all(copied[path] for path in read_index().records)


def test_nothing_below_0_bytes_but_what_is_always_copied(project):
    export_crate(Path("../crate"), 0)
    copied = {name for name, entity in files_of(Metadata("../crate")).items() if is_copied(entity)}
    always = {"results/experiment.json", str(PAGE)}
    assert copied == {*PROJECT, *read_index().records, *always} - {"data/raw/tiny.json"}


def test_files_of_the_same_bytes_stay_apart(crate):
    one, other = (files_of(crate)[str(folder / "model.safetensors")] for folder in (ORIGINAL, RUN))
    assert one["sha256"] == other["sha256"]
    makers = [
        [a["name"] for a in crate.steps_run() if file["@id"] in ids(a, "result")]
        for file in (one, other)
    ]
    assert makers == [
        ["original: dataset tiny, seed 1, architecture net"],
        ["unlearned: dataset tiny, seed 1, row lotus"],
    ]


def test_the_uri_of_bytes_is_that_of_the_rfc():
    # RFC 6920, section 8.1, of the bytes `Hello World!`.
    digest = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"
    name = "f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
    assert digest_uri(digest, "a+b/c d") == f"ni:///sha-256;{name}#a%2Bb/c%20d"


def test_where_dvc_holds_a_file_is_told(crate):
    held = files_of(crate)[str(STORE / "images.npy")]
    assert held["identifier"] == "data.dvc: files/md5/01/23.dir"
    assert "identifier" not in files_of(crate)["Snakefile"]


def test_a_file_that_is_gone_is_still_named_by_its_bytes(project):
    gone = RUN / "predictions.npz"
    digest = sha256(gone)
    gone.unlink()
    export_crate(Path("../crate"), LIMIT)
    metadata = Metadata("../crate")
    demand_all(metadata)
    assert files_of(metadata)[str(gone)]["sha256"] == digest
    assert "contentSize" not in files_of(metadata)[str(gone)]


def edited(path, **changes):
    """A record with other content and a digest that fits."""
    content = json.loads(Path(path).read_text())
    write_json(Path(path), sealed({**content, **changes}))


def test_steps_of_two_versions_of_the_package_have_two_tools(project):
    path = Path("results/records/tables/t1.table.json")
    code = json.loads(path.read_text())["code"]
    edited(path, code={**code, "package": "another", "commit": "c0ffee", "dirty": False})
    Path("results/records/ledger.json").unlink()
    export_crate(Path("../crate"), LIMIT)
    metadata = Metadata("../crate")
    demand_all(metadata)
    [step] = [step for step in metadata.of("HowToStep") if step["name"] == "table"]
    versions = {tool["softwareVersion"] for tool in metadata.at(step, "workExample")}
    assert versions == {"another", code["package"]}


def change_output(project):
    (RUN / "predictions.npz").write_text("changed")
    return [f"{RUN}/predictions.npz: not the bytes that {RUN}/run.json (and 2 more) states"]


def change_input(project):
    Path("data/raw/tiny.json").write_text("changed")
    return ["data/raw/tiny.json: not the bytes that results/tiny/store.json states"]


def edit_record(project):
    path = ORIGINAL / "run.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    return [
        f"{path}: edited: it does not have the digest that it states",
        f"{path}: not the bytes that results/records/ledger.json (and 1 more) states",
    ]


def reseal_record(project):
    edited(RUN / "run.json", settings={})
    return [f"{RUN}/run.json: not the bytes that results/records/ledger.json (and 1 more) states"]


def remove_record(project):
    Path("results/tiny/store.json").unlink()
    return ["results/tiny/store.json: missing, a record that results/records/ledger.json names"]


def two_stories(project):
    path = Path("results/records/tables/t1.table.json")
    (RUN / "predictions.npz").unlink()
    edited(path, inputs={str(RUN / "predictions.npz"): "0" * 64})
    return [f"{RUN}/predictions.npz: missing, and records differ on its bytes", f"{path}: not the"]


REFUSED = [change_output, change_input, edit_record, reseal_record, remove_record, two_stories]


@pytest.mark.parametrize("change", REFUSED)
def test_what_disagrees_is_named_and_nothing_written(project, change):
    messages = change(project)
    with pytest.raises(LotusError) as error:
        export_crate(Path("../crate"), LIMIT)
    for message in messages:
        assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1 + len(messages)
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_all_that_disagrees_is_named(project):
    messages = [*change_output(project), *change_input(project)]
    with pytest.raises(LotusError) as error:
        export_crate(Path("../crate"), LIMIT)
    assert str(error.value).splitlines()[1:] == [
        f"  {message}" for message in sorted(messages)[::1]
    ]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("config", "config: exists"),
        ("Snakefile", "Snakefile: exists"),
        ("taken.zip", "taken.zip: exists"),
        ("results/crate", "results/crate: lies in results"),
    ],
)
def test_a_place_that_is_taken_is_refused(project, out, message):
    Path("taken.zip").mkdir()
    with pytest.raises(LotusError, match=f"^{message}"):
        export_crate(Path(out), LIMIT)


def test_an_empty_folder_is_filled(project):
    Path("../crate").mkdir()
    export_crate(Path("../crate"), LIMIT)
    demand_all(Metadata("../crate"))


@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        ("results/records/experiment.json", "results/records/experiment.json: not there"),
        ("Snakefile", "Snakefile: not there"),
        ("CITATION.cff", "CITATION.cff: cannot be read"),
    ],
)
def test_a_project_without_its_run_workflow_or_citation_is_refused(project, lacks, message):
    Path(lacks).unlink()
    with pytest.raises(LotusError, match=message):
        export_crate(Path("../crate"), LIMIT)


def test_a_citation_without_a_licence_is_refused(project):
    Path("CITATION.cff").write_text("title: Tiny\nauthors: [{name: C}]\n")
    with pytest.raises(LotusError, match=r"CITATION.cff: lacks license"):
        export_crate(Path("../crate"), LIMIT)


@pytest.mark.parametrize("out", ["../crate", "../crate.zip"])
def test_a_failed_write_leaves_nothing(project, monkeypatch, out):
    def fail(self, *arguments, **options):
        raise OSError("full")

    monkeypatch.setattr("rocrate.model.metadata.Metadata.stream", fail)
    with pytest.raises(LotusError, match="cannot be written: full"):
        export_crate(Path(out), LIMIT)
    assert [path.name for path in project.parent.iterdir()] == ["project"]


CLEAN = {"commit": "c0ffee", "dirty": False}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([CLEAN, CLEAN], "c0ffee"),
        ([CLEAN, {**CLEAN, "commit": "abad1dea"}], ""),
        ([{**CLEAN, "dirty": True}] * 2, ""),
        ([CLEAN, {**CLEAN, "dirty": True}], ""),
        ([{"commit": None, "dirty": None}] * 2, ""),
    ],
)
def test_the_workflow_has_a_version_if_all_ran_what_lies_here(states, expected):
    assert commit(states) == expected


def test_configuration_of_the_project_is_part_of_the_crate(project):
    named = ["config/tiny.yaml", "config/gone.yaml", str(Path("config/tiny.yaml").absolute())]
    assert configuration_files(named) == ["config/tiny.yaml"]


def test_the_command_says_what_it_wrote_or_why_not(project):
    arguments = ["export-crate", "--out", "../crate", "--copy-below", str(LIMIT)]
    done = CliRunner().invoke(main, arguments)
    files = files_of(Metadata("../crate"))
    copied = sum(map(is_copied, files.values()))
    assert (
        done.output
        == f"../crate: 8 steps, {copied} files, {len(files) - copied} more by their digest only\n"
    )
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ../crate: exists")


def test_torch_is_not_loaded():
    code = "import sys, lotus.crate.export; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
