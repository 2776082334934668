"""The floor: how far one gold model is from another, below which no method can be told from retraining.

It is known where a cell has the row `gold-again`: further golds (`gold_seeds`, and the golds of other seeds
where these forget the same images), each measured against the seed's gold exactly as a method is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lotus.config.protocol import Protocol
from lotus.layout import GOLD, GOLD_AGAIN, REFERENCES
from lotus.metrics.base import registry
from lotus.results.conventions import DISTANCE, StatedRuns, protocol_of
from lotus.results.metrics import needs_gold, sound

IN_FLOORS = "_in_floors"
"""Ending of columns with a distance to gold in units of the floor."""


@dataclass(frozen=True)
class Floor:
    """How far further golds are from gold, by one metric in one cell.

    Attributes:
        mean: over the seeds of the mean over each seed's further golds: what a method's mean distance is
            held against. A method whose mean distance is not above it cannot be told from retraining.
        largest: of a single further gold of any seed; under the published Avg Gap, which is a gap of means
            over the seeds, of the golds of one number.
        golds: the number of single distances. They are not independent: those of one seed share its gold,
            and with golds of other seeds each pair is seen from both ends.
        seeds: the number of seeds.

    """

    mean: float
    largest: float
    golds: int
    seeds: int


def floor_of(frame: pd.DataFrame, metric: str, protocol: Protocol | None = None) -> Floor | None:
    """The floor of a metric in one cell; None where it is not known.

    It is not known without the row `gold-again`, where one of the golds has collapsed, and of the published
    Avg Gap (E3) without golds that `gold_seeds` added. The distance is the metric itself where that is one
    to gold (Avg Gap, JSD); of another, as MIA or an accuracy, the distance of its value to gold's.

    Args:
        frame: metrics of one cell, all seeds, as `load_metrics` gives them.
        protocol: in whose conventions; by default the frame's own.

    """
    runs = StatedRuns(sound(frame), protocol or protocol_of(frame))
    lines, golds = runs.frame[runs.frame["row"] == GOLD_AGAIN], runs.golds
    if lines.empty or golds.empty:
        return None
    if runs.form(metric).of_means:
        mean = runs.released_gaps()[GOLD_AGAIN]
        single = runs.golds_of_every_seed.released_gaps().drop(index=GOLD).to_numpy()
    else:
        mean = _apart(runs, metric)[lines.index].mean(skipna=False)
        single = _apart(runs.golds_as_runs, metric)[-len(golds) :].to_numpy(dtype=float)
    if np.isnan(mean):
        return None
    return Floor(float(mean), float(np.max(single)), len(single), lines["seed"].nunique())


def _apart(runs: StatedRuns, metric: str) -> pd.Series:
    """Each run's distance to gold, which a metric that needs gold states itself."""
    return runs.values(metric) if needs_gold(metric) else runs.distances(metric)


def column(summary: pd.DataFrame, metric: str) -> str:
    """The column of a summary that holds a metric, in whichever convention.

    Raises:
        KeyError: it has none.

    """
    for name in summary.columns:
        plain = name == metric or name.startswith(f"{metric}_released_")
        if plain and not name.endswith(("_std", DISTANCE, IN_FLOORS)):
            return str(name)
    raise KeyError(metric)


def floor_in(summary: pd.DataFrame, metric: str) -> float:
    """The mean of `floor_of` that a summary states; NaN where it is not known."""
    if GOLD_AGAIN not in summary.index or GOLD not in summary.index:
        return np.nan
    name = _distance(summary, metric)
    return float(summary.loc[GOLD_AGAIN, name]) if name in summary else np.nan


def _distance(summary: pd.DataFrame, metric: str) -> str:
    """The column of a summary with the distance to gold by a metric, which it lacks without gold."""
    name = column(summary, metric)
    return name if needs_gold(metric) else f"{name}{DISTANCE}"


def in_floors(summary: pd.DataFrame, metric: str) -> pd.Series:
    """Each row's mean distance to gold in units of the floor; NaN where that is not known, or is 0."""
    name, floor = _distance(summary, metric), floor_in(summary, metric)
    apart = summary[name] if name in summary else pd.Series(np.nan, index=summary.index)
    return (apart / (floor or np.nan)).rename(f"{column(summary, metric)}{IN_FLOORS}")


def with_floors(summary: pd.DataFrame) -> pd.DataFrame:
    """The same summary, of a cell with gold; behind each distance to gold that in units of the floor."""
    found = summary.copy()
    for metric in registry.specs():
        if _distance(summary, metric) in summary:
            units = in_floors(summary, metric)
            names = [*found]
            last = max(
                names.index(name)
                for name in (_distance(summary, metric), f"{column(summary, metric)}_std")
            )
            found.insert(last + 1, str(units.name), units)
    return found


def inside_floor(summary: pd.DataFrame, metric: str) -> list[str]:
    """The methods of a summary that are not farther from gold than another gold is: these have no rank."""
    name = _distance(summary, metric)
    if name not in summary:
        return []
    methods = summary.drop(index=[*REFERENCES], errors="ignore")[name]
    return [str(row) for row in methods.index[methods <= floor_in(summary, metric)]]


def best_rows(summary: pd.DataFrame, metric: str, decimals: int = 3) -> set[str]:
    """Returns the best methods: lowest, highest or nearest to gold, as the metric has it.

    Rows that print alike share the mark, and so do all inside the floor, which have no rank against each
    other. Original, golds and collapsed models are not in the race.

    Args:
        decimals: of the values that print alike.

    """
    name = column(summary, metric)
    methods = summary.drop(index=[*REFERENCES], errors="ignore")[name].dropna()
    best = registry.specs()[metric].best
    if best != "gold":
        distance = methods if best == "lowest" else -methods
    elif _distance(summary, metric) in summary:
        # That which is printed: the distance of two means can be another row's.
        distance = summary.loc[methods.index, _distance(summary, metric)]
    else:
        return set()
    distance = distance.round(decimals)
    nearest = set(distance.index[distance == distance.min()])
    inside = inside_floor(summary, metric)
    return nearest | {row for row in inside if row in methods.index} if inside else nearest
