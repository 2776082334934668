"""A number in a table, `PATH:ROW:COLUMN[:KEY=VALUE…]`: its value, and what of the records it rests on."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.attacks.base.needed_rows import rows_attacked
from lotus.attacks.base.registry import specs
from lotus.config.protocol import CORRECTED, Protocol, parse
from lotus.errors import LotusError, choices
from lotus.formats.json_text import read_file
from lotus.lineage.plan_nodes import KeptInputs
from lotus.names import shown
from lotus.records.index import Index
from lotus.records.places import leads_out
from lotus.records.reading import Record
from lotus.results.ablation import is_of_numbers
from lotus.results.collapsed import COLLAPSED_SEEDS
from lotus.results.conventions import DISTANCE
from lotus.results.experiment import Experiment, read_experiment
from lotus.results.floor import IN_FLOORS
from lotus.results.metrics import COLLAPSED
from lotus.results.metrics_file import KEYS, MODELS, PLACE
from lotus.results.needed_rows import predictions_read, rows_needed

SYNTAX = (
    "write a cell as PATH:ROW:COLUMN[:KEY=VALUE…], such as results/tables/summary.csv:lotus:avg_gap"
)
PROTOCOL_COLUMNS = ("published", "released", "corrected")
"""Columns of a paper's table that state one metric; there `protocol` chooses among them."""
NOT_THE_VALUE = ("_std", DISTANCE, IN_FLOORS)
"""Endings of columns that tell of a metric something else than its value."""
KEYS_OF_LINES = (*KEYS, "switch", "seed", "metric", "scope", "attack")
"""Columns that tell lines of one row apart."""


SHADOWS = ("shadows",)
"""What an attack needs that runs on shadow models."""

ReadExperiment = Callable[[Path], Experiment]


