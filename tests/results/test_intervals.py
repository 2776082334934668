"""What seeds tell: paired intervals in closed form, and how far a forget set stands out."""

import numpy as np
import pytest
from scipy import stats

from lotus.metrics.streisand import FLOOR, Standing, standing
from lotus.results.intervals import paired, paired_ratio


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


def test_one_pair_has_no_bound_and_equal_differences_no_width():
    one = paired(np.array([0.3]), np.array([0.1]))
    assert (one.low, one.high, one.is_exact) == (-np.inf, np.inf, False)
    # 0.3 − 0.2 and 0.2 − 0.1 are not the same in binary.
    same = paired(np.array([0.3, 0.2]), np.array([0.2, 0.1]))
    assert same.is_exact
    assert same.low == pytest.approx(0.1)
    assert np.isnan(paired(np.array([]), np.array([])).mean)


def test_ratio_is_geometric():
    found = paired_ratio(np.array([2.0, 8.0]), np.array([1.0, 1.0]))
    assert found.mean == pytest.approx(4)
    assert found.low * found.high == pytest.approx(16)
    assert paired_ratio(np.array([2.0]), np.array([1.0])).high == np.inf


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


def test_entropies_that_logits_cannot_tell_apart_are_equal():
    assert standing(np.array([0.0, FLOOR / 3]), np.array([FLOOR / 2])).distance == 0
