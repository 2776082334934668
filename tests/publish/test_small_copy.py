"""`lotus publish --into`: enough for a repository, and for all that is drawn; what is not there is said."""

import json
import shutil

import pytest
from attested import attestation_of
from forging import edit_json
from forked import lotus
from project import copy_of_project, run

from lotus.records.files import write_json

METRICS = "results/digits/resnet18/seed13/class-three/corrected/metrics.json"
RUN = "results/digits/resnet18/seed13/class-three/corrected/lotus"
TABLE = "results/tables/summary.csv"


@pytest.fixture(scope="module")
def small(finished, tmp_path_factory):
    """The folder of the copy."""
    folder = tmp_path_factory.mktemp("copies") / "small"
    done = lotus(finished, "publish", "--into", folder)
    assert f"{folder}: " in done.stdout
    assert "files left out, named in" in done.stdout
    return folder


@pytest.fixture(scope="module")
def taken(small, tmp_path_factory):
    """A clone of the project without results, and the copy in their place."""
    folder = tmp_path_factory.mktemp("clone")
    copy_of_project(folder)
    shutil.copytree(small / "results", folder / "results")
    return folder


@pytest.fixture
def clone(taken, tmp_path):
    return shutil.copytree(taken, tmp_path / "clone")


def statuses(folder, wanted=0):
    done = lotus(folder, "audit", "--json", check=False)
    assert done.returncode == wanted, done.stdout
    return {it["path"]: it["status"] for it in json.loads(done.stdout)["artifacts"]}


def test_models_predictions_and_stores_stay_out_and_are_listed(finished, small):
    listed = set(json.loads((small / "results/left-out.json").read_text())["left_out"])
    here = {path.relative_to(small).as_posix() for path in small.rglob("*") if path.is_file()}
    made = {
        path.relative_to(finished).as_posix()
        for root in ("results", "data/stores")
        for path in (finished / root).rglob("*")
        if path.is_file()
    }
    assert here - {"results/left-out.json"} == {path for path in made if path not in listed} & here
    assert {path for path in made if path not in here} <= listed | {"data/stores/.gitignore"}
    large = ("model.safetensors", "predictions.npz", "attacks.npz")
    assert all(path.endswith(large) or path.startswith("data/") for path in listed)
    assert f"{RUN}/model.safetensors" in listed
    assert {f"{RUN}/run.json", METRICS, METRICS.replace("json", "npz"), TABLE} <= here


def test_the_audit_says_of_what_is_left_out_that_nothing_was_compared(taken, small):
    listed = set(json.loads((small / "results/left-out.json").read_text())["left_out"])
    found = statuses(taken)
    assert {path for path, status in found.items() if status == "left out"} == listed
    assert set(found.values()) == {"left out", "verified"}
    done = lotus(taken, "audit")
    assert done.stdout.rstrip().endswith("; sound, as far as it is here.")
    assert "its bytes are compared with nothing" in done.stdout


def test_all_that_is_drawn_is_drawn_again_to_the_byte(clone):
    before = {
        path: path.read_bytes()
        for folder in ("figures", "tables", "paper", "timings", "report")
        for path in (clone / "results" / folder).rglob("*.*")
    }
    assert len(before) > 50
    for path in before:
        path.unlink()
    # The page was made before, and what it shows stays what its record lists.
    write_json(clone / "results/attestations/later.json", attestation_of({}, []))
    done = lotus(clone, "restore", "--figures")
    assert "metrics files not computed again: as recorded already" in done.stdout
    assert "by other code" not in done.stdout
    assert {path: path.read_bytes() for path in before} == before
    assert set(statuses(clone).values()) == {"left out", "verified"}


def test_what_is_there_is_believed_no_more_than_elsewhere(clone):
    edit_json(clone / METRICS, lambda of: of["rows"]["lotus"].update(avg_gap=0.0))
    (clone / TABLE).unlink()
    (clone / RUN / "predictions.npz").write_bytes(b"other")
    found = statuses(clone, wanted=1)
    assert found[METRICS] == "changed"
    assert found[TABLE] == "missing"
    assert found[f"{RUN}/predictions.npz"] == "changed"
    assert found[f"{RUN}/model.safetensors"] == "left out"


def test_without_the_list_all_of_it_is_missing(clone):
    (clone / "results/left-out.json").unlink()
    found = statuses(clone, wanted=1)
    assert found[f"{RUN}/model.safetensors"] == "missing"
    assert "left out" not in found.values()


def test_an_unsound_project_is_not_copied(clone, tmp_path):
    (clone / TABLE).unlink()
    done = lotus(clone, "publish", "--into", tmp_path / "copy", check=False)
    assert done.returncode == 1
    assert f"missing {TABLE}" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clone"]


@pytest.mark.parametrize("place", ["taken", "results/copy", "data/stores/copy", "a file"])
def test_a_place_that_is_taken_is_refused(finished, tmp_path, place):
    folder = {"taken": tmp_path, "a file": tmp_path / "file"}.get(place, place)
    (tmp_path / "file").write_text("")
    done = lotus(finished, "publish", "--into", folder, check=False)
    assert done.returncode == 1
    assert "accepted: a new or empty folder outside results" in done.stderr
    assert (tmp_path / "file").read_text() == ""
    assert not any((finished / folder / "copy").exists() for folder in ("results", "data/stores"))


@pytest.mark.parametrize(
    "what", [["--runs", 1], ["--runs", 1, "--from-weights"], ["--metrics", "all"]]
)
def test_what_it_leaves_out_is_not_made_again_in_it(clone, what):
    done = lotus(clone, "attest", *what, check=False)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(
        "Error: these results are a small copy (results/left-out.json), without "
    )
    assert line.endswith("would be made again; accepted: the project of which it is a copy")
    assert not (clone / "results/attestations").exists()


def test_a_small_copy_is_not_published(clone):
    before = run(clone, "git", "status", "--short").stdout
    done = lotus(clone, "publish", check=False)
    assert done.returncode == 1
    assert "the results here are a small copy, without" in done.stderr
    assert "results/left-out.json names; publish where they were made" in done.stderr
    assert run(clone, "git", "status", "--short").stdout == before
