"""Intervals of paired values: what seeds tell of a difference."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.results.resolution import least_deviation

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
        is_ratio: whether it is of ratios: then it is symmetric in their logarithms.

    """

    mean: float
    low: float
    high: float
    level: float
    n: int
    is_ratio: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing to be estimated: see `of_the_same`."""
        return self.n > 1 and self.low == self.high

    @property
    def is_bounded(self) -> bool:
        """Whether it tells anything."""
        return bool(np.isfinite(self.high) and np.isfinite(self.low) and np.isfinite(self.mean))

    def at(self, level: float) -> "Interval":
        """Returns the interval of the same pairs at another level."""
        if not self.is_bounded or self.is_exact:
            return replace(self, level=level)
        mean, error = self._mean, self._error
        half = float(_quantile(level, self.n) * error)
        low, high = mean - half, mean + half
        if self.is_ratio:
            low, high = _ratio(low), _ratio(high)
        return replace(self, low=low, high=high, level=level)

    def p_value(self, bound: float) -> float:
        """Returns that of the two-sided t test of `bound`: below 1 − level where the interval lacks it.

        1 where nothing bounds the interval.
        """
        from scipy.stats import t

        if not self.is_bounded:
            return 1.0
        if self.is_exact:
            return 1.0 if self.mean == bound else 0.0
        distance = self._mean - (np.log(bound) if self.is_ratio else bound)
        return float(2 * t.sf(abs(distance) / self._error, self.n - 1))

    def needed(self, bound: float, error: float, power: float, most: int) -> int | None:
        """Returns with how many pairs of this mean and spread the t test tells the mean from `bound`.

        Args:
            error: of the two-sided test.
            power: how often it is to succeed.
            most: so many at most; None where they do not suffice, or the spread is not known.

        """
        from scipy.stats import nct

        if not self.is_bounded or self.is_exact:
            return None
        distance = abs(self._mean - (np.log(bound) if self.is_ratio else bound))
        n = np.arange(2, most + 1)
        effect = distance / (self._error * np.sqrt(self.n))
        reached = nct.sf(_quantile(1 - error, n), n - 1, effect * np.sqrt(n)) >= power
        return int(n[reached.argmax()]) if reached.any() else None

    @property
    def _mean(self) -> float:
        return float(np.log(self.mean)) if self.is_ratio else self.mean

    @property
    def _error(self) -> float:
        """The standard error of the mean."""
        low, high = np.log([self.low, self.high]) if self.is_ratio else (self.low, self.high)
        return float((high - low) / 2 / _quantile(self.level, self.n))


def _quantile(level: float, n: Any) -> Any:
    from scipy.stats import t

    return t.ppf((1 + level) / 2, n - 1)


def _ratio(logarithm: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(logarithm))


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
    deviation = max(seen, least_deviation(resolution, of_difference=True))
    if not deviation:
        return Interval(mean, -np.inf, np.inf, level, n)
    half = float(_quantile(level, n) * deviation / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, level, n)


def paired_ratio(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> Interval:
    """The same of `first` / `second`, both positive: geometric mean, interval of the logarithms."""
    logs = paired(np.log(first), np.log(second), level)
    mean, low, high = (_ratio(value) for value in (logs.mean, logs.low, logs.high))
    return Interval(mean, low, high, level, logs.n, is_ratio=True)
