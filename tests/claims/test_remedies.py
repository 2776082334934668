"""What would settle a verdict that cannot be told."""

from dataclasses import replace

import numpy as np
import pytest
from judged_cells import AHEAD, UNTOLD, against, cell, claim_of, gaps, rule_of

from lotus.claims.comparisons import compare, corrected
from lotus.claims.judging import FAILS, HOLDS, OPEN, judge_cells
from lotus.claims.overall import judge
from lotus.claims.remedies import MOST, of_comparison
from lotus.claims.verdicts import as_json, as_table

PLACE = ("x", "resnet18", "instance-10")


def pair(differences, floor=None, base=0.2):
    """LoTUS and SCRUB, which is so much worse, seed by seed."""
    seeds = range(len(differences))
    lotus = base + 0.01 * np.arange(len(differences))
    rows = gaps(lotus=lotus, scrub=lotus + np.array(differences))
    return compare(cell(rows, seeds=seeds), "lotus", "scrub", "avg_gap", floor=floor)


def test_seeds_are_estimated_from_the_spread():
    found = of_comparison(pair([0.03, -0.01, 0.02, 0.01]))
    assert found.kind == "seeds"
    assert 4 < found.seeds < 30
    assert f"about {found.seeds} seeds (now 4)" in found.words
    stricter = replace(pair([0.03, -0.01, 0.02, 0.01]))
    (((harder),),) = corrected([[stricter]])
    assert of_comparison(harder) == found
    narrow = replace(harder, advantage=harder.advantage.at(0.995))
    assert of_comparison(narrow).seeds > found.seeds


def test_so_small_a_difference_asks_for_another_measure():
    found = of_comparison(pair([0.03, -0.03, 0.02, -0.0199]))
    assert (found.kind, found.seeds) == ("measure", None)
    assert f"more than {MOST} seeds" in found.words


def test_one_seed_asks_for_another():
    found = of_comparison(pair([0.03]))
    assert found.kind == "seeds"
    assert found.words.endswith("of the spread of the difference between LoTUS and SCRUB")


def test_rows_inside_the_floor_have_no_rank_however_many_seeds_tell_them_apart():
    apart = [0.05, 0.051, 0.052, 0.05]
    outside, inside = pair(apart), pair(apart, floor=0.5)
    assert outside.is_ahead
    assert not outside.is_inside
    assert inside.is_inside
    assert not inside.is_told
    assert not inside.is_tie
    assert inside.p_value is None
    assert of_comparison(inside).kind == "measure"
    assert "both as close to gold as another gold" in inside.words()
    half = pair(apart, floor=0.22)
    assert half.is_ahead, "one of the two lies outside"


def test_what_is_inside_the_floor_is_said_beside_the_verdict():
    rivals = against("scrub", "ssd")
    assert judge_cells(rivals, [cell(gaps(**AHEAD))])[0].verdict == HOLDS
    (found,) = judge_cells(rivals, [cell(gaps(**AHEAD, gold_again=(0.25, 0.26, 0.27)))])
    # LoTUS .2 and SCRUB .253 are inside, SSD .403 is not.
    assert found.verdict == OPEN
    assert "SCRUB: +0.0533" in found.why
    assert "Another gold is as far from gold as 0.26, and the nearest row, LoTUS, 0.2" in found.why
    assert dict(found.numbers)["floor"] == pytest.approx(0.26)
    assert [each.kind for each in found.remedies] == ["measure"]
    (found,) = judge_cells(rivals, [cell(gaps(**AHEAD, gold_again=(0.1, 0.1, 0.11)))])
    assert (found.verdict, "Another gold" in found.why) == (HOLDS, False)


def test_the_rank_decides_which_rivals_are_to_be_told():
    """Where a rival seems better, fewer seeds refute the claim than would settle all rivals."""
    rows = {
        "lotus": (0.20, 0.30, 0.40),
        "scrub": (0.10, 0.25, 0.33),
        "ssd": (0.20, 0.32, 0.40),
        "unsir": (0.9, 0.95, 1.0),
    }
    (found,) = judge_cells(against("scrub", "ssd", "unsir"), [cell(gaps(**rows))])
    assert found.verdict == OPEN
    (first,) = found.remedies
    assert "SCRUB" in first.words
    (second,) = judge_cells(against("scrub", "ssd", "unsir", rank=2), [cell(gaps(**rows))])
    assert second.verdict != FAILS


@pytest.mark.parametrize("where", ["every", "some"])
def test_open_rulings_say_what_would_tell_in_the_files(published, where):
    rule = {"kind": "best", "metric": "avg_gap", "among": ["scrub"]}
    claim = claim_of(rule, where=where)
    judged = judge([claim], [cell(gaps(**UNTOLD), where=PLACE)], published)
    rulings = as_json(judged)["claims"][0]["rulings"]
    of = {(each["scope"], each["protocol"]): each for each in rulings}
    (told,) = of["other", "corrected"]["would_tell"]
    assert told["kind"] in ("seeds", "measure")
    assert told["words"] in of["other", "corrected"]["why"]
    assert of["paper", "corrected"]["would_tell"] == []
    table = as_table(judged).set_index(["scope", "protocol"])
    assert table.loc[("other", "corrected"), "would_tell"] == told["kind"]


def test_benchmarks_of_the_paper_that_did_not_run_are_other_data(published):
    rule = {"kind": "best", "metric": "avg_gap", "among": ["scrub"]}
    places = ["cifar10/resnet18/instance-10", "cifar100/resnet18/instance-10"]
    where = tuple(places[0].split("/"))
    of = cell(gaps(**AHEAD), where=where, published=where)
    (judged,) = judge([claim_of(rule, places=places)], [of], published)
    (ruling,) = [each for each in judged.rulings if each.findings]
    assert [each.kind for each in ruling.would_tell] == ["data"]
    assert ruling.command in ruling.would_tell[0].words


def test_absent_rows_are_models_to_be_made():
    (found,) = judge_cells(against("scrub", "unsir"), [cell(gaps(**AHEAD))])
    assert found.verdict == OPEN
    assert found.remedies[-1].kind == "models"
    assert "UNSIR" in found.remedies[-1].words
    smaller = rule_of(kind="smaller", row="lotus", than=["scrub", "gold"], metric="avg_gap")
    rows = gaps(**AHEAD)
    del rows["gold"]
    (found,) = judge_cells(smaller, [cell(rows)])
    assert [each.kind for each in found.remedies] == ["models"]
