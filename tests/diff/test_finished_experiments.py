"""A finished experiment compared with its copy."""

import json
import shutil
import sys

import pytest
from project import run
from small_experiment import edit

from lotus.diff.compare import compare
from lotus.diff.loading import open_side
from lotus.records.files import write_json
from lotus.records.seal import sealed


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished experiment's results."""
    large = shutil.ignore_patterns("*.npz", "*.safetensors", "*.png")
    shutil.copytree(finished / "results", tmp_path / "copy/results", ignore=large)
    return tmp_path / "copy"


def test_a_finished_experiment_and_its_copy(finished, copy):
    assert compare(open_side(str(finished)), open_side(str(copy))).same
    path = next(copy.glob("results/*/*/seed13/instance-10/corrected/metrics.json"))
    edit(path, lambda content: content["rows"]["lotus"].update(mia=0.123))
    found = compare(open_side(str(finished)), open_side(str(copy)))
    ((number, _),) = found.numbers
    assert (number.row, number.metric, number.changed_seeds) == ("lotus", "mia", (13,))
    assert [change.kind for change in found.changes] == ["record"]


def test_every_run_of_a_finished_experiment_is_behind_a_number(finished, copy):
    """A new version of torch in every record of a run is a change of all runs."""
    runs = [*copy.rglob("run.json")]
    for path in runs:
        content = json.loads(path.read_text())
        content["versions"]["torch"] = "0.1"
        write_json(path, sealed(content))
    (change,) = compare(open_side(str(finished)), open_side(str(copy))).changes
    assert (change.kind, change.what, change.new, change.explains) == (
        "environment",
        "torch",
        ("0.1",),
        0,
    )
    assert len(change.records) == len(runs)


def test_no_torch_is_needed():
    modules = "lotus.diff.to_text, lotus.diff.to_json"
    code = f"import sys, {modules}; print(*sys.modules)"
    assert "torch" not in run(".", sys.executable, "-c", code).stdout.split()
