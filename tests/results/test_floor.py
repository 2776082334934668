"""The floor of a cell: how far another gold is from gold, and which methods are not farther."""

import json

import numpy as np
import pytest
from metrics_files import GOLD, scores

from lotus.config.protocol import parse
from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.results.conventions import StatedRuns
from lotus.results.floor import best_rows, floor_in, floor_of, inside_floor
from lotus.results.metrics import load_metrics, rows_in_order, summarise
from lotus.results.needed_rows import rows_needed
from lotus.results.titles import titled
from lotus.tables.benchmark import benchmark
from lotus.tables.summary import summary as summary_table


def with_golds(path, **golds):
    """The metrics file with further golds, and the row that is their mean."""
    content = json.loads(path.read_text())
    mean = {
        name: None
        if any(of[name] is None for of in golds.values())
        else sum(of[name] for of in golds.values()) / len(golds)
        for name in registry.columns()
    }
    fallen = "; ".join(
        f"{name}: {of['collapsed']}" for name, of in golds.items() if of["collapsed"]
    )
    row = {**mean, "same_as_original": False, "collapsed": fallen}
    names = {name.replace("_", "-"): of for name, of in golds.items()}
    path.write_text(
        json.dumps(content | {"rows": content["rows"] | {"gold-again": row}, "golds": names})
    )
    return path


def gold(mia, **others):
    """A further gold that differs from gold in MIA alone."""
    return scores(0.8, 1.0, 0.8, mia, **others)


@pytest.fixture
def files(write_metrics):
    """Two seeds with two further golds each: Avg Gap .01 and .03, .02 and .06; JSD .1, .1, .1, .3."""

    def method(gap, jsd, mia=0.7):
        return scores(0.9, 1.0, 0.8, mia, avg_gap=gap, jsd=jsd, rf_jsd=0.1)

    def written(seed, *golds):
        path = write_metrics(
            "corrected",
            seed,
            lotus=method(0.02, 0.2),
            ssd=method(0.025, 0.1),
            unsir=method(0.1, 0.3, 0.61),
        )
        one, other = (gold(0.6 + mia, avg_gap=abs(mia) / 4, jsd=jsd) for mia, jsd in golds)
        return with_golds(path, gold_again_1=one, **{f"gold_of_{3 - seed}": other})

    return [written(1, (0.04, 0.1), (-0.12, 0.1)), written(2, (0.08, 0.1), (-0.24, 0.3))]


def test_the_floor_is_the_mean_over_golds_and_seeds(files):
    frame = load_metrics(files)
    found = floor_of(frame, "avg_gap")
    assert (found.golds, found.seeds) == (4, 2)
    assert found.mean == pytest.approx(np.mean([0.01, 0.03, 0.02, 0.06]))
    assert floor_of(frame, "jsd").mean == pytest.approx(0.15)
    assert floor_of(frame, "jsd").largest == pytest.approx(0.3)


def test_the_floor_of_a_part_is_the_distance_of_each_gold_not_of_their_mean(files):
    frame = load_metrics(files)
    found = floor_of(frame, "mia")
    assert found.mean == pytest.approx((0.04 + 0.12 + 0.08 + 0.24) / 4)
    assert found.largest == pytest.approx(0.24)
    summary = summarise(frame)
    assert floor_in(summary, "mia") == pytest.approx(found.mean)
    assert summary.loc["unsir", "mia_distance"] == pytest.approx(0.01)
    assert np.isnan(summary.loc["gold", "mia_distance"])


def test_every_distance_to_gold_stands_in_units_of_the_floor(files):
    numbers = benchmark(files)[0].set_index("row")
    assert numbers.loc["unsir", "avg_gap_in_floors"] == pytest.approx(0.1 / 0.03)
    assert numbers.loc["lotus", "jsd_in_floors"] == pytest.approx(0.2 / 0.15)
    assert numbers.loc["lotus", "mia_in_floors"] == pytest.approx(0.1 / 0.12)
    units = [name for name in numbers if name.endswith("_in_floors")]
    parts = {f"{name}_in_floors" for name in registry.specs()["avg_gap"].terms}
    assert {*units} >= {"avg_gap_in_floors", "jsd_in_floors", *parts}
    known = [name for name in units if numbers[name].notna().any()]
    assert (numbers.loc["gold-again", known] == 1).all()
    assert numbers.loc["gold", units].isna().all()
    # All golds have the same accuracy: there is no unit.
    assert numbers["accuracy_forget_in_floors"].isna().all()
    columns = [*numbers]
    assert columns.index("mia_in_floors") == columns.index("mia_distance") + 1
    summary = summary_table(files)[0].set_index("row")
    for name in ("avg_gap_in_floors", "jsd_in_floors"):
        assert summary[name].equals(numbers[name])


