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


@pytest.mark.parametrize(
    ("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [0, 0, 0]), ([1, 2], [1, 2])]
)
def test_correlation_without_spread_is_undefined(x, y):
    found = correlate(np.array(x, float), np.array(y, float))
    assert all(np.isnan([found.pearson, found.low, found.high, found.spearman]))
    assert found.points == len(x)
