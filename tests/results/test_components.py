"""Variance components, by closed form and by simulation."""

import json

import numpy as np
import pytest
from hand_made import write_by_hand
from metrics_files import scores

from lotus.config.seeds import AXES
from lotus.figures.components import components as figure_of_components
from lotus.results.components import REST, TOGETHER, components, load_components
from lotus.tables.components import components as table_of_components

BASE = dict.fromkeys(AXES, 1)


def design(levels):
    """Seed → axes: a base, so many others for each axis alone, and as many for all."""
    every = [BASE]
    every += [{**BASE, axis: 2 + n} for axis in AXES for n in range(levels)]
    every += [dict.fromkeys(AXES, 100 + n) for n in range(levels)]
    return dict(enumerate(every))


def found(values, apart):
    return {line["source"]: line for line in components(values, apart)}


def test_the_variance_of_each_kind_is_that_of_its_group():
    apart = design(2)
    rng = np.random.default_rng(0)
    values = dict(enumerate(rng.normal(size=len(apart))))
    of = found(values, apart)
    assert set(of) == {*AXES, TOGETHER, REST}
    assert of["split"]["variance"] == pytest.approx(np.var([values[n] for n in (0, 1, 2)], ddof=1))
    assert of["noise"]["variance"] == pytest.approx(np.var([values[n] for n in (0, 7, 8)], ddof=1))
    # The base and the last two share no seed of any kind.
    total = np.var([values[n] for n in (0, 9, 10)], ddof=1)
    assert of[TOGETHER]["variance"] == pytest.approx(total)
    assert of[TOGETHER]["df"] == 2
    assert of[REST]["variance"] == pytest.approx(total - sum(of[axis]["variance"] for axis in AXES))
    assert of["split"]["share"] == pytest.approx(of["split"]["variance"] / total)


def test_equal_numbers_have_no_variance_by_rounding():
    apart = design(5)
    of = found(dict.fromkeys(apart, 0.1), apart)
    assert [line["variance"] for line in of.values()] == [0.0] * len(of)


def test_components_that_are_put_in_come_out():
    sizes = {"split": 3.0, "initialisation": 0.0, "batches": 1.0, "noise": 2.0}
    apart = design(300)
    rng = np.random.default_rng(1)
    effects = {axis: size * rng.normal(size=500) for axis, size in sizes.items()}
    values = {n: sum(effects[axis][of[axis]] for axis in AXES) for n, of in apart.items()}
    of = found(values, apart)
    for axis, size in sizes.items():
        assert of[axis]["deviation"] == pytest.approx(size, rel=0.12, abs=1e-9)
        assert of[axis]["variance_low"] - 1e-9 <= size**2 <= of[axis]["variance_high"] + 1e-9
    assert of[REST]["variance_low"] < 0 < of[REST]["variance_high"]


def test_interactions_are_the_rest_and_a_negative_rest_has_no_deviation():
    apart = design(300)
    rng = np.random.default_rng(2)
    # Only all together vary.
    together = {n: rng.normal() if of["split"] >= 100 else 0.0 for n, of in apart.items()}
    assert found(together, apart)[REST]["variance_low"] > 0
    alone = {n: 0.0 if of["split"] >= 100 else rng.normal() for n, of in apart.items()}
    rest = found(alone, apart)[REST]
    assert rest["variance"] < 0
    assert np.isnan(rest["deviation"])


def test_usual_seeds_have_no_components():
    assert not found({1: 0.1, 2: 0.2, 3: 0.3}, {n: dict.fromkeys(AXES, n) for n in (1, 2, 3)})
    assert not found({}, {})


def test_the_table_reads_axes_from_the_records(write_metrics, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seeds = {1: {}, 2: {"split": 1, "initialisation": 1, "batches": 1}}
    sources = []
    for seed, apart in seeds.items():
        of = scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.1 * seed, jsd=0.01)
        sources.append(write_metrics("corrected", seed, lotus=of))
        record = tmp_path / f"{seed}" / "run.json"
        settings = {"seeds_apart": apart} if apart else {}
        write_by_hand(record, about={"seed": seed, "row": "lotus"}, settings=settings)
        sources.append(record)
    numbers = load_components(sources)
    lotus = numbers[(numbers["row"] == "lotus") & (numbers["metric"] == "avg_gap")]
    assert lotus["source"].tolist() == ["noise"]
    assert lotus["variance"].tolist() == pytest.approx([0.005])
    assert "LoTUS & Avg Gap & noise & 1 & 0.0707" in table_of_components(sources)[1]
    assert (lotus["n"].tolist(), lotus["collapsed"].tolist()) == ([2], [0])
    assert json.loads(sources[1].read_text())["about"]["seed"] == 1


def test_a_collapsed_model_is_left_out_counted_and_named(write_metrics, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = []
    for seed in (1, 2, 3):
        of = scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.1 * seed, jsd=0.01)
        lotus = of | {"avg_gap": 0.9, "collapsed": "near chance"} if seed == 3 else of
        sources.append(write_metrics("corrected", seed, lotus=lotus, ssd=of))
        record = tmp_path / f"{seed}" / "run.json"
        settings = {"seeds_apart": {"split": 1, "initialisation": 1, "batches": 1}}
        write_by_hand(record, about={"seed": seed, "row": "lotus"}, settings=settings)
        sources.append(record)
    numbers, latex = table_of_components(sources)
    of = numbers[numbers["metric"] == "avg_gap"].set_index("row")
    assert of.loc["lotus", ["df", "n", "collapsed"]].tolist() == [1, 3, 1]
    assert of.loc["lotus", "variance"] == pytest.approx(0.005)
    assert of["collapsed_seeds"].to_dict() == {"lotus": "seed 3", "ssd": "", "original": ""}
    assert of.loc["ssd", "df"] == 2
    assert "LoTUS (without seed 3, collapsed) & Avg Gap & noise" in latex
    for axes in figure_of_components(sources).axes:
        assert [text.get_text() for text in axes.texts] == ["without seed 3: collapsed"]
