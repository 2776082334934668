"""The numbers of tables that rest on a start: cell by cell."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.formats.json_text import read_file
from lotus.impact.reach import ForwardReach
from lotus.lineage.cells import (
    KEYS_OF_LINES,
    PROTOCOL_COLUMNS,
    AskedCell,
    Line,
    ReadExperiment,
    inputs_of,
)
from lotus.lineage.plan_nodes import KeptInputs
from lotus.metrics.base import registry
from lotus.metrics.base.spec import IMAGES
from lotus.names import shown
from lotus.records.reading import Record
from lotus.results.experiment import read_experiment
from lotus.results.floor import IN_FLOORS
from lotus.results.metrics import COLLAPSED, measured_against
from lotus.results.needed_rows import OF_ALL_ROWS
from lotus.results.quantities import DIVERGENCES, TERM_OF_GAP

NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
APART = (*KEYS_OF_LINES, "row", "claim", "of_paper")
"""Columns that tell lines apart, and state no number."""


@dataclass(frozen=True)
class TouchedLine:
    """A line of a table with numbers that rest on the start.

    Attributes:
        where: key → value, which tells it from other lines of its row.

    """

    path: str
    row: str
    columns: Sequence[str]
    where: Mapping[str, str]

    def cells(self) -> list[str]:
        """Returns its numbers as `lotus lineage` asks for them."""
        keys = [f"{key}={value}" for key, value in self.where.items()]
        return [":".join([self.path, self.row, column, *keys]) for column in self.columns]


def touched_lines(reach: ForwardReach) -> list[TouchedLine]:
    """Returns the lines of all tables with numbers that rest on the start.

    Raises:
        LotusError: a table is absent or is not the one that its record is of.

    """
    read = cache(read_experiment)
    return [
        line
        for record in reach.records
        for path in record.outputs
        if record.kind == "table" and path.endswith(".csv") and path in reach.files
        # A record can name any file as its own; only those that lie where its own do are read.
        if reach.index.producer(path) is record
        # What is in that table are verdicts.
        if record.about.get("table") != layout.CLAIMS_TABLE[1]
        for line in _of_table(reach, record, path, read)
    ]


def _of_table(
    reach: ForwardReach, record: Record, path: str, read: ReadExperiment
) -> Iterator[TouchedLine]:
    try:
        text = read_file(Path(path)).decode("utf-8")
    except (OSError, ValueError) as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error}") from error
    for content in csv.DictReader(io.StringIO(text, newline="")):
        name = "row" if "row" in content else next(iter(content), "")
        columns = [
            column
            for column, said in content.items()
            if column != name and column not in APART and NUMBER.fullmatch(said or "")
        ]
        cell = AskedCell(path, content.get(name, ""), "")
        known: dict[tuple[object, ...], KeptInputs] = {}
        touched = []
        for column in columns:
            line = _line(content, column)
            key = _signature(line)
            if key not in known:
                known[key] = inputs_of(cell, [line], reach.index, read)
            images = images_of(line.metric, is_published="metric" in content)
            if path in reach.start.files or reach.is_touched(record, known[key], images):
                touched.append(column)
        if touched:
            keys = {key: content[key] for key in KEYS_OF_LINES if content.get(key)}
            yield TouchedLine(path, cell.row, touched, keys)


def _line(content: Mapping[str, str], column: str) -> Line:
    return Line(content, content.get("metric", column), {column: content[column]})


def _signature(line: Line) -> tuple[object, ...]:
    """Returns those traits of a column that decide what its number is made of."""
    (column,) = line.values
    side = column.partition("_")[0]
    return (
        side if side in PROTOCOL_COLUMNS else "",
        column.endswith(("_difference", "_inside")),
        line.metric.startswith(OF_ALL_ROWS),
        line.metric.endswith(IN_FLOORS),
        line.metric in TERM_OF_GAP,
        line.metric in ("ratio_to_gold", "time_min"),
        tuple(measured_against(line.metric)),
    )


def images_of(metric: str, is_published: bool = False) -> tuple[str, ...]:
    """Returns the splits whose images a metric is computed from; all where that is not known.

    Args:
        metric: in whichever convention; the published attack (E6) sees all images.
        is_published: whether the published conventions are meant, though the name does not say so.

    """
    if metric == COLLAPSED:
        return ("retain",)
    spec = registry.metric_of(DIVERGENCES.get(metric, metric))
    if spec is None or metric in TERM_OF_GAP or "_e6" in metric:
        return IMAGES
    if is_published and "E6" in spec.released.switches:
        return IMAGES
    return spec.images
