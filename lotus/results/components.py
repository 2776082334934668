"""What each kind of randomness contributes to a number: variance components."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.config.seeds import AXES, seed_of
from lotus.errors import LotusError
from lotus.layout import GOLD_AGAIN, RUN_RECORD, is_further_gold
from lotus.records.reading import read_record
from lotus.results.collapsed import COLLAPSED_SEEDS, in_words
from lotus.results.metrics import load_metrics, sound
from lotus.results.metrics_file import KEYS

MEASURED = ("avg_gap", "jsd", "accuracy_forget", "accuracy_test")
"""Metrics whose spread is taken apart; of gold the accuracies, which are no distances to itself."""
TOGETHER, REST = "all together", "rest"
COLUMNS = [*KEYS, "row", "metric", "source", "groups", "df"]
NUMBERS = ["variance", "variance_low", "variance_high", "deviation", "share"]
LEFT_OUT = ["n", "collapsed", COLLAPSED_SEEDS]
"""Columns that say of how many models a row is, and which of them are in no number."""
LEVEL = 0.95

Apart = Mapping[int, Mapping[str, int]]
"""Seed → its seeds of every kind of randomness."""


def load_components(sources: Sequence[Path]) -> pd.DataFrame:
    """A line for each benchmark, row, metric and source of variance; see `components`.

    Collapsed models are left out: a variance of the others is still one of the same source, of fewer seeds.
    They are counted and named by their seeds. Distances to a gold that collapsed are left out as well.

    Args:
        sources: metrics files, and the records of the runs that they name, which say what was seeded apart.

    Raises:
        LotusError: a record is not one of a run.

    """
    raw = load_metrics([path for path in sources if path.name != RUN_RECORD])
    fallen, frame = raw["collapsed"] != "", sound(raw)
    # Their distances are to golds of other seeds, which differ in everything.
    frame = frame[~frame["row"].map(lambda row: row == GOLD_AGAIN or is_further_gold(row))]
    apart = _seeds_apart([path for path in sources if path.name == RUN_RECORD])
    lines = [
        {
            **dict(zip([*KEYS, "row"], key, strict=True)),
            "metric": metric,
            **line,
            **_left_out(part.loc[fallen[part.index], "seed"], len(part)),
        }
        for key, part in frame.groupby([*KEYS, "row"], sort=False)
        for metric in MEASURED
        for line in components(part.set_index("seed")[metric].dropna().to_dict(), apart)
    ]
    return pd.DataFrame(lines, columns=[*COLUMNS, *NUMBERS, *LEFT_OUT])


def _left_out(fallen: pd.Series, n: int) -> dict[str, Any]:
    return dict(zip(LEFT_OUT, (n, len(fallen), in_words(fallen)), strict=True))


def components(values: Mapping[int, float], apart: Apart) -> Iterator[dict[str, Any]]:
    """Yields the variance that each source contributes to a number, with what the others fixed.

    - Of one kind of randomness: the variance within groups of seeds that differ in it alone, pooled.
    - `all together`: the variance over seeds any two of which differ in every kind.
    - `rest`: what the kinds together lack of it: how they interact, and what no kind is. It is an estimate
      by a difference, and can be negative; then the kinds alone explain all that can be told.

    Intervals at 95 % are those of χ² of normal values, of the rest that of a normal approximation. What has
    no two seeds to compare is not stated.

    Args:
        values: seed → the number.
        apart: of seeds that are not among them, nothing is known.

    """
    known = {seed: apart[seed] for seed in values if seed in apart}
    found: dict[str, tuple[float, int, int]] = {}
    for axis in AXES:
        groups = _alike_but_for(axis, known)
        if groups:
            found[axis] = _pooled([[values[seed] for seed in group] for group in groups])
    everything = _all_apart(known)
    if len(everything) > 1:
        found[TOGETHER] = _pooled([[values[seed] for seed in everything]])
    if not found.keys() & {*AXES}:
        return
    total = found.get(TOGETHER, (np.nan, 0, 0))[0]
    for source, (variance, df, groups_of) in found.items():
        low, high = _interval(variance, df)
        yield _line(source, groups_of, df, variance, low, high, total)
    if TOGETHER in found and found.keys() >= {*AXES}:
        rest = total - sum(found[axis][0] for axis in AXES)
        # The variance of an estimated variance σ² is 2 σ⁴ / df.
        half = 1.96 * np.sqrt(sum(2 * variance**2 / df for variance, df, _ in found.values()))
        yield _line(REST, 0, 0, rest, rest - half, rest + half, total)


def _line(
    source: str, groups: int, df: int, variance: float, low: float, high: float, total: float
) -> dict[str, Any]:
    return {
        "source": source,
        "groups": groups,
        "df": df,
        "variance": variance,
        "variance_low": low,
        "variance_high": high,
        "deviation": np.sqrt(variance) if variance >= 0 else np.nan,
        "share": variance / total if total > 0 else np.nan,
    }


def _alike_but_for(axis: str, apart: Apart) -> list[list[int]]:
    """Returns groups of seeds that differ in a kind of randomness, each from each, and in nothing else."""
    groups: dict[tuple[int, ...], dict[int, int]] = {}
    for seed, of in apart.items():
        others = tuple(of[other] for other in AXES if other != axis)
        groups.setdefault(others, {}).setdefault(of[axis], seed)
    return [[*of.values()] for of in groups.values() if len(of) > 1]


def _all_apart(apart: Apart) -> list[int]:
    """Returns seeds any two of which differ in every kind; first those that share least with others."""
    shared = {
        seed: sum(
            any(of[axis] == apart[other][axis] for axis in AXES) for other in apart if other != seed
        )
        for seed, of in apart.items()
    }
    chosen: list[int] = []
    for seed in sorted(apart, key=lambda seed: shared[seed]):
        if all(apart[seed][axis] != apart[other][axis] for other in chosen for axis in AXES):
            chosen.append(seed)
    return chosen


def _pooled(groups: Sequence[Sequence[float]]) -> tuple[float, int, int]:
    """Returns the variance within groups, its degrees of freedom, and how many groups there are."""
    df = sum(len(group) - 1 for group in groups)
    # From the first of a group, so that equal numbers have no variance by rounding.
    moved = [np.subtract(group, group[0]) for group in groups]
    squares = sum(float(np.var(group)) * len(group) for group in moved)
    return squares / df, df, len(groups)


def _interval(variance: float, df: int) -> tuple[float, float]:
    from scipy.stats import chi2

    low, high = chi2.ppf([(1 + LEVEL) / 2, (1 - LEVEL) / 2], df)
    return df * variance / low, df * variance / high


def _seeds_apart(records: Sequence[Path]) -> Apart:
    found: dict[int, Mapping[str, int]] = {}
    for path in records:
        record = read_record(path)
        try:
            seed, own = int(record.about["seed"]), record.settings.get("seeds_apart", {})
            found[seed] = {axis: int(seed_of(seed, own, axis)) for axis in AXES}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LotusError(f"{path}: is not the record of a run: {error!r}") from error
    return found
