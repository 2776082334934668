"""Does RF-JSD tell what JSD tells?"""

from dataclasses import dataclass

import numpy as np

from lotus.errors import LotusError


@dataclass(frozen=True)
class Correlation:
    """The correlations of paired values.

    Attributes:
        pearson, spearman: NaN where one of the two is constant or has a value that is not finite, or
            there are fewer than 3 points.
        low, high: 95 % bootstrap interval of `pearson`, over the points.
        points: how many pairs.

    """

    pearson: float
    low: float
    high: float
    spearman: float
    points: int


def correlate(x: np.ndarray, y: np.ndarray, resamples: int = 2000) -> Correlation:
    """Pearson and Spearman correlation of `x` and `y`, float `[n]`; the bootstrap has a fixed seed.

    Raises:
        LotusError: the two are not equally long.

    """
    from scipy.stats import rankdata

    count = len(x)
    if x.shape != y.shape:
        raise LotusError(
            f"correlation: needs pairs of values, not {[*x.shape]} and {[*y.shape]} values"
        )
    if count < 3 or not np.isfinite([x, y]).all() or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(np.nan, np.nan, np.nan, np.nan, count)
    drawn = np.random.default_rng(0).integers(count, size=(resamples, count))
    low, high = np.nanpercentile(_pearson(x[drawn], y[drawn]), [2.5, 97.5])
    ranks = _pearson(rankdata(x)[None], rankdata(y)[None])[0]
    pearson = _pearson(x[None], y[None])[0]
    return Correlation(float(pearson), float(low), float(high), float(ranks), count)


def _pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlation of each row of `x` with that of `y`, `[rows]`; NaN for constant rows."""
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        values: np.ndarray = (x * y).sum(1) / np.sqrt((x**2).sum(1) * (y**2).sum(1))
    return values
