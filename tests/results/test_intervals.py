"""What seeds tell: paired intervals in closed form, and how far a forget set stands out."""

import numpy as np
import pytest
from scipy import stats

from lotus.metrics.streisand import Standing, standing
from lotus.results.intervals import of_the_same, paired, paired_ratio
from lotus.results.resolution import resolution


def test_interval_of_three_pairs_in_closed_form():
    # Differences 1, 2, 3: mean 2, deviation 1; the 97.5 % quantile of t with 2 degrees is 4.302653.
    found = paired(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    assert found.mean == 2
    assert found.high - found.mean == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    assert (found.n, found.level, found.is_exact) == (3, 0.95, False)


def test_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 6))
    for level in (0.9, 0.95, 0.995):
        expected = stats.ttest_rel(a, b).confidence_interval(level)
        found = paired(a, b, level)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_pairs_tell_what_means_do_not():
    """Seeds differ by far more than methods do: only the pairs show it."""
    better = np.array([0.1, 0.5, 0.9])
    worse = better + np.array([0.010, 0.012, 0.011])
    assert paired(worse, better).low > 0
    unpaired = stats.ttest_ind(worse, better).confidence_interval()
    assert unpaired.low < 0 < unpaired.high


def test_one_pair_and_equal_differences_of_unknown_resolution_have_no_bound():
    one = paired(np.array([0.3]), np.array([0.1]))
    assert (one.low, one.high, one.is_exact) == (-np.inf, np.inf, False)
    # 0.3 − 0.2 and 0.2 − 0.1 are not the same in binary.
    same = paired(np.array([0.3, 0.2]), np.array([0.2, 0.1]))
    assert same.mean == pytest.approx(0.1)
    assert (same.low, same.high, same.is_exact) == (-np.inf, np.inf, False)
    assert np.isnan(paired(np.array([]), np.array([])).mean)


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("images", [20, 100, 5000])
def test_equal_differences_are_as_uncertain_as_the_steps_in_which_they_are_read(n, images):
    """The interval covers the true difference of shares that both were rounded to whole images."""
    rng = np.random.default_rng(images + n)
    covered = 0
    for _ in range(400):
        difference = rng.uniform(-0.5, 0.5)
        true = rng.uniform(0, 1, size=n)
        first, second = (np.round(x * images) / images for x in (true + difference, true))
        found = paired(first, second, 0.95, 1 / images)
        assert found.high > found.low
        covered += found.low <= difference <= found.high
    assert covered >= 0.95 * 400
    constant = paired(np.full(n, 0.5), np.full(n, 0.25), 0.95, 1 / images)
    half = stats.t.ppf(0.975, n - 1) / np.sqrt(6 * n) / images
    assert constant.high - constant.mean == pytest.approx(half)


def test_a_known_resolution_widens_no_interval_that_is_wider():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 6))
    assert paired(a, b, 0.95, 0.01) == paired(a, b, 0.95)


def test_only_what_is_one_and_the_same_has_no_width():
    found = of_the_same(1.0, 3)
    assert found.is_exact
    assert (found.low, found.high) == (1, 1)
    assert not of_the_same(1.0, 1).is_exact


def test_measures_resolve_what_one_image_changes():
    images = {"forget": 100, "retain": 900, "val": 500, "test": 1000}
    assert resolution("accuracy_forget", images) == 0.01
    assert resolution("accuracy_test", images) == 0.001
    assert resolution("accuracy_test", images, is_rounded=True) == 0.01
    terms = np.array([1 / 100, 1 / 100, 1 / 900, 1 / 1000])
    assert resolution("avg_gap", images) == pytest.approx(np.sqrt((terms**2).sum()) / 4)
    assert resolution("jsd", images) == 0
    assert resolution("jsd", images, is_rounded=True) == 1e-6
    assert resolution("accuracy_forget", {}) == 0


def test_ratio_is_geometric():
    found = paired_ratio(np.array([2.0, 8.0]), np.array([1.0, 1.0]))
    assert found.mean == pytest.approx(4)
    assert found.low * found.high == pytest.approx(16)
    assert paired_ratio(np.array([2.0]), np.array([1.0])).high == np.inf


def test_an_interval_at_another_level_is_that_of_the_same_pairs():
    rng = np.random.default_rng(8)
    a, b = rng.uniform(1, 2, size=(2, 7))
    for of in (paired, paired_ratio):
        found, expected = of(a, b).at(0.99), of(a, b, 0.99)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
        assert found.level == 0.99
    assert paired(a, b).p_value(0) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert paired(a, b).p_value(0.1) == pytest.approx(stats.ttest_rel(a, b + 0.1).pvalue)
    logs = stats.ttest_rel(np.log(a), np.log(b)).pvalue
    assert paired_ratio(a, b).p_value(1) == pytest.approx(logs)
    assert paired(a[:1], b[:1]).p_value(0) == 1


def test_needed_pairs_reach_the_power_that_was_asked_for():
    rng = np.random.default_rng(9)
    differences = np.array([0.5, 1.5, 1.0, 2.0, -0.5])
    found = paired(differences, np.zeros(5))
    n = found.needed(0.0, 0.01, 0.8, 500)
    effect, spread = differences.mean(), differences.std(ddof=1)
    drawn = rng.normal(effect, spread, size=(4000, n))
    told = (stats.ttest_1samp(drawn, 0, axis=1).pvalue <= 0.01).mean()
    fewer = (stats.ttest_1samp(drawn[:, 1:], 0, axis=1).pvalue <= 0.01).mean()
    assert told >= 0.78
    assert fewer <= 0.82
    assert found.needed(effect, 0.01, 0.8, 500) is None
    assert paired(differences[:1], np.zeros(1)).needed(0, 0.05, 0.8, 500) is None


def test_standing_is_the_kolmogorov_smirnov_distance():
    rng = np.random.default_rng(0)
    forget, test = rng.gamma(2, size=40), rng.gamma(1, size=70)
    found = standing(forget, test)
    assert found.distance == pytest.approx(stats.ks_2samp(forget, test).statistic)
    # "less": the distribution function of the first lies below that of the second.
    above = stats.ks_2samp(forget, test, alternative="less").statistic
    assert found.above == pytest.approx(above)


def test_standing_tells_uncertain_from_remembered_images():
    low, high = np.linspace(0.1, 0.2, 9), np.linspace(0.3, 0.4, 7)
    assert standing(high, low) == Standing(1.0, 1.0)
    assert standing(low, high) == Standing(1.0, 0.0)
    assert standing(low, low).distance == 0


def test_entropies_are_told_apart_however_small_they_are():
    """A floor of 1e-12 gave ten of the default experiment's 168 models another distance."""
    surer, sure = np.array([1e-60, 1e-40, 1e-30]), np.array([1e-25, 1e-20, 1e-14])
    assert standing(surer, sure) == Standing(1.0, 0.0)
    assert standing(sure, surer) == Standing(1.0, 1.0)
    assert standing(np.zeros(3), np.zeros(2)).distance == 0
