"""Lineage: the whole way from a number to its source files, and every break of it seen."""

import csv
import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
from contextlib import chdir
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from lotus import layout
from lotus.cli.main import main
from lotus.data import raw, sources
from lotus.data.sources import RawFile
from lotus.errors import LotusError
from lotus.lineage import box_layout as tree_boxes
from lotus.lineage import lookup, raw_folders
from lotus.lineage import recorded_facts as tree_facts
from lotus.lineage import to_text as tree_text
from lotus.lineage.artifacts import find
from lotus.lineage.build_tree import grow
from lotus.lineage.cells import KEYS_OF_LINES, parse_cell, read_cell, rests_on, rows_needed
from lotus.metrics.base import registry
from lotus.metrics.base.scoring import score_all
from lotus.predictions.predictions_file import Split
from lotus.records.files import sha256, write_json
from lotus.records.index import read_index
from lotus.records.record import sealed, write_record

PLACE = {"dataset": "tiny", "architecture": "resnet18", "scenario": "instance-10"}
SEED = "results/tiny/resnet18/seed1"
TABLE = "results/tables/summary.csv"
ROWS = ("original", "gold", "lotus", "ssd")
METRICS_FILE = f"{SEED}/instance-10/corrected/metrics.json"
SPLIT = "results/tiny/splits/seed1/instance-10.json"
STORE = [f"data/stores/tiny/{name}" for name in ("images.npy", "labels.npy", "source.json")]


