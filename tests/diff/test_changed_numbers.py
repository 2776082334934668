"""Differences of means, and in which order they stand."""

from math import inf, sqrt

import pytest
from small_experiment import CELL, SEEDS, compared, edit

from lotus.diff import to_text as compare_text
from lotus.diff.changed_numbers import (
    ComparedModel,
    _by_metric,
    compare_numbers,
    only_in,
    state_changes,
)


def models(**rows):
    """Row → values of one metric by seed."""
    return {
        ComparedModel(CELL, row, seed): {"mia": value}
        for row, values in rows.items()
        for seed, value in enumerate(values)
    }


def test_the_ratio_is_the_difference_by_the_pooled_deviation():
    a, b = models(ours=[1.0, 3.0]), models(ours=[2.0, 6.0])
    compared, (number,) = compare_numbers(a, b)
    assert (compared, number.a, number.b, number.difference) == (1, 2.0, 4.0, 2.0)
    assert number.spread == pytest.approx(sqrt((2 + 8) / 2))
    assert number.ratio == pytest.approx(2 / sqrt(5))
    assert number.changed_seeds == (0, 1)


def test_means_are_over_seeds_that_both_sides_have_a_value_of():
    a = models(ours=[1.0, 3.0, None, 7.0])
    b = models(ours=[1.0, 4.0, 5.0])
    _, (number,) = compare_numbers(a, b)
    assert (number.seeds, number.changed_seeds) == ((0, 1), (1,))
    assert (number.a, number.b) == (2.0, 2.5)
    (state,) = state_changes(a, b)
    assert (state.model.seed, state.a, state.b) == (2, None, 5.0)
    (only,) = only_in(a, b)
    assert (only.row, only.seeds) == ("ours", (3,))


def test_one_seed_has_no_spread_and_equal_seeds_an_infinite_ratio():
    _, (single,) = compare_numbers(models(ours=[1.0]), models(ours=[2.0]))
    assert (single.spread, single.ratio) == (None, None)
    _, (equal,) = compare_numbers(models(ours=[0.1] * 3), models(ours=[0.2] * 3))
    assert (equal.spread, equal.ratio) == (0.0, inf)


def test_rounding_moves_a_number_but_stands_last():
    a = models(near=[0.1, 0.1], far=[0.0, 1.0])
    b = models(near=[0.1 + 1e-16, 0.1 + 1e-16], far=[0.1, 1.1])
    assert a != b
    _, (first, last) = compare_numbers(a, b)
    assert (first.row, last.row) == ("far", "near")
    assert (first.is_noise, last.is_noise) == (False, True)


def test_rounding_of_seeds_that_agree_is_not_told_as_far(experiment):
    # Values of which nothing but the last digit differs, equal in all seeds: no spread, an infinite ratio.
    a, b = experiment("a"), experiment("b")
    for side, value in ((a, 0.3), (b, 0.1 + 0.2)):
        for seed in SEEDS:
            edit(
                side.folder / f"results/d/net/seed{seed}/class-a/corrected/metrics.json",
                lambda content, value=value: content["rows"]["ours"].update(jsd=value),
            )
    said = compare_text.summary(compared(a, b))
    assert "0 by more than one standard deviation" in said
    assert "1 by no more than rounding" in said


def test_metrics_stand_in_the_order_of_the_files_in_every_process():
    names = [f"metric{k}" for k in range(40)]
    one = {ComparedModel(CELL, "ours", 0): dict.fromkeys(names, 0.0)}
    other = {ComparedModel(CELL, "ours", 0): dict.fromkeys(names, 1.0)}
    by_metric = _by_metric(one, other, CELL, "ours", [0])
    assert [*by_metric] == names
    lacking = only_in(one, {ComparedModel(CELL, "ours", 0): {}})
    assert [only.metric for only in lacking] == names


def test_numbers_stand_in_order_of_their_ratios():
    values = {f"row{k}": [0.0, 1.0] for k in range(5)}
    shifts = dict(zip(values, (0.3, -0.9, 0.1, 0.5, 0.0), strict=True))
    shifted = {row: [v + shifts[row] for v in of] for row, of in values.items()}
    compared, found = compare_numbers(models(**values), models(**shifted))
    assert compared == 5
    assert [number.row for number in found] == ["row1", "row3", "row0", "row2"]


def test_rows_seeds_and_states_of_one_side_are_told(experiment):
    a = experiment("a", rows=("original", "gold", "ours"))
    b = experiment("b", seeds=(1, 2, 3), unfit={"ours": "near chance"}, alpha={"ours": 9})
    for seed in (1, 2, 3):
        edit(
            b.folder / f"results/d/net/seed{seed}/class-a/corrected/metrics.json",
            lambda content: content["rows"]["ours"].update(jsd=None),
        )
    found = compared(a, b)
    assert not found.same
    assert found.only_in_a == []
    assert {(only.row, only.seeds) for only in found.only_in_b} == {
        ("theirs", (1, 2, 3)),
        ("original", (3,)),
        ("gold", (3,)),
        ("ours", (3,)),
    }
    assert {(state.model.seed, state.what) for state, _ in found.state_changes} == {
        (seed, what) for seed in SEEDS for what in ("jsd", "collapsed")
    }
    text = "\n".join(compare_text.lines(found, 20))
    assert "d-net-class-a-corrected, ours, seed 1: collapsed: no → near chance" in text
    assert "Only in B" in text
