"""The report's sections: what is forgotten where, under each protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lotus.config.cells import Benchmark
from lotus.config.protocol import RELEASED, Protocol, parse
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL, REFERENCES, RUN_RECORD
from lotus.page import formulas
from lotus.page.items import Item, PageFigure, figure_on_page, figures_of_section, table_item
from lotus.page.measured_ways import GridCell, of_metric, of_times
from lotus.page.sentences import differences, sentences
from lotus.page.ways import Way
from lotus.predictions.collapse import is_failed
from lotus.results.conventions import Form, StatedRuns, protocol_of
from lotus.results.experiment import Experiment
from lotus.results.floor import best_rows
from lotus.results.metrics import summarise
from lotus.results.metrics_file import KEYS, PLACE
from lotus.results.run_records import load_times
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.cell_texts import forms_of, plus_minus, stated
from lotus.tables.trace import Trace, row_anchor, trace
from lotus.wording import counted


@dataclass(frozen=True)
class TableCell:
    """One cell of a printed table.

    Attributes:
        kind: `best`, or for changes `worse` or `better`; else ''.
        title: shown when pointed at.
        value: the number that a table is sorted by, in the unit of the text; None for none.
        below: a remark under it.
        way: back from the number; None where nothing was computed.

    """

    text: str
    kind: str = ""
    title: str = ""
    value: float | None = None
    below: str = ""
    way: Way | None = None


def number(value: Any) -> float | None:
    """A value to sort by; None for NaN."""
    return None if pd.isna(value) else float(value)


@dataclass(frozen=True)
class Row:
    """One line of a benchmark's table.

    Attributes:
        source: anchor of the runs behind it.
        remark: what must be known of the models before their numbers.
        title: shown when pointed at the remark.

    """

    name: str
    source: str
    remark: str
    title: str
    cells: Sequence[TableCell]
    is_reference: bool


@dataclass(frozen=True)
class MeasuredCell:
    """One cell of the grid as the experiment describes it, with the lines of its metrics.

    Attributes:
        described: what `lotus describe` says of it.
        frame: its metrics, all seeds.
        has_table: whether a table of its own states them.
        conventions: in which they are stated; None: those of its protocol.

    """

    read: Experiment
    described: Mapping[str, Any]
    frame: pd.DataFrame
    has_table: bool = True
    conventions: Protocol | None = None

    @property
    def cell(self) -> Benchmark:
        """Its place in the grid."""
        return Benchmark(**{key: str(self.described[key]) for key in KEYS})

    @property
    def folders(self) -> list[Path]:
        """Its runs' folders, some of which other protocols share."""
        return [
            Path(folder) for rows in self.described["runs"].values() for folder in rows.values()
        ]

    @cached_property
    def stated(self) -> StatedRuns:
        """Its runs in these conventions."""
        return StatedRuns(self.frame, self.conventions or protocol_of(self.frame))

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """Means and deviations in these conventions."""
        return summarise(self.frame, self.conventions)

    @cached_property
    def forms(self) -> list[Form]:
        """Metrics that it has numbers of."""
        return [form for form in forms_of(self.frame) if self.frame[form.source].notna().any()]

    @property
    def asked(self) -> GridCell:
        """Whose numbers have ways back."""
        item = ("tables", self.cell.name) if self.has_table else None
        return GridCell(self.read, self.described, self.stated, item)

    @cached_property
    def ways(self) -> dict[str, dict[str, Way]]:
        """Name of a form → row → way of the number in that form."""
        return {form.name: of_metric(self.asked, form.metric) for form in self.forms}

    @property
    def ways_by_anchor(self) -> dict[str, list[Way]]:
        """Anchor of a row → ways of its numbers, in the order of the forms."""
        return {
            row_anchor(self.cell, row): [of_rows[row] for of_rows in self.ways.values()]
            for row in dict.fromkeys(self.frame["row"])
        }


@dataclass(frozen=True)
class ProtocolPart:
    """One protocol of a section.

    Attributes:
        is_calibrated: whether rows have synthetic images in place of validation images.
        ways: anchor of a row → ways of its metrics.

    """

    anchor: str
    protocol: str
    is_released: bool
    has_gold: bool
    is_calibrated: bool
    heads: Sequence[str]
    rows: Sequence[Row]
    n: int
    table: Item
    figures: Sequence[PageFigure]
    trace: Trace
    ways: Mapping[str, Sequence[Way]]


@dataclass(frozen=True)
class ReportSection:
    """One section of the report: a scenario in one place, under each protocol.

    Attributes:
        rule: how the forget set was chosen.
        forget_images: their number, and what the published JSD must be multiplied by.
        differences: what the released protocol changes.

    """

    anchor: str
    title: str
    rule: str
    forget_images: int
    class_forgetting: bool
    sentences: Sequence[str]
    differences: Sequence[str]
    parts: Sequence[ProtocolPart]

    @property
    def figures(self) -> list[PageFigure]:
        """Figures of its parts, those of one kind side by side."""
        every = (figure for part in self.parts for figure in part.figures)
        return sorted(every, key=lambda figure: (figure.spec.page_order, figure.spec.name))