def test_without_further_golds_there_is_no_unit(write_metrics):
    of = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.1, jsd=0.1)
    numbers = benchmark([write_metrics("corrected", 1, lotus=of)])[0]
    assert numbers[["avg_gap_in_floors", "mia_in_floors"]].isna().all(axis=None)


def test_a_distance_in_floors_rests_on_gold_and_on_the_further_golds():
    rows = ["original", "gold", "gold-again", "lotus"]
    for metric in ("mia_in_floors", "jsd_in_floors", "accuracy_test_released_e3_in_floors"):
        found = rows_needed(metric, "lotus", rows, ["gold-of-2"])
        assert {*found} == {"lotus", "gold", "gold-of-2"}


def test_methods_inside_have_no_rank_against_each_other(files):
    summary = summarise(load_metrics(files))
    assert inside_floor(summary, "jsd") == ["ssd"]
    assert best_rows(summary, "jsd") == {"ssd"}
    # All are nearer to gold's MIA than another gold is (.12), but the accuracies of gold again are gold's.
    assert (
        set(inside_floor(summary, "mia")) == {"lotus", "ssd", "unsir"} == best_rows(summary, "mia")
    )
    assert inside_floor(summary, "avg_gap") == ["lotus", "ssd"]
    assert best_rows(summary, "avg_gap") == {"lotus", "ssd"}


def test_golds_are_rows_of_reference_and_never_the_best(files):
    frame = load_metrics(files)
    assert rows_in_order(frame)[:3] == ["original", "gold", "gold-again"]
    summary = summarise(frame)
    for metric in registry.specs():
        assert not best_rows(summary, metric) & {"original", "gold", "gold-again"}
    assert titled("gold-again", 0, 2) == "Gold again (another retraining)"


def test_without_further_golds_there_is_no_floor(fallen):
    frame = load_metrics(fallen)
    assert floor_of(frame, "jsd") is None
    assert np.isnan(floor_in(summarise(frame), "jsd"))
    assert inside_floor(summarise(frame), "jsd") == []


def test_a_collapsed_gold_leaves_no_floor(files):
    content = json.loads(files[0].read_text())
    content["rows"]["gold-again"]["collapsed"] = "gold-of-2: near chance"
    files[0].write_text(json.dumps(content))
    frame = load_metrics(files)
    assert floor_of(frame, "jsd") is None
    assert summarise(frame).loc["gold-again", "collapsed"] == 1


def test_the_published_gap_needs_golds_of_every_seed(write_metrics):
    # Over all seeds the golds of other seeds are the same models: only added golds say something.
    released = parse("released")
    near, far = gold(0.6), gold(0.8)

    def frame(*names):
        files = [
            with_golds(
                write_metrics("released", seed), **dict(zip(names, (far, near), strict=False))
            )
            for seed in (1, 2)
        ]
        return load_metrics(files)

    both = frame("gold_again_1", "gold_again_2")
    assert StatedRuns(both, released).released_gaps()["gold-again"] == pytest.approx((0.05 + 0) / 2)
    found = floor_of(both, "avg_gap")
    assert (found.mean, found.largest, found.golds) == (
        pytest.approx(0.025),
        pytest.approx(0.05),
        2,
    )
    others = frame("gold_of_9")
    assert np.isnan(StatedRuns(others, released).released_gaps()["gold-again"])
    assert floor_of(others, "avg_gap") is None


def test_single_golds_are_rounded_as_methods_are(write_metrics):
    one, other = gold(0.6, mia_released_e6=0.604), gold(0.6, mia_released_e6=0.614)
    frame = load_metrics(
        [with_golds(write_metrics("released", 1), gold_again_1=one, gold_again_2=other)]
    )
    assert summarise(frame).loc["gold-again", "mia_released_e3_e6"] == pytest.approx(0.605)


@pytest.mark.parametrize("key", ["golds", "rows"])
def test_the_row_and_its_golds_come_together(files, key):
    content = json.loads(files[0].read_text())
    if key == "golds":
        del content["golds"]
    else:
        del content["rows"]["gold-again"]
    files[0].write_text(json.dumps(content))
    with pytest.raises(LotusError, match=r"rows\.gold-again is the mean of 'golds'"):
        load_metrics(files)


def test_a_hand_made_gold_differs_from_gold_in_nothing_else():
    assert {key for key, value in gold(0.7).items() if value != GOLD[key]} == {
        "mia",
        "mia_released_e6",
    }
