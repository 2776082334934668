"""The single golds behind the row `gold-again`, as lines of a frame: what the row is the mean of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lotus.layout import GOLD, is_further_gold
from lotus.metrics.base import registry

FURTHER = "further"
"""Column of a frame of metrics: of a line `gold-again` its golds, each name and numbers; of others none."""


def as_cell(golds: Mapping[str, Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Returns what stands in the column `FURTHER`, of the golds of a metrics file by name."""
    return tuple({"row": name, **scores} for name, scores in golds.items())


def further_golds(frame: pd.DataFrame) -> pd.DataFrame:
    """A line for each single gold, under the index of its line `gold-again`; `row` is the gold's name.

    It has the columns of the frame that golds have numbers for.
    """
    found: list[dict[str, Any]] = []
    places: list[Any] = []
    if FURTHER in frame:
        for place, seed, golds in zip(frame.index, frame["seed"], frame[FURTHER], strict=True):
            found += [{"seed": seed, **scores} for scores in golds]
            places += [place] * len(golds)
    numbers = frozenset(registry.columns())
    names = dict.fromkeys(name for line in found for name in line if name in frame)
    # Column by column: to give a whole frame its types takes long.
    columns: dict[str, Any] = {}
    for name in names or ("row", "seed", *registry.columns()):
        column = [line.get(name) for line in found]
        columns[name] = np.array(column, dtype=float) if name in numbers else column
    return pd.DataFrame(columns, index=places)


def beside_gold(frame: pd.DataFrame, golds: pd.DataFrame) -> pd.DataFrame:
    """The lines of gold, and after them those of further golds: a frame in which these are rows."""
    gold = frame[frame["row"] == GOLD].drop(columns=FURTHER, errors="ignore")
    return pd.concat([gold, golds], ignore_index=True)


def golds_of_every_seed(frame: pd.DataFrame) -> pd.DataFrame:
    """As `beside_gold`, of the golds that each seed has one of: those that `gold_seeds` adds."""
    golds, seeds = further_golds(frame), frame.loc[frame["row"] == GOLD, "seed"].nunique()
    added = golds[golds["row"].map(is_further_gold).astype(bool)]
    counts = added["row"].value_counts()
    return beside_gold(frame, added[added["row"].map(counts) == seeds])
