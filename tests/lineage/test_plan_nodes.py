"""The whole way from a table to its source files, and every break of it seen."""

import hashlib
import json
from pathlib import Path

import pytest
from built_by_hand import (
    METRICS_FILE,
    ROWS,
    SEED,
    SPLIT,
    STORE,
    TABLE,
    folder_of,
    put,
    step,
    tree_of,
)

from lotus import layout
from lotus.records.files import sha256, write_json
from lotus.records.seal import sealed


def test_the_way_leads_to_the_source_files_and_every_digest_agrees(project):
    tree = tree_of(TABLE)
    assert tree.problems == []
    stages = {node.stage for node in tree.nodes.values()}
    wanted = {"source", "raw", "store", "split", "original", "model", "predictions", "measured"}
    assert stages == wanted | {"made"}
    leaves = [path for path, node in tree.nodes.items() if not node.inputs]
    assert leaves == ["data/embedded/tiny.gz"]
    assert all(set(node.inputs) <= set(tree.nodes) for node in tree.nodes.values())
    for node in tree.nodes.values():
        assert node.found == {file: sha256(project / file) for file in node.files}


def test_a_run_read_with_its_record_is_one_input_and_predictions_lead_to_their_model(project):
    tree = tree_of(f"{SEED}/instance-10/corrected/lotus/predictions.npz")
    model = f"{SEED}/instance-10/corrected/lotus/model.safetensors"
    assert list(tree.nodes[tree.artifact].inputs) == [model]
    original = f"{SEED}/original/corrected/model.safetensors"
    assert list(tree.nodes[model].inputs) == ["data/stores/tiny", SPLIT, original]


def files_of_the_tree():
    made = ("model.safetensors", "predictions.npz")
    of_runs = [f"{folder_of(row)}/{name}" for row in ROWS for name in made]
    return [TABLE, METRICS_FILE, *of_runs, SPLIT, *STORE, "data/embedded/tiny.gz"]


@pytest.mark.parametrize("name", files_of_the_tree())
def test_a_changed_byte_anywhere_is_seen_and_named_with_both_digests(project, name):
    stated = sha256(project / name)
    with (project / name).open("a") as file:
        file.write("x")
    (problem,) = tree_of(TABLE).problems
    assert problem.startswith(f"{name}: ")
    assert stated[:12] in problem
    assert sha256(project / name)[:12] in problem
    producer = layout.record_of(Path(name)) or Path("data/raw/tiny.json")
    assert f"{producer} states" in problem


@pytest.mark.parametrize("name", files_of_the_tree())
def test_a_missing_file_anywhere_is_seen(project, name):
    (project / name).unlink()
    (problem,) = tree_of(TABLE).problems
    assert problem == f"{name}: absent"


def records_of_the_tree(project):
    return [
        path.relative_to(project)
        for path in project.joinpath("results").rglob("*.json")
        if layout.is_record(path.relative_to(project))
    ]


def test_a_missing_record_anywhere_is_seen(project):
    records = records_of_the_tree(project)
    assert len(records) == 8
    for path in records:
        content = (project / path).read_bytes()
        (project / path).unlink()
        problems = tree_of(TABLE).problems
        assert any(path.as_posix() in problem for problem in problems), path
        (project / path).write_bytes(content)
    assert tree_of(TABLE).problems == []


def test_an_edited_record_anywhere_is_seen(project):
    for path in records_of_the_tree(project):
        content = (project / path).read_text()
        (project / path).write_text(content.replace('"cores"', '"kernels"'))
        problems = tree_of(TABLE).problems
        assert any(f"{path.as_posix()}: it was edited" in problem for problem in problems), path
        (project / path).write_text("no JSON")
        assert any(
            f"{path.as_posix()}: it is not JSON" in problem for problem in tree_of(TABLE).problems
        )
        (project / path).write_text(content)


def test_a_record_that_was_edited_and_sealed_again_breaks_the_chain(project):
    for path in (f"{folder_of('lotus')}/run.json", "results/tiny/store.json"):
        content = Path(path).read_text()
        write_json(Path(path), sealed({**json.loads(content), "settings": {"alpha": 3}}))
        problems = tree_of(TABLE).problems
        assert f"{path}: describes another step than the one whose files" in "".join(problems)
        Path(path).write_text(content)


def test_metrics_made_anew_are_not_those_that_the_table_read(project):
    record = json.loads(layout.record_of(Path(METRICS_FILE)).read_text())
    Path(METRICS_FILE).write_text("other numbers")
    step("metrics", record["inputs"], [METRICS_FILE], record["about"], record["settings"])
    of_record, of_file = tree_of(TABLE).problems
    assert of_record.startswith(
        f"{record['path']}: describes another step than the one whose files"
    )
    assert of_file.startswith(f"{METRICS_FILE}: its bytes are ")
    assert "results/records/tables/summary.table.json states" in of_file


def test_a_file_in_results_that_no_record_covers(project):
    put("results/tables/mine.csv", "row,x\n")
    (problem,) = tree_of("results/tables/mine.csv").problems
    assert "no record states how it was made" in problem


def test_another_store_than_the_locked_one(project):
    lock = {"outs": [{"path": "data/stores/tiny", "md5": "e.dir"}]}
    write_json(project / "data.dvc", lock)
    (problem,) = tree_of(TABLE).problems
    assert problem == "data.dvc: locks e.dir, but results/tiny/store.json verified d.dir"
    lock["outs"][0]["md5"] = "d.dir"
    write_json(project / "data.dvc", lock)
    tree = tree_of(TABLE)
    assert tree.problems == []
    assert tree.nodes["data/stores/tiny"].dvc == "data.dvc: files/md5/d./dir"


def test_files_are_found_in_dvc_only_with_the_bytes_that_it_holds(project):
    model = f"{SEED}/instance-10/corrected/lotus/model.safetensors"
    md5 = hashlib.md5((project / model).read_bytes()).hexdigest()
    for digest, said in ((md5, f"models.dvc: files/md5/{md5[:2]}/{md5[2:]}"), ("0" * 32, None)):
        write_json(project / "models.dvc", {"outs": [{"path": model, "md5": digest}]})
        tree = tree_of(model)
        assert tree.problems == []
        assert tree.nodes[model].dvc == (said or f"models.dvc has other bytes: md5 {digest}")


def test_a_deleted_artifact_has_a_way_and_a_problem(project):
    (project / TABLE).unlink()
    tree = tree_of(TABLE)
    assert len(tree.nodes) > 10
    assert tree.problems == [f"{TABLE}: absent"]


def test_the_report_rests_on_everything(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    tree = tree_of("results/report/index.html")
    assert tree.problems == []
    models = {path for path in tree.nodes if path.endswith("model.safetensors")}
    assert models == {
        p.relative_to(results.parent).as_posix() for p in results.rglob("model.safetensors")
    }
