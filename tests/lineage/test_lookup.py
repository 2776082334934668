"""What can be asked for: paths, folders, cells, and the answers to what is not there."""

import json
import re
import subprocess
import sys

import pytest
from built_by_hand import SEED, TABLE
from click.testing import CliRunner

from lotus.cli.main import main
from lotus.errors import LotusError
from lotus.lineage import lookup
from lotus.lineage.artifacts import find_node
from lotus.lineage.build_tree import build_tree
from lotus.records.index import read_index


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"{TABLE}:lotus", "PATH:ROW:COLUMN"),
        (f"{TABLE}:lotus:avg_gap:seed", "PATH:ROW:COLUMN"),
        (f"{TABLE}:lotsu:avg_gap", "did you mean 'lotus'"),
        (f"{TABLE}:lotus:avg_gp", "did you mean 'avg_gap'"),
        (f"{TABLE}:lotus:avg_gap:datset=tiny", "did you mean 'dataset'"),
        (f"{TABLE}:lotus:avg_gap:dataset=big", "accepted: tiny"),
        (
            f"{SEED}/instance-10/corrected/metrics.json:lotus:avg_gap",
            "is not a CSV table, so it has no cells",
        ),
        ("results/tables/sumary.csv", f"did you mean {TABLE}"),
        ("results/tiny", "neither the folder of a run nor the folder of a store"),
        ("pyproject.toml", "no record names it"),
        ("../elsewhere.csv", "is outside the project"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(project, given, said):
    with pytest.raises(LotusError, match=re.escape(said)):
        lookup.look_up(given)


def test_needs_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LotusError, match="no folder 'results' here"):
        lookup.look_up("results/tables/summary.csv")


def test_paths_folders_and_records_name_the_same_nodes(project):
    index = read_index()
    assert (
        find_node(str(project / TABLE), index) == find_node(f"./results/../{TABLE}", index) == TABLE
    )
    for name in ("data/stores/tiny", "data/stores/tiny/images.npy", "results/tiny/store.json"):
        assert find_node(name, index) == "data/stores/tiny"
    run = f"{SEED}/instance-10/corrected/lotus"
    assert find_node(run, index) == find_node(f"{run}/", index) == f"{run}/run.json"
    tree = build_tree(index, f"{run}/run.json")
    assert set(tree.nodes[tree.artifact].files) == {
        f"{run}/{name}" for name in ("run.json", "model.safetensors", "predictions.npz")
    }


def test_a_table_in_another_folder_is_taken_and_said(project):
    done = CliRunner().invoke(main, ["lineage", "results/paper/summary.csv:lotus:n", "--brief"])
    assert done.exit_code == 0
    assert done.stderr == f"results/paper/summary.csv is not there: {TABLE} is taken instead\n"
    assert f"{TABLE}:lotus:n" in done.stdout


def test_the_command_fails_after_the_whole_tree_and_json_stands_alone(project):
    whole = CliRunner().invoke(main, ["lineage", TABLE])
    assert whole.exit_code == 0
    name = f"{SEED}/instance-10/corrected/ssd/model.safetensors"
    (project / name).unlink()
    broken = CliRunner().invoke(main, ["lineage", TABLE])
    assert broken.exit_code == 1
    assert broken.stdout.count("\n") > whole.stdout.count("\n")
    assert broken.stdout.endswith(f"  ✗ {name}: absent\n")
    told = CliRunner().invoke(main, ["lineage", f"{TABLE}:ssd:avg_gap", "--json"])
    assert told.exit_code == 1
    content = json.loads(told.stdout)
    assert content["problems"] == [f"{name}: absent"]
    assert not content["ok"]
    assert content["value"][0]["values"] == {"avg_gap": "0.3"}


def test_needs_no_torch():
    modules = ("lookup", "to_text", "to_json", "picture")
    names = ", ".join(f"lotus.lineage.{name}" for name in modules)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