def put(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


@pytest.fixture
def project(built, tmp_path, monkeypatch):
    """A copy of `built`, in which the test runs."""
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Source file → store → split → four models → metrics → table, with the records of each step."""
    folder = tmp_path_factory.mktemp("built")
    with chdir(folder):
        put("data/embedded/tiny.gz", "pixels")
        write_store({"name": "tiny.gz", "sha256": sha256(Path("data/embedded/tiny.gz"))})
        step("forget-set", [*STORE[1:]], [SPLIT], {"scenario": "instance-10", "seed": 1})
        for row in ROWS:
            write_run(row)
        read = [f"{folder_of(row)}/predictions.npz" for row in ROWS]
        about = {**PLACE, "protocol": "corrected", "seed": 1}
        step("metrics", read, [METRICS_FILE], about, {"rows": list(ROWS)})
        lines = (f"tiny,corrected,{row},1,0.{n},0.9{n}\n" for n, row in enumerate(ROWS))
        put(TABLE, "dataset,protocol,row,n,avg_gap,accuracy_test\n" + "".join(lines))
        step("table", [METRICS_FILE], [TABLE], {"table": "summary"})
    return folder


def step(kind, inputs, outputs, about, settings=None, notes=None):
    """Writes outputs that are not there yet, and the record of all."""
    for name in outputs:
        if not Path(name).exists():
            put(name, f"{kind} {name}")
    write_record(
        layout.record_of(Path(outputs[0])),
        kind=kind,
        modules=["lotus.errors"],
        about={"dataset": "tiny", **about},
        settings=settings or {},
        inputs=[Path(name) for name in inputs],
        outputs=[Path(name) for name in outputs],
        notes=notes,
    )


def write_store(file):
    Path("data/raw").mkdir()
    listed = {**file, "path": "data/embedded/tiny.gz"}
    write_json(Path("data/raw/tiny.json"), {"dataset": "tiny", "files": [listed]})
    write_store_record(file)


def write_store_record(*files):
    notes = {"dvc": "d.dir", "source": {"content": "c" * 64, "files": files}}
    step("store", ["data/raw/tiny.json"], STORE, {}, notes=notes)


def folder_of(row):
    scenario = "" if row == "original" else "instance-10/"
    return f"{SEED}/{scenario}{'original/corrected' if row == 'original' else f'corrected/{row}'}"


def write_run(row):
    read = {"original": STORE[2:], "gold": [STORE[2], SPLIT]}
    before = [f"{folder_of('original')}/{name}" for name in ("model.safetensors", "run.json")]
    made = [f"{folder_of(row)}/{name}" for name in ("model.safetensors", "predictions.npz")]
    about = {**PLACE, "row": row, "protocol": "corrected", "seed": 1}
    inputs = read.get(row, [STORE[2], SPLIT, *before])
    step(row if row in read else "unlearned", inputs, made, about, {"alpha": 2})


def tree_of(given, depth=None):
    return lookup.look_up(given, depth).tree


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
        assert any(f"{path.as_posix()}: edited" in problem for problem in problems), path
        (project / path).write_text("no JSON")
        assert any(f"{path.as_posix()}: not JSON" in problem for problem in tree_of(TABLE).problems)
        (project / path).write_text(content)


def test_a_record_that_was_edited_and_sealed_again_breaks_the_chain(project):
    for path in (f"{folder_of('lotus')}/run.json", "results/tiny/store.json"):
        content = Path(path).read_text()
        write_json(Path(path), sealed({**json.loads(content), "settings": {"alpha": 3}}))
        problems = tree_of(TABLE).problems
        assert f"{path}: states another step than the one whose files" in "".join(problems)
        Path(path).write_text(content)


def test_metrics_made_anew_are_not_those_that_the_table_read(project):
    record = json.loads(layout.record_of(Path(METRICS_FILE)).read_text())
    Path(METRICS_FILE).write_text("other numbers")
    step("metrics", record["inputs"], [METRICS_FILE], record["about"], record["settings"])
    of_record, of_file = tree_of(TABLE).problems
    assert of_record.startswith(f"{record['path']}: states another step than the one whose files")
    assert of_file.startswith(f"{METRICS_FILE}: its bytes are ")
    assert "results/records/tables/summary.table.json states" in of_file


def test_a_file_in_results_that_no_record_covers(project):
    put("results/tables/mine.csv", "row,x\n")
    (problem,) = tree_of("results/tables/mine.csv").problems
    assert "no record states how it was made" in problem


def test_source_files_elsewhere_may_be_absent_and_the_store_names_them_without_the_list(project):
    shutil.rmtree(project / "data/raw")
    tree = tree_of(TABLE)
    assert tree.problems == []
    absent = [node for node in tree.nodes.values() if node.note]
    assert [node.path for node in absent] == ["data/raw/tiny.json", "data/raw/tiny/tiny.gz"]
    assert absent[1].digest == sha256(project / "data/embedded/tiny.gz")
    assert {node.state for node in absent} == {"not at hand"}


def test_weights_outside_the_project_may_be_absent_but_not_other_than_they_were(project, tmp_path):
    weights = tmp_path / "weights.bin"
    put(weights, "pretrained")
    made = [
        f"{SEED}/original/corrected/{name}" for name in ("model.safetensors", "predictions.npz")
    ]
    step("original", [STORE[2], weights], made, {**PLACE, "row": "original", "seed": 1})
    weights.write_text("others")
    (problem,) = tree_of(made[0]).problems
    assert problem.startswith(f"{weights}: its bytes are ")
    weights.unlink()
    tree = tree_of(made[0])
    assert tree.problems == []
    assert tree.nodes[weights.as_posix()].state == "not at hand"


def test_a_publishers_folder_is_held_against_its_known_members(project, monkeypatch):
    put("data/embedded/batches/a", "A")
    put("data/embedded/batches/b", "B")
    md5 = {name: hashlib.md5(name.upper().encode()).hexdigest() for name in "ab"}
    file = RawFile("tiny.gz", "", unpacks="batches", members=md5)
    monkeypatch.setattr(sources, "source", lambda name: SimpleNamespace(files=[file]))
    folder = "data/embedded/batches"
    of_members = raw.check(file, Path(folder)).sha256

    def listed(digest):
        stated = {"name": "tiny.gz", "path": folder, "sha256": digest, "published": True}
        write_json(Path("data/raw/tiny.json"), {"dataset": "tiny", "files": [stated]})
        write_store_record()
        return tree_of("data/stores/tiny")

    # Found as a folder; unpacked from an archive.
    for digest, note in ((of_members, ""), ("f" * 64, raw_folders.PUBLISHED)):
        tree = listed(digest)
        assert tree.problems == []
        assert tree.nodes[folder].note == note
        put(f"{folder}/a", "other")
        (problem,) = listed(digest).problems
        assert problem.startswith(f"{folder}/a: md5 is ")
        put(f"{folder}/a", "A")
    Path(folder, "b").unlink()
    (problem,) = listed(of_members).problems
    assert "b missing" in problem


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
        assert tree.nodes[model].dvc == (said or f"models.dvc holds other bytes: md5 {digest}")


def test_depth_limits_what_is_hashed_and_shown(project):
    deep = project / f"{SEED}/instance-10/corrected/lotus/model.safetensors"
    deep.write_text("other")
    for depth, count in ((0, 1), (1, 2), (2, 6)):
        tree = tree_of(TABLE, depth)
        assert len(tree.nodes) == count
        assert tree.problems == []
        text = list(tree_text.lines(tree, depth))
        assert any("below" in line for line in text)
    assert list(tree_of(TABLE, 1).nodes) == [TABLE, METRICS_FILE]
    assert tree_of(TABLE, 3).problems


def test_text_tells_shared_parts_once_and_the_facts_of_each_step(project):
    text = list(tree_text.lines(tree_of(TABLE)))
    store = [line for line in text if "data/stores/tiny  " in line]
    assert len([line for line in store if "(above)" not in line]) == 1
    assert len(store) > 3
    joined = "\n".join(text)
    for said in (
        "predictions of LoTUS, tiny, ResNet18, 10 % forgotten, corrected, seed 1",
        "model of gold, tiny, ResNet18, 10 % forgotten, corrected, seed 1",
        "parameters: alpha=2",
        "environment A: python ",
        sha256(project / TABLE)[:12],
        "The chain is complete: ",
    ):
        assert said in joined
    brief = list(tree_text.lines(tree_of(TABLE), is_brief=True))
    assert len(brief) < len(text) / 2
    assert "parameters" not in "\n".join(brief)


def test_json_has_every_node_once_with_full_digests(project):
    told = tree_facts.as_json(tree_of(TABLE))
    assert told["ok"] is True
    node = told["nodes"][f"{SEED}/instance-10/corrected/lotus/model.safetensors"]
    assert node["digest"] == sha256(
        project / node["record"]["path"].replace("run.json", "model.safetensors")
    )
    assert node["settings"] == {"alpha": 2}
    assert node["about"]["seed"] == 1
    assert told["environments"][node["environment"]]["python"]
    assert {"step", "commit", "dirty"} == set(node["code"])


@pytest.mark.parametrize(
    ("row", "column", "rows"),
    [
        ("lotus", "avg_gap", {"lotus", "gold"}),
        ("lotus", "accuracy_test", {"lotus"}),
        ("original", "accuracy_test", {"original", "gold"}),
    ],
)
def test_a_cell_is_restricted_to_what_its_number_rests_on(project, row, column, rows):
    found = lookup.look_up(f"{TABLE}:{row}:{column}")
    ((value,),) = (line.values.values() for line in found.lines)
    assert value == f"0.{'9' * (column != 'avg_gap')}{ROWS.index(row)}"
    said = [path for path, node in found.tree.nodes.items() if node.stage == "predictions"]
    assert {path.split("/")[-2].replace("corrected", "original") for path in said} == rows


def test_damage_beside_the_way_of_a_cell_is_not_its_damage(project):
    (project / f"{SEED}/instance-10/corrected/ssd/predictions.npz").unlink()
    assert not lookup.look_up(f"{TABLE}:lotus:avg_gap").tree.problems
    assert lookup.look_up(f"{TABLE}:ssd:avg_gap").tree.problems


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"{TABLE}:lotus", "PATH:ROW:COLUMN"),
        (f"{TABLE}:lotus:avg_gap:seed", "PATH:ROW:COLUMN"),
        (f"{TABLE}:lotsu:avg_gap", "did you mean 'lotus'"),
        (f"{TABLE}:lotus:avg_gp", "did you mean 'avg_gap'"),
        (f"{TABLE}:lotus:avg_gap:datset=tiny", "did you mean 'dataset'"),
        (f"{TABLE}:lotus:avg_gap:dataset=big", "accepted: tiny"),
        (f"{SEED}/instance-10/corrected/metrics.json:lotus:avg_gap", "cells are of CSV tables"),
        ("results/tables/sumary.csv", f"did you mean {TABLE}"),
        ("results/tiny", "neither the folder of a run nor of a store"),
        ("pyproject.toml", "no record names it"),
        ("../elsewhere.csv", "lies outside the project"),
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
    assert find(str(project / TABLE), index) == find(f"./results/../{TABLE}", index) == TABLE
    for name in ("data/stores/tiny", "data/stores/tiny/images.npy", "results/tiny/store.json"):
        assert find(name, index) == "data/stores/tiny"
    run = f"{SEED}/instance-10/corrected/lotus"
    assert find(run, index) == find(f"{run}/", index) == f"{run}/run.json"
    tree = grow(index, f"{run}/run.json")
    assert set(tree.nodes[tree.artifact].files) == {
        f"{run}/{name}" for name in ("run.json", "model.safetensors", "predictions.npz")
    }


def test_a_deleted_artifact_has_a_way_and_a_problem(project):
    (project / TABLE).unlink()
    tree = tree_of(TABLE)
    assert len(tree.nodes) > 10
    assert tree.problems == [f"{TABLE}: absent"]


def test_a_table_in_another_folder_is_taken_and_said(project):
    done = CliRunner().invoke(main, ["lineage", "results/paper/summary.csv:lotus:n", "--brief"])
    assert done.exit_code == 0
    assert done.stderr == f"results/paper/summary.csv is not there: taking {TABLE}\n"
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


def test_pictures_are_equal_files_and_broken_ones_red(project, tmp_path):
    for ending in ("svg", "png", "pdf"):
        files = [tmp_path / f"{name}.{ending}" for name in "ab"]
        for file in files:
            CliRunner().invoke(main, ["lineage", TABLE, "--picture", str(file)])
        assert files[0].read_bytes() == files[1].read_bytes()
    (project / TABLE).unlink()
    CliRunner().invoke(main, ["lineage", TABLE, "--picture", str(tmp_path / "c.svg")])
    assert "#c00000" not in (tmp_path / "a.svg").read_text().lower()
    assert "#c00000" in (tmp_path / "c.svg").read_text().lower()
    wrong = CliRunner().invoke(main, ["lineage", TABLE, "--picture", str(tmp_path / "a.gif")])
    assert wrong.exit_code == 1
    assert "accepted: pdf, png, svg" in wrong.output
    assert not (tmp_path / "a.gif").exists()


def test_boxes_hold_every_node_once(project):
    tree = tree_of(TABLE)
    drawn = tree_boxes.boxes(tree)
    held = [node.path for _, column in drawn.columns for box in column for node in box.nodes]
    assert sorted(held) == sorted(tree.nodes)
    assert [head for head, _ in drawn.columns][-1] == tree_boxes.ASKED


def test_a_box_of_many_says_how_many_are_broken(project, monkeypatch):
    monkeypatch.setattr(tree_boxes, "MOST", 1)
    Path(f"{folder_of('ssd')}/predictions.npz").unlink()
    drawn = tree_boxes.boxes(tree_of(TABLE))
    broken = [box for _, column in drawn.columns for box in column if box.is_broken]
    assert [list(box.text[:2]) for box in broken] == [["2 predictions", "1 broken"]]


def predictions(seed, train=False):
    """Four classes; forget images are 0–19, retain 20–99, test 100–139, validation 140–179."""
    rng = np.random.default_rng(seed)
    labels = np.random.default_rng(0).integers(4, size=180)
    parts = {"forget": (0, 20), "retain": (20, 100), "test": (100, 140), "val": (140, 180)}
    if train:
        parts = {"train": (0, 100), "test": (100, 140), "val": (140, 180)}
    return {
        name: Split(
            rng.normal(size=(end - first, 4)).astype(np.float32)
            + np.eye(4, dtype=np.float32)[labels[first:end]],
            labels[first:end],
            np.arange(first, end),
        )
        for name, (first, end) in parts.items()
    }


@cache
def scored(*changed):
    """Scores of all rows; the predictions of some are others than usual."""
    said = {
        name: predictions(place + 10 * (name in changed), train=name == "original")
        for place, name in enumerate(ROWS)
    }
    methods = {name: said[name] for name in ROWS[2:]}
    return score_all(said["original"], said["gold"], methods, 0)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("metric", [*registry.columns(), "same_as_original"])
def test_a_metric_needs_these_rows_and_no_others(metric, row):
    def of(*changed):
        return scored(*changed)[row][metric]

    needed = rows_needed(metric, row, ROWS)
    assert of(*(name for name in ROWS if name not in needed)) == of()
    # Of another model the original needs the images only, and two models are seldom the same.
    if row != "original" and metric != "same_as_original" and of() is not None:
        assert all(of(name) != of() for name in needed if name != row)


def test_the_original_needs_another_model_to_say_which_images_are_forget_images():
    assert rows_needed("accuracy_test", "original", ["original", "lotus", "ssd"]) == [
        "original",
        "lotus",
    ]


def cells_of(project):
    """All numbers of the tables that have rows, each as the text that names it."""
    for folder in ("tables", "timings", "paper"):
        for path in sorted(project.joinpath("results", folder).glob("*.csv")):
            with path.open(newline="") as file:
                lines = list(csv.DictReader(file))
            for line in lines:
                where = [f"{key}={line[key]}" for key in KEYS_OF_LINES if line.get(key)]
                numbers = [name for name, text in line.items() if re.fullmatch(r"-?\d+\.\d+", text)]
                for column in numbers if "row" in line else ():
                    place = path.relative_to(project).as_posix()
                    yield ":".join([place, line["row"], column, *where])


def test_numbers_of_a_finished_experiment_lead_to_images(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    every = list(cells_of(results.parent))
    assert len(every) > 1000
    for given in random.Random(0).sample(every, 40):
        found = lookup.look_up(given)
        assert found.tree.problems == [], given
        assert len(found.lines) == 1
        stages = {node.stage for node in found.tree.nodes.values()}
        is_printed = any(name.startswith("published") for name in found.lines[0].values)
        assert is_printed or {"split", "store", "source"} <= stages, given


def kept_rows(given):
    """(kind of input, seeds, protocols, rows) of what a cell of a finished experiment reads."""
    cell = parse_cell(given)
    index = read_index()
    lines = read_cell(cell)
    kept = rests_on(cell, lines, index)
    read = [index.producer(path) for path in kept[index.producer(cell.path).path]]
    abouts = [record.about for record in read if record is not None and record.kind != "experiment"]
    rows = {
        index.producer(path).about["row"]
        for record, inputs in kept.items()
        if index.records[record].kind == "metrics"
        for path in inputs
    } | {about["row"] for about in abouts if "row" in about}
    return {about["seed"] for about in abouts}, {about["protocol"] for about in abouts}, rows


INSTANCE, CLASS = "dataset=digits:scenario=instance-10", "dataset=digits:scenario=class-three"
BOTH = {13, 3407}


@pytest.mark.parametrize(
    ("given", "seeds", "protocols", "rows"),
    [
        (
            f"tables/summary.csv:lotus:avg_gap:protocol=corrected:{CLASS}",
            BOTH,
            "corrected",
            "lotus gold",
        ),
        (
            f"tables/summary.csv:lotus:jsd:protocol=released-e1:{CLASS}",
            BOTH,
            "released-e1",
            "lotus gold",
        ),
        (
            f"tables/per-seed.csv:ssd:rf_jsd:seed=13:protocol=corrected:{INSTANCE}",
            {13},
            "corrected",
            "ssd original",
        ),
        (
            "tables/digits-resnet18-class-three-corrected.csv:scrub:mia_std",
            BOTH,
            "corrected",
            "scrub",
        ),
        ("tables/ablation.csv:scrub:mia_change:switch=M1", BOTH, "corrected corrected+m1", "scrub"),
        ("tables/ablation.csv:lotus:avg_gap_change:switch=E6", BOTH, "corrected", "lotus gold"),
        (f"timings/times.csv:ssd:seconds:protocol=corrected:{CLASS}", BOTH, "corrected", "ssd"),
        (
            f"timings/cost.csv:ssd:ratio_to_gold:protocol=released-e1:{CLASS}",
            BOTH,
            "corrected released-e1",
            "ssd gold",
        ),
        (
            f"paper/table1.csv:lotus:avg_gap:protocol=released:{INSTANCE}",
            BOTH,
            "released-e1",
            "lotus gold",
        ),
        (f"paper/table1.csv:gold:time_min:protocol=released:{INSTANCE}", BOTH, "corrected", "gold"),
        ("paper/table1.csv:lotus:avg_gap:dataset=cifar10:architecture=resnet18", set(), "", ""),
    ],
)
def test_what_cells_of_each_kind_of_table_read(results, monkeypatch, given, seeds, protocols, rows):
    monkeypatch.chdir(results.parent)
    assert kept_rows(f"results/{given}") == (seeds, {*protocols.split()}, {*rows.split()})


def test_a_correlation_rests_on_all_rows(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    rows = kept_rows("results/tables/correlation.csv:digits:pearson")[2]
    assert len(rows) == 12


def test_a_column_is_found_in_whichever_convention_a_line_states_it(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    lines = read_cell(parse_cell("results/tables/summary.csv:lotus:avg_gap:scenario=instance-10"))
    named = [list(line.values) for line in lines]
    assert named == [["avg_gap"], ["avg_gap_released_e3_e6"]]
    lines = read_cell(parse_cell("results/tables/per-seed.csv:lotus:mia"))
    assert {tuple(line.values) for line in lines} == {("mia",)}


def test_a_figure_over_all_models_is_drawn_in_few_boxes(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    tree = tree_of("results/figures/avg-gap.svg")
    assert tree.problems == []
    assert len(tree.nodes) > 100
    drawn = tree_boxes.boxes(tree)
    assert max(len(column) for _, column in drawn.columns) <= tree_boxes.MOST
    assert sum(len(box.nodes) for _, column in drawn.columns for box in column) == len(tree.nodes)


def test_the_report_rests_on_everything(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    tree = tree_of("results/report/index.html")
    assert tree.problems == []
    models = {path for path in tree.nodes if path.endswith("model.safetensors")}
    assert models == {
        p.relative_to(results.parent).as_posix() for p in results.rglob("model.safetensors")
    }


def test_needs_no_torch():
    modules = ("lookup", "text", "facts", "picture")
    names = ", ".join(f"lotus.auditing.lineage.{name}" for name in modules)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
