"""One cell judged by each kind of rule."""

import re
from dataclasses import replace

import numpy as np
import pytest
from judged_cells import AHEAD, against, cell, gaps, rule_of
from scipy import stats

from lotus.claims.comparisons import ERROR
from lotus.claims.evidence import Distances
from lotus.claims.judging import FAILS, HOLDS, OPEN, judge_alike, judge_cells


def judge_cell(rule, of):
    """One benchmark alone; None where it lacks the rows."""
    return next(iter(judge_cells(rule, [of])), None)


def test_best_holds_where_every_interval_lies_on_its_side():
    found = judge_cell(against("scrub", "ssd"), cell(gaps(**AHEAD)))
    assert found.verdict == HOLDS
    nearest = found.comparisons[0].advantage
    expected = stats.ttest_rel(AHEAD["scrub"], AHEAD["lotus"]).confidence_interval(0.95)
    assert (nearest.low, nearest.high) == pytest.approx((expected.low, expected.high))
    assert "SCRUB" in found.why


def test_best_is_told_by_pairs_not_by_means():
    """Between seeds the gap varies ten times as much as between the rows."""
    assert np.std(AHEAD["lotus"]) > 1.5 * np.mean(np.subtract(AHEAD["scrub"], AHEAD["lotus"]))
    shuffled = {**AHEAD, "scrub": AHEAD["scrub"][::-1]}
    assert judge_cell(against("scrub"), cell(gaps(**AHEAD))).verdict == HOLDS
    assert judge_cell(against("scrub"), cell(gaps(**shuffled))).verdict == OPEN


def test_best_fails_where_a_rival_is_better_at_its_share_of_the_error():
    # Differences −.05, −.05, −.06: t = −16, so p = .004: refuted against 2 rivals (.025), not 20 of which
    # the others tell nothing (.0025).
    rows = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.15, 0.25, 0.35)}
    found = judge_cell(against("scrub", "ssd"), cell(gaps(**rows, ssd=(0.9, 0.95, 1.0))))
    assert found.verdict == FAILS
    assert found.why.startswith("Better: SCRUB")
    many = {f"other-{n}": (0.1 + 0.001 * n, 0.4, 0.5) for n in range(19)}
    wide = cell(gaps(**rows) | {row: {"avg_gap": v} for row, v in many.items()})
    assert judge_cell(against("scrub", *many), wide).verdict == OPEN


def test_second_best_needs_one_rival_fewer_and_more_certainty():
    rows = gaps(**AHEAD, unsir=(0.05, 0.16, 0.24))
    rivals = ("scrub", "ssd", "unsir")
    assert judge_cell(against(*rivals), cell(rows)).verdict == FAILS
    found = judge_cell(against(*rivals, rank=2), cell(rows))
    assert found.verdict == HOLDS
    # Three comparisons: the smallest p-value at 5 % / 3, the next at 5 % / 2, the last at 5 %.
    levels = sorted(each.advantage.level for each in found.comparisons)
    assert levels == pytest.approx([1 - ERROR, 1 - ERROR / 2, 1 - ERROR / 3])
    two_better = gaps(**AHEAD, unsir=(0.05, 0.155, 0.245), salun=(0.05, 0.155, 0.245))
    assert judge_cell(against(*rivals, "salun", rank=2), cell(two_better)).verdict == FAILS


def test_ties_share_the_first_place_but_are_not_smaller():
    tied = cell(gaps(lotus=(0.1, 0.2, 0.3), scrub=(0.1, 0.2, 0.3)))
    found = judge_cell(against("scrub"), tied)
    assert found.verdict == HOLDS
    assert "One and the same in every seed: SCRUB" in found.why
    smaller = rule_of(kind="smaller", row="lotus", than="scrub", metric="avg_gap")
    assert judge_cell(smaller, tied).verdict == FAILS


def test_equal_differences_decide_by_what_the_measure_resolves():
    """Three times the same difference is no certainty: so many images may hide as much."""
    rows = gaps(lotus=(0.1, 0.2, 0.3), scrub=(0.2, 0.3, 0.4))
    unknown = judge_cell(against("scrub"), cell(rows))
    assert unknown.verdict == OPEN
    assert "the same in each of 3 seeds, no interval" in unknown.why
    for count, verdict in [(1000, HOLDS), (4, OPEN)]:
        images = dict.fromkeys(("forget", "retain", "val", "test"), count)
        found = judge_cell(against("scrub"), replace(cell(rows), images=images))
        assert found.verdict == verdict
        advantage = found.comparisons[0].advantage
        assert advantage.low < advantage.mean < advantage.high


