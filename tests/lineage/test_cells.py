"""What a single number rests on."""

import csv
import random
import re
from functools import cache

import numpy as np
import pytest
from built_by_hand import ROWS, SEED, TABLE

from lotus.lineage import lookup
from lotus.lineage.cells import KEYS_OF_LINES, inputs_of, parse_cell, read_cell
from lotus.metrics.base import registry
from lotus.metrics.base.scoring import score_all
from lotus.predictions.predictions_file import Split
from lotus.records.index import read_index
from lotus.results.needed_rows import rows_needed


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
    kept = inputs_of(cell, lines, index)
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
            f"timings/times.csv:ssd:collapsed:protocol=corrected:{CLASS}",
            BOTH,
            "corrected",
            "ssd original",
        ),
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
