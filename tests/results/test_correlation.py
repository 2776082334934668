"""Correlation over all models."""

import numpy as np
import pytest

from lotus.results.correlation import correlate


def test_correlation_of_a_line_and_of_a_monotone_curve():
    x = np.array([0.3, 0.1, 0.7, 1.5, 0.2])
    line = correlate(x, 2 * x - 1)
    assert [line.pearson, line.low, line.high, line.spearman] == pytest.approx([1, 1, 1, 1])
    assert line.points == 5
    curve = correlate(x, -np.exp(5 * x))
    assert curve.spearman == pytest.approx(-1)
    assert -1 < curve.pearson < -0.5
    assert curve.low <= curve.pearson <= curve.high


def test_correlation_is_numpys():
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    assert correlate(x, y).pearson == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert correlate(x, y) == correlate(x, y)


def test_the_bootstrap_is_that_of_whole_groups():
    """Each method's models lie close together: five seeds of eight methods are eight points, not forty."""
    rng = np.random.default_rng(1)
    methods, seeds = 8, 5
    centres = rng.normal(size=(2, methods))
    x, y = (np.repeat(of, seeds) + 1e-6 * rng.normal(size=methods * seeds) for of in centres)
    of = np.repeat([f"m{n}" for n in range(methods)], seeds)
    whole = correlate(x, y, of)
    alone, runs = correlate(*centres), correlate(x, y)
    assert (whole.points, whole.groups, runs.groups) == (40, 8, 40)
    assert [whole.low, whole.high] == pytest.approx([alone.low, alone.high], abs=1e-4)
    assert whole.high - whole.low > 1.5 * (runs.high - runs.low)


def test_the_interval_covers_as_often_as_it_says_and_that_of_single_models_does_not():
    rng = np.random.default_rng(7)
    rows, seeds, true, covered = 10, 4, 0.6, {"rows": 0, "models": 0}
    of = np.repeat(np.arange(rows), seeds)
    for _ in range(100):
        a, b = rng.normal(size=(2, rows))
        centres = a, true * a + np.sqrt(1 - true**2) * b
        x, y = (np.repeat(c, seeds) + 0.01 * rng.normal(size=rows * seeds) for c in centres)
        for name, groups in (("rows", of), ("models", None)):
            found = correlate(x, y, groups, resamples=400)
            covered[name] += found.low <= true <= found.high
    assert covered["rows"] >= 91
    assert covered["models"] <= 70


def test_an_interval_at_the_error_of_the_p_value_ends_at_the_bound():
    x, noise = np.random.default_rng(3).normal(size=(2, 30))
    y = x + noise
    found = correlate(x, y, bound=0.65)
    assert 0.01 < found.p_value < 0.9
    assert correlate(x, y, level=1 - found.p_value).low == pytest.approx(0.65, abs=0.01)
    # Draws of so many samples cannot show less.
    assert correlate(x, y, bound=-0.9).p_value == correlate(x, y, bound=0.99).p_value == 2 / 2001
    assert correlate(x[:2], y[:2], bound=-0.9).p_value == 1


@pytest.mark.parametrize("groups", [2, 3])
def test_two_and_three_groups_have_no_interval(groups):
    x = np.arange(6.0)
    found = correlate(x, x**2, np.repeat(np.arange(groups), 6 // groups), bound=0.5)
    assert found.pearson == pytest.approx(np.corrcoef(x, x**2)[0, 1])
    assert np.isnan([found.low, found.high]).all()
    assert found.p_value == 1


@pytest.mark.parametrize("rows", [4, 6, 10])
@pytest.mark.parametrize("true", [0.5, 0.9])
def test_few_rows_seldom_have_an_interval_above_the_true_correlation(rows, true):
    rng, trials, above, found_so = np.random.default_rng(5), 200, 0, 0
    for _ in range(trials):
        a, b = rng.normal(size=(2, rows))
        found = correlate(a, true * a + np.sqrt(1 - true**2) * b, bound=true, resamples=200)
        above += found.low > true
        found_so += found.p_value < 0.05
    # Half of 5 % on this side, and 5 % on both, of which chance can make twice as many.
    assert above <= 0.05 * trials
    assert found_so <= 0.1 * trials


@pytest.mark.parametrize(
    ("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [0, 0, 0]), ([1, 2], [1, 2])]
)
def test_correlation_without_spread_is_undefined(x, y):
    found = correlate(np.array(x, float), np.array(y, float))
    assert all(np.isnan([found.pearson, found.low, found.high, found.spearman]))
    assert found.points == len(x)