def test_rows_that_are_equal_in_one_measure_only_share_no_place():
    equal = {"avg_gap": (0.1, 0.2, 0.3)}
    rows = {"gold": {}, "lotus": {**equal, "jsd": (1, 2, 3)}, "scrub": {**equal, "jsd": (1, 2, 4)}}
    assert judge_cell(against("scrub"), cell(rows)).verdict == OPEN


def test_one_seed_tells_nothing():
    alone = cell(gaps(lotus=(0.1,), scrub=(0.9,)), seeds=(12,))
    found = judge_cell(against("scrub"), alone)
    assert found.verdict == OPEN
    assert "one seed" in found.why


def test_collapsed_rivals_are_beaten_and_a_collapsed_row_fails():
    rows = gaps(**AHEAD, unsir=(0.0, 0.0, 0.0))
    rows["unsir"]["collapsed"] = (12, 13, 3407)
    found = judge_cell(against("scrub", "unsir"), cell(rows))
    assert found.verdict == HOLDS
    assert "Counted as beaten: UNSIR collapsed in 3 of 3 seeds (12, 13 and 3407)." in found.why
    rows["lotus"]["collapsed"] = (13,)
    found = judge_cell(against("scrub", "unsir"), cell(rows))
    assert (found.verdict, found.why) == (FAILS, "LoTUS collapsed in 1 of 3 seeds (13).")


def test_a_rival_that_collapsed_in_some_seeds_is_judged_by_the_others():
    """It is beaten where it is worse there; better there, it is not, nor is the claim refuted."""
    rows = gaps(**{name: (*of, of[0]) for name, of in AHEAD.items()})
    worse = rows["scrub"]["avg_gap"]
    seeds = (3407, 13, 12, 1)
    rows["scrub"] = {"avg_gap": worse, "collapsed": (1,)}
    found = judge_cell(against("scrub"), cell(rows, seeds=seeds))
    assert (found.verdict, found.comparisons[0].advantage.n) == (HOLDS, 3)
    assert "SCRUB (collapsed in 1 of 4 seeds (1): left out): +" in found.why
    better = tuple(value - 0.05 - 0.001 * n for n, value in enumerate(rows["lotus"]["avg_gap"]))
    rows["scrub"] = {"avg_gap": better, "collapsed": (1,)}
    found = judge_cell(against("scrub"), cell(rows, seeds=seeds))
    assert found.verdict == OPEN
    (remedy,) = found.remedies
    assert remedy.kind == "models"
    assert "SCRUB is better in the seeds in which it has not collapsed" in remedy.words
    rows["scrub"] = {"avg_gap": better}
    assert judge_cell(against("scrub"), cell(rows, seeds=seeds)).verdict == FAILS


def test_a_rival_is_beaten_by_its_collapse_only_where_it_never_made_a_sound_model():
    """Here it is sound in the one seed in which the claim's row made none."""
    rows = gaps(**AHEAD)
    rows["lotus"]["failed"] = (13,)
    rows["scrub"]["collapsed"] = (12, 3407)
    found = judge_cell(against("scrub"), cell(rows))
    assert found.verdict == OPEN
    assert "SCRUB: collapsed in 2 of 3 seeds (12 and 3407): left out, and no seed has" in found.why
    assert [remedy.kind for remedy in found.remedies] == ["models"]
    alone = gaps(lotus=(0.1,), scrub=(0.2,))
    alone["scrub"]["collapsed"] = (12,)
    found = judge_cell(against("scrub"), cell(alone, seeds=(12,)))
    assert found.verdict == OPEN, "one seed tells nothing"


def test_rows_without_a_seed_in_common_cannot_be_compared():
    rows = gaps(**AHEAD)
    rows["lotus"]["failed"], rows["scrub"]["failed"] = (12, 13), (3407,)
    found = judge_cell(against("scrub"), cell(rows))
    assert found.verdict == OPEN
    assert found.why == "Not settled: SCRUB: no seed has a sound model of both."
    assert [remedy.words for remedy in found.remedies] == [
        "LoTUS from SCRUB: no seed has a sound model of both"
    ]


