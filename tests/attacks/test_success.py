"""Intervals of attacks: by hand where there is a formula, and by how often they hold the truth."""

import numpy as np
import pytest
from scipy.stats import beta, norm

from lotus.attacks.base.success import Scored, auc_of, resolution, tpr_of


def normal_scores(rng, shift, seeds, members=100, others=1000, shared=0.5):
    """Scores of which a part belongs to the image, whichever model scores it."""
    of_members, of_others = rng.normal(size=members), rng.normal(size=2 * others)
    own, common = np.sqrt(1 - shared), np.sqrt(shared)
    found = []
    for _ in range(seeds):
        chosen = rng.choice(2 * others, others, replace=False)
        member = shift + common * of_members + own * rng.normal(size=members)
        other = common * of_others[chosen] + own * rng.normal(size=others)
        found.append(Scored(member, other, np.arange(members), members + chosen))
    return found


@pytest.mark.parametrize(("shift", "others"), [(0, 1000), (1, 1000), (3, 1000), (1, 100)])
def test_intervals_hold_the_truth_as_often_as_they_say(shift, others):
    rng = np.random.default_rng(shift)
    area, rate = norm.cdf(shift / np.sqrt(2)), norm.sf(norm.ppf(0.99) - shift)
    weights, held, repeats = [1 / 3] * 3, np.zeros(2), 200
    for _ in range(repeats):
        scored = normal_scores(rng, shift, 3, others=others)
        for place, (of, truth) in enumerate(((auc_of, area), (tpr_of, rate))):
            found = of(scored, weights)
            assert found.low <= found.value <= found.high
            held[place] += found.low <= truth <= found.high
    # 95 % of 200 less three deviations; of thresholds the interval is cautious.
    assert held[0] / repeats > 0.90
    assert held[1] / repeats > 0.93


def test_an_image_that_three_models_score_alike_counts_once():
    rng = np.random.default_rng(0)
    (one,) = normal_scores(rng, 1, 1, others=300)
    alone, thrice = auc_of([one], [1.0]), auc_of([one] * 3, [1 / 3] * 3)
    assert (alone.low, alone.high) == pytest.approx((thrice.low, thrice.high))
    alone, thrice = tpr_of([one], [1.0]), tpr_of([one] * 3, [1 / 3] * 3)
    assert (alone.low, alone.high) == pytest.approx((thrice.low, thrice.high))


def test_equal_scores_on_both_sides_give_no_interval_of_width_zero():
    same = np.random.default_rng(0).normal(size=50)
    found = auc_of([Scored(same, same, np.arange(50), np.arange(50))], [1.0])
    assert found.value == 0.5
    assert found.low < 0.45
    assert found.high > 0.55


def test_the_interval_of_delong_by_hand():
    rng = np.random.default_rng(3)
    (one,) = normal_scores(rng, 1, 1, members=40, others=60)
    wins = (one.member[:, None] > one.other).astype(float)
    variance = wins.mean(axis=1).var(ddof=1) / 40 + wins.mean(axis=0).var(ddof=1) / 60
    found = auc_of([one], [1.0])
    value = wins.mean()
    from scipy.stats import t

    half = t.ppf(0.975, 39) * np.sqrt(variance) / (value * (1 - value))
    assert found.low == pytest.approx(1 / (1 + np.exp(half - np.log(value / (1 - value)))))


def test_perfect_scores_are_not_certain():
    ones = Scored(np.ones(30), np.zeros(200), np.arange(30), np.arange(30, 230))
    found = auc_of([ones], [1.0])
    assert found.value == found.high == 1
    assert 0.8 < found.low < 0.99


@pytest.mark.parametrize("seeds", range(1, 31))
def test_a_rate_of_many_seeds_is_no_more_than_one(seeds):
    images = np.arange(20)
    scored = [Scored(np.ones(20), np.zeros(20), images, 20 + images)] * seeds
    for of in (auc_of, tpr_of):
        assert of(scored, [1 / seeds] * seeds).value == 1.0


def test_no_member_found_leaves_the_exact_interval():
    none = Scored(np.zeros(60), np.ones(1000), np.arange(60), np.arange(60, 1060))
    found = tpr_of([none], [1.0])
    assert (found.value, found.low) == (0, 0)
    assert found.high >= beta.ppf(0.975, 1, 60)


def test_the_finest_rate_is_one_of_the_fewest_others():
    rng = np.random.default_rng(0)
    scored = [*normal_scores(rng, 0, 1, others=80), *normal_scores(rng, 0, 1, others=300)]
    assert resolution(scored) == 1 / 80
