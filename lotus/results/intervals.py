"""Intervals of paired values: what seeds tell of a difference."""

from dataclasses import dataclass

import numpy as np

from lotus.errors import LotusError

EXACT = 12
"""Decimals beyond which a difference is arithmetic, not measurement."""


@dataclass(frozen=True)
class Interval:
    """The interval of the mean of paired differences.

    Attributes:
        mean: NaN without pairs.
        low, high: the t interval; unbounded where nothing bounds it: of one pair, or of pairs that all
            differ by the same amount in a measure of unknown resolution. Equal only where both of
            every pair are one and the same.
        level: its confidence, as 0.95.
        n: pairs.

    """

    mean: float
    low: float
    high: float
    level: float
    n: int

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing to be estimated: see `of_the_same`."""
        return self.n > 1 and self.low == self.high


def of_the_same(even: float, n: int, level: float = 0.95) -> Interval:
    """Returns the interval of `n` pairs of which both are one and the same: it has no width.

    Args:
        even: 0 of differences, 1 of ratios.

    """
    return Interval(even, even, even, level, n)


def paired(
    first: np.ndarray, second: np.ndarray, level: float = 0.95, resolution: float = 0.0
) -> Interval:
    """Student's t interval of the mean of `first` − `second`, `[n]` each, pair by pair.

    Equal differences are no proof that there is no spread: two values that are read in steps of
    `resolution` differ by an amount that is uncertain by resolution / √6 (the deviation of the
    difference of two uniform errors of ± half a step). The deviation is taken to be that at least.

    Args:
        resolution: the step in which values can be read; 0 where it is not known, or there is none.

    Raises:
        LotusError: the two are not equally long.

    """
    from scipy.stats import t

    if first.shape != second.shape:
        raise LotusError(
            f"interval: needs pairs of values, not {[*first.shape]} and {[*second.shape]} values"
        )
    differences = np.round(first - second, EXACT)
    n = len(differences)
    if n < 2:
        mean = float(differences.mean()) if n else float("nan")
        return Interval(mean, -np.inf, np.inf, level, n)
    mean = float(differences.mean())
    seen = float(differences.std(ddof=1)) if np.ptp(differences) else 0.0
    deviation = max(seen, resolution / np.sqrt(6))
    if not deviation:
        return Interval(mean, -np.inf, np.inf, level, n)
    half = float(t.ppf((1 + level) / 2, n - 1) * deviation / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, level, n)


def paired_ratio(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> Interval:
    """The same of `first` / `second`, both positive: geometric mean, interval of the logarithms."""
    logs = paired(np.log(first), np.log(second), level)
    with np.errstate(over="ignore"):
        mean, low, high = (float(np.exp(value)) for value in (logs.mean, logs.low, logs.high))
    return Interval(mean, low, high, level, logs.n)