def test_a_failed_run_is_no_evidence():
    """It beats nobody and is beaten by nobody: the seeds that ran decide, and it is named."""
    rows = gaps(**AHEAD, unsir=(0.9, 0.9, 0.9))
    rows["unsir"]["failed"] = (12, 13, 3407)
    found = judge_cell(against("scrub", "unsir"), cell(rows))
    assert found.verdict == OPEN
    assert found.why.endswith("Failed in every seed: UNSIR.")
    assert found.failed == {"unsir": (12, 13, 3407)}
    assert found.remedies[-1].words == "failed in every seed: UNSIR"
    assert judge_cell(against("scrub"), cell(rows)).failed == {}
    rows["unsir"]["failed"] = (12,)
    found = judge_cell(against("scrub", "unsir"), cell(rows))
    assert [each.advantage.n for each in found.comparisons] == [3, 2]
    rows["lotus"]["failed"] = (13,)
    found = judge_cell(against("scrub"), cell(rows))
    assert found.verdict != FAILS
    assert [each.advantage.n for each in found.comparisons] == [2]
    rows["lotus"]["failed"] = (12, 13, 3407)
    for rule in (
        against("scrub"),
        rule_of(kind="smaller", metric="time", row="lotus", than="scrub"),
    ):
        found = judge_cell(rule, cell(rows))
        assert (found.verdict, found.why) == (OPEN, "Failed in every seed: LoTUS.")
        assert found.failed["lotus"] == (12, 13, 3407)


def test_without_a_sound_gold_model_gaps_cannot_be_told():
    rows = gaps(**AHEAD)
    rows["gold"]["collapsed"] = (12,)
    assert "gold model collapsed in 1 of 3" in judge_cell(against("scrub"), cell(rows)).why
    del rows["gold"]
    found = judge_cell(against("scrub"), cell(rows))
    assert (found.verdict, found.why) == (OPEN, "no gold model was retrained.")


def test_missing_rivals_leave_it_open_or_refuted_but_never_held():
    found = judge_cell(against("scrub", "unsir"), cell(gaps(**AHEAD)))
    assert found.verdict == OPEN
    assert "Not run: UNSIR" in found.why
    rows = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.15, 0.25, 0.35)}
    assert judge_cell(against("scrub", "unsir"), cell(gaps(**rows))).verdict == FAILS
    assert judge_cell(against("unsir"), cell(gaps(**AHEAD))) is None


@pytest.mark.parametrize(
    ("faster", "verdict"),
    [((4, 6, 9), HOLDS), ((0.3, 0.35, 0.4), FAILS), ((0.5, 1.5, 2.5), OPEN)],
)
def test_times_are_compared_as_ratios(faster, verdict):
    lotus = np.array([1.0, 2.0, 4.0])
    rule = rule_of(kind="smaller", row="lotus", than="gold", metric="time")
    rows = {"lotus": {"time": lotus}, "gold": {"time": lotus * faster}}
    found = judge_cell(rule, cell(rows))
    assert found.verdict == verdict
    advantage = found.comparisons[0].advantage
    assert advantage.mean == pytest.approx(np.prod(faster) ** (1 / 3))
    released = judge_cell(rule, cell(rows, "released"))
    assert dict(released.comparisons[0].values)[12] == 7  # the published code's minutes


@pytest.mark.parametrize(
    ("change", "verdict"),
    [((0.0, 0.002, 0.001), HOLDS), ((0.05, 0.052, 0.051), FAILS), ((0.0, 0.03, 0.01), OPEN)],
)
def test_within_a_margin(change, verdict):
    other = np.array([0.1, 0.2, 0.3])
    rule = rule_of(kind="within", row="lotus", than="scrub", metric="avg_gap", margin=0.02)
    assert judge_cell(rule, cell(gaps(lotus=other + change, scrub=other))).verdict == verdict