def section(read: Experiment, measured: Sequence[MeasuredCell]) -> ReportSection:
    """Returns one section.

    Args:
        read: the experiment.
        measured: its cells, one for each protocol.

    """
    runs = read.runs
    first = measured[0]
    frames = {each.cell.protocol: each.frame for each in measured}
    notes = [
        runs[folder].content["notes"]["forget_set"]
        for folder in first.folders
        if "forget_set" in runs[folder].content["notes"]
    ]
    place = [str(first.described[key]) for key in PLACE]
    return ReportSection(
        anchor="-".join(part for part in place if part),
        title=benchmark_title(*place),
        rule="; ".join(sorted({note["rule"] for note in notes})),
        forget_images=notes[0]["images"],
        class_forgetting=read.forgets_a_class(first.described),
        sentences=sentences(frames, {each.cell.protocol: each.numbers for each in measured}),
        differences=differences(frames),
        parts=[_part(read, each, is_first=each is first) for each in measured],
    )


def _part(read: Experiment, measured: MeasuredCell, is_first: bool) -> ProtocolPart:
    cell = measured.cell
    title = benchmark_title(*(measured.described[key] for key in KEYS))
    best = {
        form.metric: best_rows(measured.numbers, form.metric, form.resolution)
        for form in measured.forms
    }
    times = load_times([folder / RUN_RECORD for folder in measured.folders])
    is_released = parse(cell.protocol).base == RELEASED.base
    time_columns = ["seconds", MINUTES] if is_released else ["seconds"]
    ways = {
        name: of_times(measured.asked, times, name, TIME_DECIMALS[name], TIME_FORMULAS[name])
        for name in time_columns
    }
    return ProtocolPart(
        anchor=cell.name,
        protocol=cell.protocol,
        is_released=is_released,
        has_gold=GOLD in measured.numbers.index,
        is_calibrated=any(row["calibration"] for row in measured.described["methods"].values()),
        heads=[form.title for form in measured.forms] + [TIME_HEADS[name] for name in time_columns],
        rows=[
            _row(measured, str(row), best, times[times["row"] == row][time_columns], ways)
            for row in measured.numbers.index
        ],
        n=int(measured.numbers["n"].max()),
        table=table_item("tables", cell.name),
        figures=[
            figure_on_page(read, made, f": {title}", is_first)
            for made in figures_of_section(read, "benchmark")
            if made["about"] == cell.labels
        ],
        trace=trace(measured.described, measured.stated, measured.forms, read.runs),
        ways=measured.ways_by_anchor,
    )


MINUTES = "minutes_released_r1"
TIME_DECIMALS = {"seconds": 1, MINUTES: 2}
TIME_FORMULAS = {"seconds": formulas.SECONDS, MINUTES: formulas.MINUTES}
TIME_HEADS = {"seconds": "Time (s)", MINUTES: "Minutes (as released)"}


def _row(
    measured: MeasuredCell,
    row: str,
    best: Mapping[str, set[str]],
    times: pd.DataFrame,
    ways: Mapping[str, Mapping[str, Way]],
) -> Row:
    numbers = measured.numbers
    cells = [
        TableCell(
            stated(numbers, row, form),
            "best" if row in best[form.metric] else "",
            _why_empty(measured, row, form),
            number(numbers.at[row, form.name] * form.scale),
            way=measured.ways[form.name][row],
        )
        for form in measured.forms
    ]
    spent = [
        TableCell(
            plus_minus(times[name].mean(), times[name].std(), TIME_DECIMALS[name]),
            value=number(times[name].mean()),
            way=ways[name].get(row),
        )
        for name in times
    ]
    return Row(
        name=row_title(row),
        source=row_anchor(measured.cell, row),
        remark=_remark(measured, row),
        title=str(numbers.at[row, "why"]),
        cells=[*cells, *spent],
        is_reference=row in REFERENCES,
    )


def _remark(measured: MeasuredCell, row: str) -> str:
    count, n = (measured.numbers.at[row, name] for name in ("collapsed", "n"))
    if count:
        fallen = measured.frame.loc[measured.frame["row"] == row, "collapsed"]
        failed = int(fallen.map(is_failed).sum())
        how = {"collapsed": count - failed, "failed": failed}
        said = [
            f"{verb} in {number} of {counted(n, 'seed')}" for verb, number in how.items() if number
        ]
        return ", ".join(said)
    same = measured.frame.loc[measured.frame["row"] == row, "same_as_original"]
    return "equals the original" if row != ORIGINAL and same.astype(bool).all() else ""


def _why_empty(measured: MeasuredCell, row: str, form: Form) -> str:
    """Returns why a cell has no number; '' if it has one."""
    if pd.notna(measured.numbers.at[row, form.name]):
        return ""
    if measured.numbers.at[row, "collapsed"]:
        return str(measured.numbers.at[row, "why"])
    if row == GOLD_AGAIN and form.of_means:
        return "golds of other seeds are the same models as gold over all seeds: gold_seeds adds others"
    return "gold is what this is measured against" if row == GOLD else "undefined"
