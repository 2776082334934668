"""One cell's numbers as the published tables state them, with an interval to hold the printed ones against.

Whichever protocol a model was made under, it is measured here by the published conventions (rounding, JSD
× 10⁴, their attack): only so can columns be subtracted.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd

from lotus.config.protocol import RELEASED
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.metrics.avg_gap import GAP_TERMS
from lotus.results.collapsed import in_seeds
from lotus.results.conventions import SCALE, StatedRuns
from lotus.results.correlation import correlate
from lotus.results.intervals import EXACT
from lotus.results.metrics import sound
from lotus.results.resolution import least_deviation, resolution

ALL_METHODS = "all-methods"
"""Row of what concerns a whole table."""
CORRELATION = "pearson_r"
SEEDS = 3
"""Seeds that a published mean is of."""
TERM_OF_GAP = {
    "gap_mia": "mia",
    "gap_forget": "accuracy_forget",
    "gap_retain": "accuracy_retain",
    "gap_test": "accuracy_test",
}
DIVERGENCES = {"jsd_e4": "jsd", "rf_jsd_e4": "rf_jsd"}
GAPS = ("avg_gap", *TERM_OF_GAP)
"""Differences to gold."""
TO_GOLD = (*GAPS, "jsd_e4")
"""Distances to gold, which gold has none of to itself."""


@dataclass(frozen=True)
class Quantity:
    """One metric of one row over the seeds.

    Attributes:
        metric: its name in the convention in which it is measured, as `form_of` gives it: of minutes
            `minutes_released_r1` as the published code would state them, `minutes` as they passed.
        value: NaN where there is none; `status` says why.
        std: of a sample (n−1); NaN for one seed.
        low, high: 95 % interval for a mean of `SEEDS` further seeds (of a correlation: over the rows); NaN
            where nothing bounds it: see `over_seeds`. Gold's distance to itself is 0 by definition, so
            there the two are equal.

    """

    value: float = np.nan
    std: float = np.nan
    n: int = 0
    low: float = np.nan
    high: float = np.nan
    status: str = ""
    metric: str = ""


NOT_RUN = Quantity(status="not run")


def measure(
    frame: pd.DataFrame,
    times: pd.DataFrame,
    is_released: bool,
    metrics: Sequence[str],
    images: Mapping[str, int],
) -> dict[tuple[str, str], Quantity]:
    """(row, metric) → what was measured in one cell; the paper has no row of another gold.

    Args:
        frame: metrics of one protocol, all seeds, as `load_metrics` gives them.
        times: seconds of the same runs, as `load_times` gives them.
        is_released: whether minutes are to be stated as the published code would (R1).
        metrics: by their names in the published reference.
        images: how many each split has, as `fewest_images` counts them.

    """
    found = {}
    frame = frame[frame["row"] != GOLD_AGAIN]
    runs = StatedRuns(sound(frame), RELEASED)
    terms = {name: _term(runs, name) for name in (*GAP_TERMS, *DIVERGENCES)}
    for metric in metrics:
        named = _convention(runs, metric, is_released)
        if metric == CORRELATION:
            quantity = _correlation(terms, frame["seed"].nunique())
            found[ALL_METHODS, metric] = replace(quantity, metric=named)
            continue
        by_seed = (
            _minutes(times, is_released)
            if metric == "time_min"
            else _by_metric(terms.__getitem__, metric)
        )
        stated = _stated_gaps(runs, terms, metric)
        least = _least_deviation(runs, metric, images)
        for row, here in frame.groupby("row", sort=False):
            to_itself = row == GOLD and metric in TO_GOLD
            quantity = _of_row(by_seed[row], here, None if to_itself else least)
            if row in stated and not quantity.status:
                # Signed gaps of single seeds add up to the gap of means; it is stated between rounded ones.
                quantity = replace(quantity, value=float(stated[row]))
            found[str(row), metric] = replace(quantity, metric=named)
    return found


def _convention(runs: StatedRuns, metric: str, is_released: bool) -> str:
    """Returns whose metric it is: minutes are those of the protocol, all else is as the paper prints it."""
    if metric == "time_min":
        return "minutes_released_r1" if is_released else "minutes"
    if metric == CORRELATION:
        return " with ".join(runs.form(name).name for name in ("jsd", "rf_jsd"))
    plain = TERM_OF_GAP.get(metric) or DIVERGENCES.get(metric, metric)
    gap = "gap of " if metric in TERM_OF_GAP else ""
    return f"{gap}{runs.form(plain).name}"


def seed_by_seed(
    frame: pd.DataFrame, times: pd.DataFrame, is_released: bool
) -> Callable[[str], pd.DataFrame]:
    """Returns metric → the numbers of single runs, seed × row, that `measure` takes it from.

    Those of collapsed models are left out, and there are none of `CORRELATION`. A gap has the sign that
    makes the mean of its row positive.
    """
    runs = StatedRuns(sound(frame[frame["row"] != GOLD_AGAIN]), RELEASED)
    term = cache(partial(_term, runs))

    @cache
    def of_metric(metric: str) -> pd.DataFrame:
        return _minutes(times, is_released) if metric == "time_min" else _by_metric(term, metric)

    return of_metric


def _by_metric(term: Callable[[str], pd.DataFrame], metric: str) -> pd.DataFrame:
    if metric == "avg_gap":
        gaps = [_signed_gaps(term(name)) for name in GAP_TERMS]
        return sum(gaps[1:], gaps[0]) / len(gaps)
    return _signed_gaps(term(TERM_OF_GAP[metric])) if metric in TERM_OF_GAP else term(metric)


def _of_row(by_seed: pd.Series, here: pd.DataFrame, least: float | None) -> Quantity:
    """One row's quantity.

    Args:
        by_seed: its numbers.
        here: its lines of the metrics.
        least: as in `over_seeds`.

    """
    n, fallen = len(here), here.loc[here["collapsed"] != "", "seed"].tolist()
    if fallen:
        return Quantity(status=f"collapsed {in_seeds(fallen, n)}", n=n)
    if by_seed.isna().any():
        return Quantity(status="undefined", n=n)
    return over_seeds(by_seed, least)


def _least_deviation(runs: StatedRuns, metric: str, images: Mapping[str, int]) -> float:
    """How uncertain single values are by the steps in which they are read; 0 where there are none."""
    if metric == "time_min":
        return 0.0
    plain = TERM_OF_GAP.get(metric) or DIVERGENCES.get(metric, metric)
    form = runs.form(plain)
    step = resolution(plain, images, form.rounded is not None or form.of_means)
    scale = SCALE if metric in DIVERGENCES else 1.0
    return least_deviation(scale * step, of_difference=metric in GAPS)


def _minutes(times: pd.DataFrame, is_released: bool) -> pd.DataFrame:
    return _by_seed(times, times["minutes_released_r1"] if is_released else times["seconds"] / 60)


def _term(runs: StatedRuns, metric: str) -> pd.DataFrame:
    plain = DIVERGENCES.get(metric, metric)
    scale = SCALE if metric in DIVERGENCES else 1.0
    found = _by_seed(runs.frame, scale * runs.values(plain))
    if metric == "jsd_e4" and GOLD in found:
        found[GOLD] = 0.0  # to itself
    return found


def _signed_gaps(term: pd.DataFrame) -> pd.DataFrame:
    """Distances to gold of the same seed, with the sign that makes each row's mean positive."""
    if GOLD not in term:
        return term * np.nan
    gaps = term.sub(term[GOLD], axis=0)
    # A mean of 0 has no sign, and its gaps have a spread all the same.
    return gaps.mul(np.where(gaps.mean() < 0, -1, 1), axis=1)