def test_within_a_factor_and_with_accuracies_turned_round():
    other = np.array([0.1, 0.2, 0.3])
    rule = rule_of(kind="within", row="lotus", than="scrub", metric="jsd", factor=1.25)
    for factors, verdict in [((1.1, 1.12, 1.11), HOLDS), ((1.5, 1.51, 1.52), FAILS)]:
        rows = {"gold": {}, "lotus": {"jsd": other * factors}, "scrub": {"jsd": other}}
        assert judge_cell(rule, cell(rows)).verdict == verdict
    keeps = rule_of(kind="within", row="lotus", than="gold", metric="accuracy_test", margin=0.05)
    for lost, verdict in [(0.02, HOLDS), (0.08, FAILS), (-0.5, HOLDS)]:
        rows = {"gold": {"accuracy_test": other}, "lotus": {"accuracy_test": other - lost}}
        images = {"test": 1000}
        assert judge_cell(keeps, replace(cell(rows), images=images)).verdict == verdict


@pytest.mark.parametrize(
    ("above", "lotus_does_not", "it_does"),
    [
        ((0.12, 0.11, 0.11), HOLDS, FAILS),
        ((0.5, 0.52, 0.51), FAILS, HOLDS),
        ((0.1, 0.4, 0.2), OPEN, OPEN),
    ],
)
def test_streisand(above, lotus_does_not, it_does):
    rows = {
        "gold": {"ks_forget_above_test": (0.08, 0.07, 0.06)},
        "lotus": {"ks_forget_above_test": above},
    }
    for stands_out, verdict in [(False, lotus_does_not), (True, it_does)]:
        rule = rule_of(kind="streisand", row="lotus", stands_out=stands_out, margin=0.1)
        assert judge_cell(rule, cell(rows)).verdict == verdict


def test_correlation_by_its_interval():
    rng = np.random.default_rng(0)
    names = [f"method-{n}" for n in range(12)]
    jsd = rng.uniform(0.1, 0.5, size=(12, 3))
    rule = rule_of(kind="correlation", at_least=0.8)
    for noise, verdict in [(0.01, HOLDS), (1.0, FAILS), (0.09, OPEN)]:
        rf = jsd + noise * rng.normal(size=jsd.shape)
        rows = {name: {"jsd": a, "rf_jsd": b} for name, a, b in zip(names, jsd, rf, strict=True)}
        found = judge_cell(rule, cell(rows))
        assert found.verdict == verdict, (noise, found.why)
        assert dict(found.numbers)["points"] == 36
    assert judge_cell(rule, cell(gaps(**AHEAD))) is None


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        (0.05, ""),
        (
            0.1,
            "By JSD 1 of 5 rows is no farther from gold than another gold (0.1; the nearest: SCRUB, 0.1)",
        ),
        (
            0.25,
            "By JSD 2 of 5 rows are no farther from gold than another gold (0.25; the nearest: SCRUB, 0.1)",
        ),
        (
            0.9,
            "By JSD no row is farther from gold than another gold (0.9; the nearest: SCRUB, 0.1)",
        ),
    ],
)
def test_a_correlation_says_where_jsd_ranks_nothing(floor, said):
    values = {"scrub": 0.1, "ssd": 0.2, "unsir": 0.3, "salun": 0.4, "lotus": 0.5}
    rows = {row: {"jsd": 3 * [jsd], "rf_jsd": 3 * [2 * jsd]} for row, jsd in values.items()}
    again = {"gold": {}, "gold-again": {"jsd": 3 * [floor], "rf_jsd": 3 * [0.9]}}
    rule = rule_of(kind="correlation", at_least=0.8)
    found = judge_cell(rule, cell({**again, **rows}))
    assert found.verdict == HOLDS
    assert dict(found.numbers)["floor"] == pytest.approx(floor)
    remark = f"{said}: below that JSD ranks nothing that RF-JSD could tell."
    assert ("By JSD" not in found.why) if not said else found.why.endswith(remark)
    assert "floor" not in dict(judge_cell(rule, cell(rows)).numbers)


