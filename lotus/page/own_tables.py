"""Tables that have entries of their own on the page: those that no other part of it speaks of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lotus import layout
from lotus.errors import LotusError
from lotus.page.items import Item, table_item
from lotus.page.sections import TableCell, number
from lotus.results.experiment import Experiment
from lotus.results.metrics import benchmark_title, legible, row_title
from lotus.tables.registry import TABLES

MOST_LINES = 200
"""Lines of one table that the page shows at most."""


@dataclass(frozen=True)
class ShownTable:
    """One table.

    Attributes:
        where: benchmark or data set in words.
        rows: (first column, the others).
        left_out: number of lines that are in the CSV alone.

    """

    where: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[TableCell]]]
    left_out: int
    item: Item


@dataclass(frozen=True)
class OwnTable:
    """The entry of one spec.

    Attributes:
        absent: what is said where there are no tables of it.

    """

    anchor: str
    heading: str
    shows: str
    absent: str
    tables: Sequence[ShownTable]


def own_tables(read: Experiment) -> list[OwnTable]:
    """Returns the entries, in the order of the page.

    Raises:
        LotusError: a table of the experiment is absent.

    """
    entries = [spec for spec in TABLES.specs.values() if spec.has_entry]
    return [
        OwnTable(
            anchor=f"table-entry-{spec.name}",
            heading=spec.title,
            shows=spec.shows or spec.summary,
            absent=spec.absent,
            tables=[_shown_table(made) for made in read.tables if made["kind"] == spec.name],
        )
        for spec in sorted(entries, key=lambda spec: (spec.page_order, spec.name))
    ]


def _shown_table(made: Mapping[str, Any]) -> ShownTable:
    path = layout.RESULTS / made["folder"] / f"{made['name']}.csv"
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise LotusError(f"{path}: cannot be read: {error}") from error
    if "row" in frame:
        frame["row"] = frame["row"].map(lambda row: row_title(str(row)))
    lines = frame.head(MOST_LINES).itertuples(index=False, name=None)
    return ShownTable(
        where=benchmark_title(**made["about"]) or "all benchmarks",
        heads=[legible(name) for name in frame],
        rows=[(_cell(first).text, [_cell(value) for value in others]) for first, *others in lines],
        left_out=max(0, len(frame) - MOST_LINES),
        item=table_item(made["folder"], made["name"]),
    )


def _cell(value: Any) -> TableCell:
    """A value as it is shown: numbers with three decimals, names as they can be printed."""
    if pd.isna(value):
        return TableCell("–")
    if isinstance(value, float):
        return TableCell(f"{value:.3f}", value=number(value))
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return TableCell(legible(str(value)), value=number(value) if is_number else None)