@dataclass(frozen=True)
class AskedCell:
    """A cell of a table, as a user asks for it.

    Attributes:
        where: key → value, to tell lines of the row apart.

    """

    path: str
    row: str
    column: str
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A line of the table that the cell is in.

    Attributes:
        content: column → text.
        metric: what the values are of.
        values: column → text, of those asked for.

    """

    content: Mapping[str, str]
    metric: str
    values: Mapping[str, str]

    @property
    def keys(self) -> dict[str, str]:
        """Returns what tells it from other lines of its row."""
        return {key: self.content[key] for key in KEYS_OF_LINES if self.content.get(key)}


def parse_cell(text: str) -> AskedCell | None:
    """The cell that a text names; None where it names a whole artifact.

    Raises:
        LotusError: neither.

    """
    if ":" not in text or os.path.exists(text):
        return None
    path, row, *rest = text.split(":")
    column, *pairs = rest or [""]
    parts = [pair.partition("=") for pair in pairs]
    if not row or not column or not all(key and equals for key, equals, _ in parts):
        raise LotusError(f"{shown(text)}: {SYNTAX}")
    return AskedCell(path, row, column, {key: value for key, _, value in parts})


def read_cell(cell: AskedCell) -> list[Line]:
    """The lines of a table that a cell names, with its values as they are written there.

    Raises:
        LotusError: not a CSV table, or no such row, column, key or value.

    """
    columns, lines = _read_table(cell.path)
    name = "row" if "row" in columns else columns[0]
    rows = list(dict.fromkeys(line[name] for line in lines))
    if cell.row not in rows:
        accepted = choices(cell.row, rows)
        raise LotusError(f"{shown(cell.path)}: there is no row '{shown(cell.row)}'; {accepted}")
    of_row = [line for line in lines if line[name] == cell.row]
    metrics = list(dict.fromkeys(line["metric"] for line in of_row if "metric" in line))
    if cell.column in metrics:
        return _lines_of_metric(cell, [line for line in of_row if line["metric"] == cell.column])
    named = [name for name in columns if _is_column_of(name, cell.column)]
    if not named:
        accepted = choices(cell.column, [*metrics, *columns])
        raise LotusError(
            f"{shown(cell.path)}: there is no column '{shown(cell.column)}' in row '{shown(cell.row)}'; "
            f"{accepted}"
        )
    return [
        Line(line, line.get("metric", cell.column), _values_in(line, cell.column, named))
        for line in _with_keys(cell, cell.where, of_row)
    ]


def _is_column_of(name: str, column: str) -> bool:
    """Whether a column is the one asked for, or holds it in the published conventions."""
    is_form = name.startswith(f"{column}_released_") and not name.endswith(NOT_THE_VALUE)
    return name == column or is_form


def _values_in(line: Mapping[str, str], column: str, named: Sequence[str]) -> dict[str, str]:
    """The column itself; where a line has nothing in it, the other named ones that it has a value in."""
    if line.get(column):
        return {column: line[column]}
    found = {name: line[name] for name in named if line[name]}
    return found or {named[0]: line[named[0]]}


def _read_table(path: str) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and lines of a CSV file: all lines have all columns, and no column is there twice."""
    name = shown(path)
    if Path(path).suffix != ".csv":
        raise LotusError(f"{name}: is not a CSV table, so it has no cells; {SYNTAX}")
    try:
        text = read_file(Path(path)).decode("utf-8")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except OSError as error:
        raise LotusError(f"{name}: cannot be read: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise LotusError(f"{name}: is not a CSV table: {error}") from error
    if not lines:
        raise LotusError(f"{name}: is not a CSV table: it is empty")
    head, *body = lines
    if len({*head}) < len(head):
        said = shown(",".join(head))[:80]
        raise LotusError(f"{name}: is not a CSV table: a column occurs twice in '{said}'")
    for number, cells in enumerate(body, start=2):
        if len(cells) != len(head):
            raise LotusError(
                f"{name}, line {number}: has {len(cells)} cells, but the table has {len(head)} columns"
            )
    return head, [dict(zip(head, cells, strict=True)) for cells in body]


def _lines_of_metric(cell: AskedCell, lines: Sequence[dict[str, str]]) -> list[Line]:
    """Returns the columns in which a paper's table states a metric, for one protocol or for all three."""
    where = dict(cell.where)
    protocol = where.pop("protocol", None)
    if protocol is not None and protocol not in PROTOCOL_COLUMNS:
        raise LotusError(
            f"{cell.path}: there is no protocol '{protocol}'; {choices(protocol, PROTOCOL_COLUMNS)}"
        )
    columns = PROTOCOL_COLUMNS if protocol is None else (protocol,)
    return [
        Line(line, cell.column, {name: line[name] for name in columns})
        for line in _with_keys(cell, where, lines)
    ]


def _with_keys(
    cell: AskedCell, where: Mapping[str, str], lines: Sequence[dict[str, str]]
) -> Sequence[dict[str, str]]:
    """Lines with the wanted values of their keys."""
    for key, value in where.items():
        known = [name for name in KEYS_OF_LINES if name in lines[0]]
        if key not in known:
            raise LotusError(f"{cell.path}: there is no key '{key}'; {choices(key, known)}")
        values = list(dict.fromkeys(line[key] for line in lines))
        if value not in values:
            here = f"'{cell.row}' has no {key} '{value}'"
            raise LotusError(f"{cell.path}: {here}; {choices(value, values)}")
        lines = [line for line in lines if line[key] == value]
    return lines


def inputs_of(
    cell: AskedCell, lines: Iterable[Line], index: Index, read: ReadExperiment = read_experiment
) -> KeptInputs:
    """Record → those of its inputs that the lines' numbers are made of.

    A table whose record is absent, and a table of verdicts, rest on all that there is.

    Args:
        read: gives the description of the experiment; whoever asks for many lines keeps it.

    Raises:
        LotusError: the lines are not those of the table that the record is of.

    """
    record = index.producer(cell.path)
    if record is None:
        return {}
    try:
        return _inputs_of_lines(record, lines, index, read)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        # A column or a key of a record that is not there; the audit says which file was changed.
        raise LotusError(
            f"{shown(cell.path)}: is not the table that {record.path} describes ({error!r}); "
            "see lotus audit"
        ) from error


def _inputs_of_lines(
    record: Record, lines: Iterable[Line], index: Index, read: ReadExperiment
) -> KeptInputs:
    kept: dict[str, list[str]] = {}
    for line in lines:
        found = _inputs_of_line(record, line, index, read)
        if found is None:
            return {}
        for path, inputs in found.items():
            kept[path] = list(dict.fromkeys([*kept.get(path, ()), *inputs]))
    # In the order of the records.
    return {path: _in_order(index.records[path], inputs) for path, inputs in kept.items()}


def _in_order(record: Record, kept: Sequence[str]) -> list[str]:
    return [path for path in record.inputs if path in kept]


def _inputs_of_line(
    record: Record, line: Line, index: Index, read: ReadExperiment
) -> dict[str, list[str]] | None:
    """Record → inputs, of one line; None where nothing can be left out."""
    if "item" in record.about:
        return _inputs_of_paper_table(record, line, index, read)
    name = record.about.get("table")
    if name in ("times", "cost"):
        runs = list(_runs_needed(record, line, index))
        is_judged = line.metric in (COLLAPSED, COLLAPSED_SEEDS)
        judged = _metrics_of_runs(record, runs, index) if is_judged else []
        return {record.path: [*runs, *judged], **_predictions_needed(judged, line, index)}
    if name == "attacks":
        kind = "shadow-attacks" if specs()[line.content["attack"]].needs == SHADOWS else "attacks"
        makers = {path: index.producer(path) for path in record.inputs}
        chosen = [
            path
            for path, of in makers.items()
            if of and of.kind == kind and _agrees(of.about, line, KEYS)
        ]
        return {record.path: chosen, **_attacked_models(chosen, line, index)}
    if name not in ("benchmark", "summary", "per-seed", "correlation", "ablation"):
        return None
    chosen = [
        path
        for path in record.inputs
        if (made := index.producer(path)) is None or _is_metrics_file_of(made.about, line, name)
    ]
    return {record.path: chosen, **_predictions_needed(chosen, line, index)}


def _is_metrics_file_of(about: Mapping[str, Any], line: Line, table: str) -> bool:
    """Whether a metrics file is of a line's benchmark, and of its seed if it is of one."""
    if table == "ablation" and about.get("protocol") not in _compared_protocols(
        line.content["switch"]
    ):
        return False
    return _agrees(about, line, (*KEYS, "seed"))


def _compared_protocols(switch: str) -> set[str]:
    """Protocols whose metrics a line of the ablation compares."""
    if is_of_numbers(switch):
        return {CORRECTED.name}
    return {CORRECTED.name, Protocol("corrected", frozenset(switch.split("+"))).name}


def _agrees(about: Mapping[str, Any], line: Line, keys: Iterable[str]) -> bool:
    stated = [key for key in keys if key in line.content]
    return all(str(about.get(key, "")) == line.content[key] for key in stated)


def _predictions_needed(metrics: Iterable[str], line: Line, index: Index) -> dict[str, list[str]]:
    """Records of metrics files → the predictions that a line's number is made of."""
    found = {}
    for path in metrics:
        record = index.producer(path)
        if record is not None:
            rows = predictions_read(record.settings, record.inputs)
            golds = record.settings.get("golds", [])
            needed = rows_needed(line.metric, line.content.get("row", ""), list(rows), golds)
            found[record.path] = [rows[row] for row in needed if row in rows]
    return found


def _attacked_models(files: Iterable[str], line: Line, index: Index) -> dict[str, list[str]]:
    """Records of attacks → the predictions that a line's number is made of."""
    row, attack = line.content["row"], specs()[line.content["attack"]]
    found = {}
    for path in files:
        record = index.producer(path)
        if record is not None:
            models = [str(of) for of, _ in record.settings["of"]]
            needed = {*rows_attacked(row, attack, models)}
            pairs = zip(models, record.inputs, strict=True)
            found[record.path] = [of for name, of in pairs if name in needed]
    return found


def _runs_needed(record: Record, line: Line, index: Index) -> Iterator[str]:
    """Run records behind a line of times or cost; for the ratio to gold those of gold as well."""
    abouts = {
        path: index.records[path].about if path in index.records else {}
        for path in record.inputs
        if _kind_of_maker(path, index) != "metrics"
    }
    for path, about in abouts.items():
        if not about or _agrees(about, line, (*KEYS, "row")):
            yield path
    if line.metric == "ratio_to_gold":
        yield from _gold_runs(abouts, line)


def _metrics_of_runs(record: Record, runs: Iterable[str], index: Index) -> list[str]:
    """Metrics files among a table's inputs that judge whether the models of runs have collapsed."""
    written = {path for run in runs if run in index.records for path in index.records[run].outputs}
    return [
        path
        for path in record.inputs
        if (made := index.producer(path)) is not None
        and made.kind == "metrics"
        and written & {*made.inputs}
    ]


def _gold_runs(abouts: Mapping[str, Mapping[str, Any]], line: Line) -> list[str]:
    """Gold runs that a line's time is divided by: of `corrected` where there are some."""
    golds = {
        path: parse(str(about["protocol"])).base
        for path, about in abouts.items()
        if about.get("row") == layout.GOLD and _agrees(about, line, MODELS)
    }
    corrected = [path for path, base in golds.items() if base == CORRECTED.name]
    return corrected or list(golds)


def _inputs_of_paper_table(
    record: Record, line: Line, index: Index, read_described: ReadExperiment
) -> dict[str, list[str]] | None:
    """Returns what a cell of a paper's table rests on: the published reference, measurements, or both."""
    described = [path for path in record.inputs if _kind_of_maker(path, index) == "experiment"]
    if not described or leads_out(described[0]) or not os.path.isfile(described[0]):
        return None
    columns = [name for name, text in line.values.items() if text] or list(line.values)
    bases = {column.partition("_")[0] for column in columns} & {"released", "corrected"}
    reference = [path for path in record.inputs if index.producer(path) is None]
    is_printed = not bases or any(not c.startswith(tuple(bases)) for c in columns)
    is_compared = any(column.endswith(("_difference", "_inside")) for column in columns)
    kept = {record.path: reference if is_printed or is_compared else []}
    read = read_described(Path(described[0]))
    for cell in read.labelled(str(record.about["item"])):
        here = all(str(cell[key]) == line.content[key] for key in PLACE)
        if here and parse(str(cell["protocol"])).base in bases:
            measured = _measured_files(read, cell, line)
            kept[record.path] += [*described, *measured]
            kept |= _predictions_needed(measured if line.metric != "time_min" else (), line, index)
    return kept


def _measured_files(read: Experiment, cell: Mapping[str, Any], line: Line) -> list[str]:
    """Files of a cell that a line's number is made of: metrics, or for minutes run records."""
    if line.metric != "time_min":
        return [path.as_posix() for path in read.metrics(cell)]
    runs = (folders.get(line.content["row"]) for folders in cell["runs"].values())
    return [(Path(folder) / layout.RUN_RECORD).as_posix() for folder in runs if folder]


def _kind_of_maker(path: str, index: Index) -> str:
    record = index.producer(path)
    return record.kind if record is not None else ""
