"""Verdicts over several benchmarks, data and protocols."""

import pytest
from judged_cells import AHEAD, BEHIND, CIFAR, SEEDS, UNTOLD, cell, claim_of, gaps

from lotus.claims.judging import FAILS, HOLDS, NOT_RUN, OPEN
from lotus.claims.overall import OTHER, PAPER, judge
from lotus.published.full_size import command


def rulings(claim, cells, published, audited=()):
    (found,) = judge([claim], cells, published, audited)
    return {(each.scope, each.protocol): each for each in found.rulings}


def two_places(first, second, where="every"):
    """A claim about two of the paper's benchmarks, and cells of those that are given."""
    claim = claim_of(
        {"kind": "best", "metric": "avg_gap", "among": ["scrub"]},
        places=["cifar10/resnet18/instance-10", "cifar100/resnet18/instance-10"],
        where=where,
    )
    places = (CIFAR, ("cifar100", *CIFAR[1:]))
    cells = [
        cell(gaps(**rows), where=place, published=place)
        for rows, place in zip((first, second), places, strict=True)
        if rows is not None
    ]
    return claim, cells


@pytest.mark.parametrize(
    ("first", "second", "every", "some"),
    [
        (AHEAD, AHEAD, HOLDS, HOLDS),
        (AHEAD, BEHIND, FAILS, HOLDS),
        (AHEAD, UNTOLD, OPEN, HOLDS),
        (AHEAD, None, OPEN, HOLDS),
        (BEHIND, None, FAILS, OPEN),
        (BEHIND, BEHIND, FAILS, FAILS),
        (UNTOLD, None, OPEN, OPEN),
        (None, None, NOT_RUN, NOT_RUN),
    ],
)
def test_over_benchmarks_never_more_than_was_run(published, first, second, every, some):
    for where, verdict in (("every", every), ("some", some)):
        found = rulings(*two_places(first, second, where), published)
        ruling = found[PAPER, "corrected"]
        assert ruling.verdict == verdict
        assert bool(ruling.command) == (first is None or second is None)
        assert found[PAPER, "released"].verdict == found[OTHER, "corrected"].verdict == NOT_RUN


def test_what_is_missing_is_said_with_the_command_that_runs_it(published):
    ruling = rulings(*two_places(AHEAD, None), published)[PAPER, "corrected"]
    assert "Of the paper's 2 benchmarks, 1 ran." in ruling.why
    assert ruling.command == command("table1")


def test_other_data_are_judged_apart_and_named(published):
    claim, _ = two_places(None, None)
    found = rulings(claim, [cell(gaps(**AHEAD), where=("x", "resnet18", "instance-10"))], published)
    assert found[PAPER, "corrected"].verdict == NOT_RUN
    other = found[OTHER, "corrected"]
    assert other.verdict == HOLDS
    assert other.why.startswith("On some data, not one of the paper's benchmarks:")
    elsewhere = claim.model_copy(update={"elsewhere": ("streisand",)})
    assert (
        rulings(elsewhere, [cell(gaps(**AHEAD))], published)[OTHER, "corrected"].verdict == NOT_RUN
    )


def test_protocols_are_judged_apart_in_their_own_conventions(published):
    """Under `released` Avg Gap is one between terms that are rounded to two decimals."""
    exact = {"accuracy_retain": (0.9, 0.9, 0.9), "accuracy_test": (0.8, 0.8, 0.8)}
    attack = {"mia_released_e6": (0.5, 0.5, 0.5)}
    rows = {
        "gold": {**exact, **attack, "accuracy_forget": (0.5, 0.5, 0.5)},
        "lotus": {**exact, **attack, "accuracy_forget": (0.5049, 0.5048, 0.5047)},
        "scrub": {**exact, **attack, "accuracy_forget": (0.52, 0.53, 0.525)},
    }
    claim, _ = two_places(None, None)
    found = rulings(claim, [cell(rows, "released")], published)[OTHER, "released"]
    (comparison,) = found.findings[0].comparisons
    assert dict(comparison.values) == dict.fromkeys(SEEDS, 0.0)
    assert dict(comparison.other_values)[12] == pytest.approx(0.005)


def test_a_claim_about_some_benchmark_is_not_helped_by_there_being_many(published):
    """One of ten benchmarks in which only chance speaks looks settled by itself."""
    lucky = {"lotus": (0.10, 0.20, 0.30), "scrub": (0.15, 0.26, 0.37)}
    claim = claim_of({"kind": "best", "metric": "avg_gap", "among": ["scrub"]}, where="some")
    cells = [
        cell(gaps(**(UNTOLD if n else lucky)), where=(f"d{n}", "resnet18", "instance-10"))
        for n in range(10)
    ]
    alone = rulings(claim, cells[:1], published)[OTHER, "corrected"]
    among_many = rulings(claim, cells, published)[OTHER, "corrected"]
    assert (alone.verdict, among_many.verdict) == (HOLDS, OPEN)
