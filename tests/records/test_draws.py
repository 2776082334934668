"""Which runs are drawn, and with which chance forged ones are missed."""

import hashlib
import random
from itertools import combinations
from math import isclose

import pytest

from lotus.records.draws import SHARES, chance_to_miss, chances, draw

RUNS = [f"results/run{number}" for number in range(30)]


def test_a_draw_is_that_of_its_seed_in_whatever_order_runs_are_listed():
    drawn = draw(RUNS, 5, 7)
    assert drawn == draw(random.Random(0).sample(RUNS, len(RUNS)), 5, 7)
    assert drawn != draw(RUNS, 5, 8)
    assert len({*drawn}) == 5
    assert {*drawn} <= {*RUNS}


def test_anybody_can_draw_again_by_the_rule_that_is_stated():
    ranks = {run: hashlib.sha256(f"7/{run}".encode()).hexdigest() for run in RUNS}
    assert draw(RUNS, 5, 7) == sorted(RUNS, key=ranks.get)[:5]


def test_more_than_there_are_is_all():
    assert sorted(draw(RUNS, 99, 1)) == sorted(RUNS)


def test_every_run_is_drawn_about_as_often():
    counts = dict.fromkeys(RUNS, 0)
    for seed in range(600):
        for run in draw(RUNS, 5, seed):
            counts[run] += 1
    # 100 on average, with a deviation of 9.
    assert min(counts.values()) > 60
    assert max(counts.values()) < 140


@pytest.mark.parametrize(("drawn", "forged"), [(0, 3), (2, 1), (3, 2), (4, 3), (5, 4)])
def test_the_chance_is_the_share_of_draws_without_a_forged_run(drawn, forged):
    draws = list(combinations(range(7), drawn))
    missing = [it for it in draws if not {*it} & {*range(forged)}]
    assert isclose(chance_to_miss(7, drawn, forged), len(missing) / len(draws))


def test_without_replacement_is_never_worse_than_with():
    assert len(chances(30, 5)) == len(SHARES)
    for of in chances(30, 5):
        assert of["missed"] <= of["with_replacement"]
        assert of["forged"] >= of["share"] * 30
    assert chances(30, 5)[2] == {
        "share": 0.1,
        "forged": 3,
        "missed": round(27 * 26 * 25 * 24 * 23 / (30 * 29 * 28 * 27 * 26), 6),
        "with_replacement": round(0.9**5, 6),
    }


def test_a_draw_of_all_misses_none():
    assert all(of["missed"] == 0 for of in chances(30, 30))
