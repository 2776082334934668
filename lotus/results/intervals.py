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
        low, high: the t interval; of one pair it is unbounded, of pairs that all differ by the same
            amount it is that amount.
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
        """Whether all pairs differ by the same amount."""
        return self.n > 1 and self.low == self.high


def paired(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> Interval:
    """Student's t interval of the mean of `first` − `second`, `[n]` each, pair by pair.

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
    if np.ptp(differences) == 0:
        return Interval(
            float(differences[0]), float(differences[0]), float(differences[0]), level, n
        )
    half = float(t.ppf((1 + level) / 2, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, level, n)


def paired_ratio(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> Interval:
    """The same of `first` / `second`, both positive: geometric mean, interval of the logarithms."""
    logs = paired(np.log(first), np.log(second), level)
    with np.errstate(over="ignore"):
        mean, low, high = (float(np.exp(value)) for value in (logs.mean, logs.low, logs.high))
    return Interval(mean, low, high, level, logs.n)
