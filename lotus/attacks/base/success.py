"""How well scores tell members from others: AUC and TPR at a low FPR, with intervals over images.

Seeds are averaged and images are resampled: an interval says what other images would have given with the
same models. An image that several seeds, or both sides, have is one image, however often it is scored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lotus.metrics.membership import auc, tpr_at_fpr

FPR = 0.01
"""False-positive rate at which the true-positive rate is stated."""
LEVEL = 0.95
"""Of the intervals."""
ROUNDING = 1e-9
"""What arithmetic can make of 0."""
NEAR = 0.01
"""How near an AUC is to 0 or 1 where few pairs decide."""


@dataclass(frozen=True)
class Scored:
    """Scores of one attacked model.

    Attributes:
        member, other: the scores of forget images, and of what they are held against.
        of_member, of_other: which images these are.

    """

    member: np.ndarray
    other: np.ndarray
    of_member: np.ndarray
    of_other: np.ndarray


@dataclass(frozen=True)
class Estimate:
    """A rate, and its interval."""

    value: float
    low: float
    high: float


def resolution(scored: Sequence[Scored]) -> float:
    """The smallest false-positive rate above 0 that the fewest others of one model can show."""
    return 1 / min(len(one.other) for one in scored)


def auc_of(scored: Sequence[Scored], weights: Sequence[float]) -> Estimate:
    """The weighted mean of the models' AUCs, ties counting half.

    The interval is that of DeLong et al. (1988) on the scale of the logit, with the parts that one image
    has in several AUCs added up before they are squared. Near 0 and 1, where few pairs decide, it is
    widened to the score interval of Newcombe (2006, method 5), the only one where all pairs are alike.

    Args:
        weights: of the models; they add up to 1.

    """
    values = [auc(one.member, one.other) for one in scored]
    value = _mean(values, weights)
    parts = [
        (of, weight * part)
        for one, of_one, weight in zip(scored, values, weights, strict=True)
        for of, part in _parts_of_auc(one, of_one)
    ]
    deviation = np.sqrt(_variance(parts))
    members, others = _number([s.of_member for s in scored]), _number([s.of_other for s in scored])
    if deviation < ROUNDING or not 0 < value < 1:
        return Estimate(value, *_newcombe(value, members, others))
    from scipy.special import expit, logit
    from scipy.stats import t

    half = t.ppf((1 + LEVEL) / 2, max(min(members, others) - 1, 1))
    half *= deviation / (value * (1 - value))
    low, high = float(expit(logit(value) - half)), float(expit(logit(value) + half))
    if not NEAR < value < 1 - NEAR:
        least, most = _newcombe(value, members, others)
        low, high = min(low, least), max(high, most)
    return Estimate(value, low, high)


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted mean, kept among the values: ten tenths of 1 add up to a little more than 1."""
    return min(max(float(np.dot(weights, values)), min(values)), max(values))


def _parts_of_auc(one: Scored, value: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns what each image adds to the deviation of an AUC from its mean: members, then others."""
    from scipy.stats import rankdata

    m, n = len(one.member), len(one.other)
    ranks = rankdata(np.concatenate([one.member, one.other]))
    won_by_members = (ranks[:m] - rankdata(one.member)) / n
    lost_by_others = 1 - (ranks[m:] - rankdata(one.other)) / m
    return [
        (one.of_member, (won_by_members - value) / _divisor(m)),
        (one.of_other, (lost_by_others - value) / _divisor(n)),
    ]


def _divisor(count: int) -> float:
    """√(n (n − 1)), with which the sum of squares is the variance of a mean."""
    return float(np.sqrt(count * max(count - 1, 1)))


def _variance(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Sum of squares over images, of what each adds in all."""
    images, place = np.unique(np.concatenate([of for of, _ in parts]), return_inverse=True)
    summed = np.bincount(place, np.concatenate([part for _, part in parts]), len(images))
    return float(np.square(summed).sum())


def _number(images: Sequence[np.ndarray]) -> int:
    return len(np.unique(np.concatenate(images)))


def _newcombe(value: float, m: int, n: int) -> tuple[float, float]:
    """Score interval of an AUC by the variance of Hanley and McNeil at the bound itself."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    z, mean = norm.ppf((1 + LEVEL) / 2), (m + n) / 2 - 1

    def excess(bound: float) -> float:
        inner = 1 + mean * ((1 - bound) / (2 - bound) + bound / (1 + bound))
        return float((value - bound) ** 2 - z**2 * bound * (1 - bound) * inner / (m * n))

    # The value itself is a root at 0 and at 1, and not the one that is meant.
    low = brentq(excess, 0, value - ROUNDING) if value > ROUNDING else 0.0
    high = brentq(excess, value + ROUNDING, 1) if value < 1 - ROUNDING else 1.0
    return float(low), float(high)


def tpr_of(scored: Sequence[Scored], weights: Sequence[float]) -> Estimate:
    """The weighted mean of the models' shares of members found at a false-positive rate of at most `FPR`.

    The interval squares and adds (Zou and Donner 2008) what members and thresholds can each have done. For
    members it is that of Clopper and Pearson (1934), of as many images as would give the variance that is
    found, with what one image adds for several models added up before it is squared. A threshold, estimated
    of few others, could be any that 95 % of as many others would have given.

    Args:
        weights: of the models; they add up to 1.

    """
    values = [tpr_at_fpr(one.member, one.other, FPR) for one in scored]
    value = _mean(values, weights)
    parts = [
        (one.of_member, weight * _part_of_tpr(one, of_one))
        for one, of_one, weight in zip(scored, values, weights, strict=True)
    ]
    members = _number([one.of_member for one in scored])
    variance, binomial = _variance(parts), value * (1 - value)
    count = min(binomial / variance, members * len(scored)) if variance > 0 else members
    low, high = clopper_pearson(value, count)
    fewest, most = np.dot(weights, [_by_threshold(one) for one in scored])
    return Estimate(
        value,
        max(value - float(np.hypot(value - low, value - fewest)), 0.0),
        min(value + float(np.hypot(high - value, most - value)), 1.0),
    )


def _part_of_tpr(one: Scored, value: float) -> np.ndarray:
    threshold = np.sort(one.other)[::-1][_allowed(len(one.other))]
    part: np.ndarray = ((one.member > threshold) - value) / _divisor(len(one.member))
    return part


def _allowed(others: int) -> int:
    """How many others may lie above the threshold."""
    return int(FPR * others + 1e-9)


def _by_threshold(one: Scored) -> tuple[float, float]:
    """Shares of members above the highest and the lowest threshold that other images could have given."""
    from scipy.stats import binom

    ordered, others = np.sort(one.other)[::-1], len(one.other)
    tail = (1 - LEVEL) / 2
    highest, lowest = (int(binom.ppf(share, others, FPR)) for share in (tail, 1 - tail))
    # Where none above it would be no surprise, nothing says how much higher it could lie.
    fewest = (one.member > ordered[highest - 1]).mean() if highest else 0.0
    return float(fewest), float((one.member > ordered[min(lowest, others - 1)]).mean())


def clopper_pearson(share: float, count: float) -> tuple[float, float]:
    """Exact interval of a share of `count` images, which need be no whole number."""
    from scipy.stats import beta

    tail, hits = (1 - LEVEL) / 2, share * count
    low = beta.ppf(tail, hits, count - hits + 1) if hits > 0 else 0.0
    high = beta.ppf(1 - tail, hits + 1, count - hits) if hits < count else 1.0
    return float(low), float(high)
