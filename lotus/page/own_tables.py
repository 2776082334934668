"""Tables that have entries of their own on the page: those that no other part of it speaks of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lotus import layout
from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.page import chain, formulas
from lotus.page.items import Item, table_item
from lotus.page.sections import TableCell, number
from lotus.page.ways import Basis, Cell, Formula, Way
from lotus.results.experiment import Experiment
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title, legible, row_title
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
            tables=[_shown_table(read, made) for made in read.tables if made["kind"] == spec.name],
        )
        for spec in sorted(entries, key=lambda spec: (spec.page_order, spec.name))
    ]


def _shown_table(read: Experiment, made: Mapping[str, Any]) -> ShownTable:
    path = layout.RESULTS / made["folder"] / f"{made['name']}.csv"
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        said = legible(" ".join(str(error).split()))
        raise LotusError(f"{path}: cannot be read: {said}") from error
    item = table_item(made["folder"], made["name"])
    ways = _Ways(
        TABLES.spec(made["kind"]).summary,
        path.as_posix(),
        benchmark_title(**made["about"]) or "all benchmarks",
        chain.of_item(
            read,
            layout.item_record(made["folder"], made["name"], "table"),
            [name for name, _ in item.inputs],
        ),
        frame.columns[0],
    )
    lines = frame.head(MOST_LINES).to_dict("records")
    columns = list(frame)
    return ShownTable(
        where=benchmark_title(**made["about"]) or "all benchmarks",
        heads=[legible(name) for name in frame],
        rows=[
            (
                _cell(_titled(line, columns[0])).text,
                [_cell(_titled(line, name), ways.of_number(line, name)) for name in columns[1:]],
            )
            for line in lines
        ],
        left_out=max(0, len(frame) - MOST_LINES),
        item=item,
    )


@dataclass(frozen=True)
class _Ways:
    """The ways of the numbers of one table, of which nothing is known but what its spec says.

    Attributes:
        summary: what the table shows.
        first: name of its first column.

    """

    summary: str
    path: str
    where: str
    basis: Basis
    first: str

    def of_number(self, line: Mapping[Any, Any], column: str) -> Way:
        metric = registry.metric_of(column)
        words = "" if metric is None else f" {metric.label}: {metric.words or formulas.NONE_STATED}"
        row = str(line.get("row", line[self.first]))
        keys = [f"{key}={line[key]}" for key in KEYS if line.get(key) and pd.notna(line[key])]
        return Way(
            formula=Formula(
                legible(column), self.summary + words, "" if metric is None else metric.symbols
            ),
            row=row_title(row),
            where=self.where,
            basis=self.basis,
            cell=Cell(self.path, row, column, ":".join(keys)),
        )


def _titled(line: Mapping[Any, Any], column: str) -> Any:
    """A value of a line; of rows the name that readers know."""
    return row_title(str(line[column])) if column == "row" else line[column]


def _cell(value: Any, way: Way | None = None) -> TableCell:
    """A value as it is shown: numbers with three decimals, names as they can be printed."""
    if pd.isna(value):
        return TableCell("–")
    if isinstance(value, float):
        return TableCell(f"{value:.3f}", value=number(value), way=way)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number:
        return TableCell(legible(str(value)))
    return TableCell(legible(str(value)), value=number(value), way=way)
