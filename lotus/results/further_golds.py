"""The single golds behind the row `gold-again`, as lines of a frame: what the row is the mean of."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lotus.layout import GOLD, is_further_gold
from lotus.metrics.base import registry

FURTHER = "further"
"""Column of a frame of metrics: of a line `gold-again` its golds, each name and numbers; of others none."""


def as_cell(golds: Mapping[str, Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """What stands in the column `FURTHER`, of the golds of a metrics file by name."""
    return tuple({"row": name, **scores} for name, scores in golds.items())


def further_golds(frame: pd.DataFrame) -> pd.DataFrame:
    """A line for each single gold, under the index of its line `gold-again`; `row` is the gold's name."""
    found: list[dict[str, Any]] = []
    places: list[Any] = []
    if FURTHER in frame:
        for place, seed, golds in zip(frame.index, frame["seed"], frame[FURTHER], strict=True):
            found += [{"seed": seed, **scores} for scores in golds]
            places += [place] * len(golds)
    columns = ["row", "seed", *registry.columns()]
    lines = pd.DataFrame(found, index=places, columns=None if found else columns)
    return lines.astype({name: float for name in registry.columns() if name in lines})


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