def test_a_finding_names_the_measures_that_it_rests_on():
    rows = {row: {**of, "jsd": of.get("avg_gap")} for row, of in gaps(**AHEAD).items() if of}
    rows = {"gold": {}, **{row: {**of, "rf_jsd": of["jsd"]} for row, of in rows.items()}}
    for rule, measures in [
        (against("scrub", "ssd"), ["avg_gap"]),
        (rule_of(kind="smaller", row="lotus", than="gold", metric="time"), []),
        (rule_of(kind="correlation", at_least=0.8), ["jsd", "rf_jsd"]),
    ]:
        assert judge_cell(rule, cell(rows)).measures == measures
    rows["lotus"]["collapsed"] = (12,)
    assert judge_cell(against("scrub"), cell(rows)).measures == []


def test_correlations_of_several_benchmarks_share_the_error_step_by_step():
    rng = np.random.default_rng(0)
    jsd, noise_of = rng.uniform(0.1, 0.5, size=(12, 3)), rng.normal(size=(12, 3))
    rule = rule_of(kind="correlation", at_least=0.8)

    def levels(*noises):
        cells = [
            cell(
                {f"m{n}": {"jsd": jsd[n], "rf_jsd": (jsd + size * noise_of)[n]} for n in range(12)},
                where=(str(place), "resnet18", "instance-10"),
            )
            for place, size in enumerate(noises)
        ]
        found = judge_cells(rule, cells)
        return [(re.search(r"([\d.]+) % interval", it.why)[1], it.verdict) for it in found]

    assert levels(0.09) == [("95", OPEN)]
    # What is clear is decided at half of the error, and the other then has all of it.
    assert levels(0.09, 0.01) == [("95", OPEN), ("97.5", HOLDS)]
    assert levels(0.09, 0.09) == [("97.5", OPEN)] * 2


def test_alike_by_every_distance():
    near, far, crossing = (5, 5, 0, 0), (0, 2, 4, 4), (0, 10, 0, 0)
    audited = [Distances("a", near), Distances("b", far), Distances("c", crossing)]
    of = {each.dataset: each for each in audited}
    verdict = {
        (a, b): judge_alike(rule_of(kind="alike", dataset=a, than=[b]), [of[a], of[b]])[0].verdict
        for a, b in [("a", "b"), ("b", "a"), ("a", "c")]
    }
    assert verdict == {("a", "b"): HOLDS, ("b", "a"): FAILS, ("a", "c"): HOLDS}
    mixed = Distances("d", (6, 0, 0, 4))
    rule = rule_of(kind="alike", dataset="a", than=["d"])
    assert judge_alike(rule, [of["a"], mixed])[0].verdict == OPEN
    assert judge_alike(rule, [mixed]) == []


def noise(rng, rivals, seeds=6, shift=0.0):
    """LoTUS and rivals that differ by chance alone, but for LoTUS's shift."""
    rows = {f"rival-{n}": rng.normal(size=seeds) for n in range(rivals)}
    return cell(gaps(lotus=rng.normal(size=seeds) + shift, **rows), seeds=range(seeds))


def test_of_many_rivals_that_differ_by_chance_few_are_called_better_or_worse():
    """Over 40 comparisons at 5 % each, chance would settle some in nearly every experiment."""
    rng = np.random.default_rng(4)
    rule = against(*(f"rival-{n}" for n in range(20)))
    wrong = 0
    for _ in range(40):
        found = judge_cells(rule, [noise(rng, 20), noise(rng, 20)])
        wrong += any(each.is_told for it in found for each in it.comparisons)
    assert wrong <= 6


def test_every_printed_level_is_that_at_which_it_is_decided():
    rng = np.random.default_rng(6)
    rule = against(*(f"rival-{n}" for n in range(4)))
    found = judge_cells(rule, [noise(rng, 4, shift=shift) for shift in (-3.0, -1.5, 0.0)])
    held = sorted((each for it in found for each in it.comparisons), key=lambda it: it.p_value)
    stopped = False
    for step, each in enumerate(held):
        rejected = each.p_value <= ERROR / (len(held) - step) and not stopped
        stopped = not rejected
        assert each.is_told == rejected
        level = 1 - each.advantage.level
        assert (each.p_value <= level) == rejected
        a, b = (np.array([v for _, v in of]) for of in (each.other_values, each.values))
        expected = stats.ttest_rel(a, b).confidence_interval(each.advantage.level)
        assert each.advantage.low == pytest.approx(expected.low)
        assert each.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert 0 < sum(each.is_told for each in held) < len(held)
