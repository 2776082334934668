"""Damage of other kinds: what file systems can do, contents that contradict each other, other code."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from copies import Copy
from forging import edit_json, edit_record, name_predictions_anew, record_anew
from forked import lotus, own_lotus
from mending import unsound
from project import run

from lotus import layout
from lotus.errors import LotusError
from lotus.publish.restore import restore
from lotus.records.digests import digests
from lotus.records.files import sha256
from lotus.records.files_below import files_below

RUNS = "results/digits/resnet18/seed13/instance-10/corrected"
SPLIT = "results/digits/splits/seed13/instance-10.json"
METRICS = "results/records/digits/resnet18/seed13/instance-10/corrected/metrics.json"


@pytest.fixture(scope="module")
def copy(finished, tmp_path_factory):
    return Copy(finished, tmp_path_factory.mktemp("damaged") / "project")


@pytest.fixture
def project(copy, monkeypatch):
    """A copy to be damaged, in which the test runs."""
    monkeypatch.chdir(copy.folder)
    yield copy.folder
    copy.reset()


def test_what_is_recorded_anew_without_a_change_is_sound(project):
    record_anew()
    assert not unsound()


@pytest.mark.parametrize("name", [f"{RUNS}/ssd/model.safetensors", METRICS, "data/raw/digits.json"])
def test_pipes_are_not_waited_for_and_folders_not_read(project, name):
    for make in (os.mkfifo, os.mkdir):
        path = Path(name)
        path.rmdir() if path.is_dir() else path.unlink()
        make(path)
        assert unsound()[name].status == "changed"


@pytest.mark.parametrize("name", [METRICS, "data/raw/digits.json", ".lotus/digests.json", SPLIT])
def test_json_without_end_is_no_crash(project, name):
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("[" * 200_000)
    named = unsound().keys() if name != ".lotus/digests.json" else {name}
    assert name in named


def test_a_raw_list_that_leads_nowhere_is_no_crash(project):
    Path("data/raw/other.json").symlink_to("nowhere")
    assert not unsound()


@pytest.mark.parametrize("name", ["results/digits", f"{RUNS}/ssd", "data/stores/digits", "results"])
def test_folders_on_another_disk_are_looked_into(project, tmp_path, monkeypatch, name):
    shutil.move(name, tmp_path / "disk")
    Path(name).symlink_to(tmp_path / "disk")
    # Whose link it is, none can tell: the user says which disks are meant.
    try:
        assert unsound()
    except LotusError as error:
        assert name == "data/stores/digits"
        assert "LOTUS_DISKS" in str(error)
    monkeypatch.setenv("LOTUS_DISKS", str(tmp_path / "disk"))
    assert not unsound()
    (tmp_path / "disk/stray").touch()
    assert unsound().keys() == {f"{name}/stray"}


def test_links_in_circles_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results/inner").mkdir(parents=True)
    Path("results/file").touch()
    Path("results/inner/circle").symlink_to("..")
    Path("results/everything").symlink_to("/")
    monkeypatch.setenv("LOTUS_DISKS", "/")
    found = [path.as_posix() for path in files_below(Path("results"))]
    assert found == ["results/everything", "results/file", "results/inner/circle"]


def test_a_full_audit_corrects_what_is_remembered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file, cache = Path("file"), Path("cache.json")
    file.write_text("now")
    status = file.stat()
    mark = [getattr(status, f"st_{key}") for key in ("dev", "ino", "size", "mtime_ns", "ctime_ns")]
    cache.write_text(json.dumps({str(file): [*mark, "of before"]}))

    def said(full):
        return digests([str(file)], cache, full)[str(file)].sha256

    assert said(full=False) == "of before"
    assert said(full=True) == sha256(file)
    assert said(full=False) == sha256(file)


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (f"results/records/{SPLIT.removeprefix('results/')}", lambda it: it["about"].pop("seed")),
        (METRICS, lambda it: it["about"].pop("seed")),
        (METRICS, lambda it: it["settings"].pop("rows")),
        (METRICS, lambda it: it["code"].update(entry=["", "../x"])),
        ("results/records/experiment.json", lambda it: it.update(settings={})),
    ],
)
def test_sealed_records_that_lack_what_their_kind_has_are_named(project, record, change):
    edit_record(record, change)
    assert "not a record" in unsound()[record].reason


def test_splits_with_impossible_images_are_named(project):
    edit_json(SPLIT, lambda it: it["forget"].append(10**30))
    record_anew()
    assert "not a split" in unsound()[SPLIT].reason


@pytest.mark.parametrize("parts", [{"train": 3}, {}, {"train": [0, 1000], "other": [1000, 1797]}])
def test_a_store_that_says_nothing_of_its_parts_is_no_crash(project, parts):
    edit_json("data/stores/digits/source.json", lambda it: it.update(parts=parts))
    record_anew()
    unsound()


@pytest.mark.parametrize("end", [1e308, 10**13, 1000.5, 1797.0, "1797", None])
def test_a_part_that_its_store_cannot_have_is_named(project, end):
    edit_json("data/stores/digits/source.json", lambda it: it["parts"].update(train=[0, end]))
    record_anew()
    assert "data/stores/digits is no store" in unsound()["results/digits/store.json"].reason


def test_labels_of_more_images_than_their_file_has_are_named(project):
    with Path("data/stores/digits/labels.npy").open("r+b") as file:
        stated = {"descr": "<i8", "fortran_order": False, "shape": (10**13,)}
        np.lib.format.write_array_header_1_0(file, stated)
    record_anew()
    assert "data/stores/digits is no store" in unsound()["results/digits/store.json"].reason


def test_predictions_of_other_images_than_the_split_has_are_named(project):
    other = RUNS.replace("seed13", "seed3407")
    shutil.copy(f"{other}/gold/predictions.npz", f"{RUNS}/gold/predictions.npz")
    for protocol in ("corrected", "released-e1"):
        name_predictions_anew(f"{RUNS.replace('corrected', protocol)}/metrics.json")
        name_predictions_anew(
            f"results/digits/resnet18/all-seeds/instance-10/{protocol}/attacks.json"
        )
    record_anew()
    found = unsound()
    assert found.keys() == {f"{RUNS}/gold/predictions.npz"}
    assert (
        f"forget set differs from that of {SPLIT}" in found[f"{RUNS}/gold/predictions.npz"].reason
    )


def test_predictions_that_lack_an_image_are_named(project):
    path = f"{RUNS}/ssd/predictions.npz"
    with np.load(path) as arrays:
        shorter = {k: v[1:] if k.startswith("retain.") else v for k, v in arrays.items()}
    np.savez(path, **shorter)
    record_anew()
    assert "retain set differs" in unsound()[path].reason


def test_a_configuration_that_only_the_description_has_is_stale(project):
    config = Path("config/digits.yaml")
    config.write_text(config.read_text().replace("budget: 2", "budget: 1"))
    found = unsound()
    assert found.keys() == {"results/experiment.json"}
    assert found["results/experiment.json"].reason.endswith(": tuning.budget")
    listed = restore((), "1", recompute=False, only_list=True)
    assert [*listed.wrong] == ["results/records/experiment.json"]
    assert "results/records/report/index.json" in listed.after


def test_the_settings_are_enough_where_the_configuration_files_are_elsewhere(project):
    Path("config/digits.yaml").unlink()
    assert not unsound()


def test_a_project_is_judged_by_its_own_code_whichever_copy_runs(project, tmp_path, monkeypatch):
    # A process reads the code of a folder once; that of `project` has been read.
    shutil.copytree(project, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    module = Path("lotus/methods/ssd.py")
    module.write_text(module.read_text() + "\nADDED = 1\n")
    found = unsound()
    assert found
    for path, artifact in found.items():
        assert "/ssd/" in path
        assert artifact.reason == "code: lotus.methods.ssd changed since"


def test_a_copy_among_records_has_no_record_of_its_own(project):
    copy = f"{METRICS}.bak"
    shutil.copy(METRICS, copy)
    assert unsound()[copy].reason == "no step writes it"


def test_nothing_is_staged_if_a_dvc_file_is_damaged(project):
    layout.MODELS.write_text("<<<<<<< HEAD\n")
    done = lotus(project, "publish", check=False)
    assert done.returncode == 1
    assert "models.dvc: is not a DVC file" in done.stderr
    assert run(project, "git", "diff", "--cached", "--name-only").stdout == ""


def test_a_clone_with_other_line_endings_has_the_same_bytes(project, tmp_path):
    run(project, "git", "add", "--force", "results/tables", "results/records")
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    run(project, "git", *author, "commit", "--quiet", "--message", "results")
    run(tmp_path, "git", "clone", "--quiet", "--config", "core.autocrlf=true", project, "clone")
    for name in ("results/tables/summary.csv", METRICS, "lotus/__init__.py"):
        assert (tmp_path / "clone" / name).read_bytes() == Path(name).read_bytes()


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("lotus.methods.ssd", "method 'ssd': lotus.methods.ssd cannot be imported: SyntaxError"),
        ("lotus.figures.times", "lotus/figures/times.py: SyntaxError"),
    ],
)
def test_a_module_that_is_no_python_is_a_finding(project, tmp_path, module, said):
    """By the code of the project, since this process has loaded its own of the module."""
    path = f"{module.replace('.', '/')}.py"
    Path(path).write_text(Path(path).read_text() + "def broken(:\n")
    done = own_lotus(project, "audit", "--json", check=False)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["held_against"] == f"no configuration: {path} cannot be loaded"
    wrong = {it["path"]: it for it in found["artifacts"] if it["status"] != "verified"}
    assert {it["status"] for it in wrong.values()} == {"stale"}
    assert said in wrong.pop(path)["reason"]
    assert wrong
    for artifact in wrong.values():
        assert f"{module} is no Python (line " in artifact["reason"]


def test_a_command_whose_code_is_no_python_says_so_in_a_line(project):
    path = Path("lotus/audit/project.py")
    path.write_text("def broken(:\n")
    done = own_lotus(project, "audit", check=False)
    assert done.returncode == 1
    assert "lotus/audit/project.py, line 1: no Python: invalid syntax" in done.stderr
    assert "Traceback" not in done.stderr
