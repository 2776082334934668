"""U-LiRA and KLoM on shadow models with planted memory, and by formulas written out."""

import numpy as np
import pytest
from scipy.stats import norm

from lotus.attacks import u_lira
from lotus.attacks.base.answers import confidence
from lotus.attacks.base.klom import FEWEST, klom, klom_of_set
from lotus.attacks.base.shadows import attack_each, success

SHADOWS, IMAGES = 16, 40
LABELS = np.arange(IMAGES) % 3


def shadows_of(memory, seed=0):
    """Logits of shadows that are surer of what they had; pairs have complementary halves."""
    rng = np.random.default_rng(seed)
    halves = rng.random((SHADOWS // 2, IMAGES)) < 0.5
    had = np.stack([half for pair in halves for half in (pair, ~pair)])
    logits = rng.normal(0, 0.1, (SHADOWS, IMAGES, 3))
    margin = rng.normal(0, 2, IMAGES) + rng.normal(0, 1, (SHADOWS, IMAGES)) + memory * had
    logits[:, np.arange(IMAGES), LABELS] += margin
    return logits, had


def attacked(logits, had):
    return attack_each(u_lira.SPEC.score, logits, LABELS, had, np.arange(IMAGES))


def test_each_model_is_scored_by_the_others_alone():
    logits, had = shadows_of(1.0)
    scores = attacked(logits, had).scores
    margins = np.stack([confidence(of, LABELS) for of in logits])
    others = np.arange(SHADOWS) != 5
    densities = []
    for kind in (had, ~had):
        values = [margins[others & kind[:, i], i] for i in range(IMAGES)]
        squares = sum(np.square(v - v.mean()).sum() for v in values)
        shared = np.sqrt(squares / sum(len(v) - 1 for v in values))
        spread = [shared * np.sqrt(1 + 1 / len(v)) for v in values]
        densities.append(norm.logpdf(margins[5], [v.mean() for v in values], spread))
    assert scores[5] == pytest.approx(densities[0] - densities[1])


@pytest.mark.parametrize(("memory", "least", "most"), [(0.0, 0.42, 0.58), (3.0, 0.95, 1.0)])
def test_memory_is_told_and_its_absence_too(memory, least, most):
    logits, had = shadows_of(memory)
    scores = attacked(logits, had).scores
    area, rate = success(scores, had, np.arange(SHADOWS) // 2)
    assert least <= area.value <= most
    assert area.low < area.value < area.high
    assert (area.low <= 0.5 <= area.high) == (memory == 0)
    assert rate.low <= rate.value <= rate.high
    pairs = (scores[had][:, None] > scores[~had]).mean()
    assert area.value == pytest.approx(pairs)


def test_the_rate_is_that_at_which_one_in_a_hundred_raises_alarm():
    rng = np.random.default_rng(0)
    scores, had = rng.normal(size=(20, 50)), np.arange(20)[:, None] % 2 == np.arange(50) % 2
    scores[had] += 1
    rate = success(scores, had, np.arange(20) // 2)[1].value
    threshold = np.sort(scores[~had])[::-1][int(0.01 * (~had).sum())]
    assert rate == (scores[had] > threshold).mean()


def test_equal_scores_are_not_certain():
    had = np.arange(SHADOWS)[:, None] % 2 == np.arange(IMAGES) % 2
    area, rate = success(np.where(had, 1.0, 0.0), had, np.arange(SHADOWS) // 2)
    assert (area.value, rate.value) == (1, 1)
    assert area.low < 1


def test_intervals_hold_the_truth_for_other_images_and_other_models():
    held, repeats = 0, 60
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        had = np.arange(SHADOWS)[:, None] % 2 == rng.permutation(IMAGES) % 2
        of_images, of_models = rng.normal(0, 0.5, IMAGES), rng.normal(0, 0.5, (SHADOWS, 1))
        scores = (
            0.5 * had
            + of_images * np.where(had, 1, -1) / 2
            + of_models
            + rng.normal(size=had.shape)
        )
        area = success(scores, had, np.arange(SHADOWS) // 2)[0]
        # Differences of two scores: their means differ by ½, the parts of images and models add up.
        truth = norm.cdf(0.5 / np.sqrt(2 * (1 + 0.25) + 0.125))
        held += area.low <= truth <= area.high
    assert held / repeats > 0.9


def test_klom_is_the_divergence_of_histograms_and_its_floor_that_of_no_difference():
    rng = np.random.default_rng(0)
    kinds = np.arange(60)[:, None] < np.full(30, 30)
    alike = klom(rng.normal(size=(60, 30)), kinds, ~kinds)
    assert alike.high == pytest.approx(alike.floor, rel=0.5)
    margins = rng.normal(size=(60, 30))
    margins[:30] += 4
    apart = klom(margins, kinds, ~kinds)
    assert apart.median > 2 * apart.floor
    assert (apart.images, apart.models) == (30, 30)
    # Two bins that both kinds fill in other shares.
    two = np.concatenate([np.repeat([0.0, 1.0], [5, 15]), np.repeat([0.0, 1.0], 10)])[:, None]
    of_two = np.arange(40)[:, None] < 20
    expected = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    assert klom(two, of_two, ~of_two).median == pytest.approx(expected)


def test_klom_needs_ten_models_of_each_kind():
    kinds = np.arange(2 * FEWEST - 1)[:, None] < FEWEST
    assert klom(np.zeros((2 * FEWEST - 1, 1)), kinds, ~kinds) is None


def test_klom_of_a_set_is_klom_and_its_p_value_the_share_of_deals_that_are_as_high():
    rng = np.random.default_rng(1)
    margins = rng.normal(size=(49, 30))
    of_set = np.broadcast_to(np.arange(49)[:, None] < 10, margins.shape)
    value, p = klom_of_set(margins[:10], margins[10:], 199)
    assert value == pytest.approx(klom(margins, of_set, ~of_set).high)
    assert 0.05 < p <= 1
    far, least = klom_of_set(margins[:10] + 4, margins[10:], 199)
    assert (far > value, least) == (True, 1 / 200)
    # Images of which all models say the same tell nothing.
    assert klom_of_set(np.zeros((10, 3)), np.zeros((39, 3)), 19) == (0, 1)


def test_of_sets_of_golds_few_are_called_no_golds():
    rng = np.random.default_rng(2)
    found = [klom_of_set(*np.split(rng.normal(size=(30, 12)), [10]), 19)[1] for _ in range(600)]
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=0.04)


def test_an_image_is_attacked_if_others_are_on_both_sides_whoever_is_left_out():
    had = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 0, 1], [1, 0, 1, 0]], dtype=bool)
    logits = np.random.default_rng(0).normal(size=(4, 4, 3))
    images = np.array([3, 5, 8, 13])
    found = attack_each(u_lira.SPEC.score, logits, LABELS[:4], had, images)
    assert found.images.tolist() == [5, 13]
    assert found.had.tolist() == had[:, [1, 3]].tolist()
    none = attack_each(u_lira.SPEC.score, logits, LABELS[:4], np.ones((4, 4), bool), images)
    assert (none.images.tolist(), none.scores.shape) == ([], (4, 0))
    assert np.isnan(none.aucs()).all()


def test_the_auc_of_a_model_is_that_of_what_it_had_against_what_it_had_not():
    logits, had = shadows_of(1.0)
    # Others had each of these images, or had not, often enough; this model had them all.
    had[0] = True
    found = attacked(logits, had)
    assert np.isnan(found.aucs()[0])
    for own, of_model, area in zip(found.scores[1:], found.had[1:], found.aucs()[1:], strict=True):
        assert area == pytest.approx((own[of_model][:, None] > own[~of_model]).mean())