def _stated_gaps(
    runs: StatedRuns, terms: Mapping[str, pd.DataFrame], metric: str
) -> dict[Hashable, float]:
    """Gaps by the published rule: between means that are rounded to 2 decimals; {} for other metrics."""
    if GOLD not in terms["mia"] or metric not in GAPS:
        return {}
    if metric == "avg_gap":
        return {**runs.released_gaps().to_dict(), GOLD: 0.0}
    means = terms[TERM_OF_GAP[metric]].mean().round(2)
    return {row: abs(mean - means[GOLD]) for row, mean in means.items()}


def _correlation(terms: Mapping[str, pd.DataFrame], n: int) -> Quantity:
    """Pearson r of JSD and RF-JSD over the rows' means, gold among them, the original not.

    As the published notebooks have it; the interval is over the rows.
    """
    if GOLD not in terms["jsd_e4"]:
        return Quantity(status="undefined: no gold model")
    means = pd.DataFrame({name: terms[name].mean(skipna=False) for name in DIVERGENCES})
    means = means.drop(index=ORIGINAL, errors="ignore").dropna()
    found = correlate(means["jsd_e4"].to_numpy(), means["rf_jsd_e4"].to_numpy())
    if np.isnan(found.pearson):
        return Quantity(status="undefined: too few rows", n=n)
    return Quantity(found.pearson, np.nan, n, found.low, found.high)


def over_seeds(by_seed: pd.Series, least: float | None) -> Quantity:
    """Mean and deviation over seeds, and a 95 % t interval for a mean of `SEEDS` further seeds.

    Equal values are no proof that there is no spread (as in `intervals.paired`): the interval is of a
    deviation of `least` at least, and there is none where that is not known and all values are equal.

    Args:
        least: the deviation of a value by the steps in which it is read; 0 where these are not known, or
            there are none; None of values that are equal by definition, whose interval has no width.

    """
    from scipy.stats import t

    n, mean = len(by_seed), float(by_seed.mean())
    if n < 2:
        return Quantity(mean, n=n)
    std = float(by_seed.std())
    seen = std if np.ptp(np.round(by_seed, EXACT)) else 0.0
    deviation = 0.0 if least is None else max(seen, least)
    if least is not None and not deviation:
        return Quantity(mean, std, n)
    half = float(t.ppf(0.975, n - 1)) * deviation * np.sqrt(1 / n + 1 / SEEDS)
    return Quantity(mean, std, n, mean - half, mean + half)


def _by_seed(frame: pd.DataFrame, numbers: pd.Series) -> pd.DataFrame:
    """Seed × row of numbers that lie along a frame."""
    along: Mapping[str, pd.Series] = {"seed": frame["seed"], "row": frame["row"], "it": numbers}
    return pd.DataFrame(along).pivot(index="seed", columns="row", values="it")
