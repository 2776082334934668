"""The report's part on the paper's tables and figures: what is printed, was measured, did not run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.figures.registry import FIGURES
from lotus.figures.spec import FigureSpec
from lotus.page.items import Item, figure_on_page, table_item
from lotus.page.paper_ways import PaperWays
from lotus.page.sections import TableCell
from lotus.published.full_size import command
from lotus.published.side_by_side import read_comparison
from lotus.results.experiment import Experiment
from lotus.results.titles import benchmark_title
from lotus.tables.paper.spec import PaperTableSpec
from lotus.tables.printed import BenchmarkPanel, Compared, Line, by_benchmark, panel_of
from lotus.tables.registry import PAPER_TABLES


@dataclass(frozen=True)
class ShownPanel:
    """One benchmark of a table, as `lotus.tables.printed.BenchmarkPanel`, its numbers with their ways."""

    title: str
    of_paper: bool
    metrics: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[TableCell]]]


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper.

    Attributes:
        shows: what it is about.
        coverage: which of its benchmarks ran here.
        command: what runs them all.
        here: benchmarks that ran.
        elsewhere: benchmarks of the paper that did not.

    """

    anchor: str
    heading: str
    submission: str
    shows: str
    coverage: str
    command: str
    here: Sequence[ShownPanel]
    elsewhere: Sequence[ShownPanel]
    table: Item


@dataclass(frozen=True)
class FigureOfEntry:
    """One figure.

    Attributes:
        where: benchmark or data set in words.
        anchor: where on the page it stands.

    """

    where: str
    anchor: str
    item: Item
    caption: str


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper, or one of ours.

    Attributes:
        absent: what is said where there are none.
        is_here: whether the figures stand here, and not in another part of the page.
        command: what draws it for the paper's benchmarks.

    """

    anchor: str
    heading: str
    shows: str
    absent: str
    is_here: bool
    command: str
    figures: Sequence[FigureOfEntry]


def paper_figures(read: Experiment, is_ours: bool) -> list[PaperFigure]:
    """Returns the entries of the paper's figures, or of ours.

    Raises:
        LotusError: a figure of the experiment is absent.

    """
    entries = [
        spec for spec in FIGURES.specs.values() if spec.has_entry and spec.is_ours == is_ours
    ]
    return [
        PaperFigure(
            anchor=f"item-{spec.item}",
            heading=spec.title,
            shows=spec.shows,
            absent=spec.absent,
            is_here=spec.section == "own",
            command=command(spec.item),
            figures=[
                _figure_of_entry(read, spec, made)
                for made in read.figures
                if made["kind"] == spec.name
            ],
        )
        for spec in sorted(entries, key=lambda spec: (spec.page_order, spec.name))
    ]


def _figure_of_entry(read: Experiment, spec: FigureSpec, made: Mapping[str, Any]) -> FigureOfEntry:
    where = benchmark_title(**made["about"]) or "all benchmarks"
    figure = figure_on_page(read, made, f": {where}")
    return FigureOfEntry(where, spec.anchor or figure.item.anchor, figure.item, figure.caption)


def paper_tables(read: Experiment, published: Path) -> list[PaperTable]:
    """Returns all of them, from `results/paper`.

    Args:
        published: folder of the published reference.

    Raises:
        LotusError: one is absent.

    """
    return [
        _paper_table(spec, PaperWays(read, spec.name, published))
        for spec in PAPER_TABLES.specs.values()
    ]


def _paper_table(spec: PaperTableSpec, ways: PaperWays) -> PaperTable:
    numbers = read_comparison(layout.item_file(layout.PAPER, spec.name, "csv"))
    found = [(panel_of(part), part) for part in by_benchmark(numbers)]
    here = [(panel, part) for panel, part in found if panel.ran]
    elsewhere = [(panel, part) for panel, part in found if not panel.ran]
    return PaperTable(
        anchor=f"item-{spec.name}",
        heading=spec.heading,
        submission=spec.submission,
        shows=spec.shows,
        coverage=_coverage([panel for panel, _ in here], [panel for panel, _ in elsewhere]),
        command=command(spec.name),
        here=[_with_ways(panel, part, ways) for panel, part in here],
        elsewhere=[_with_ways(panel, part, ways) for panel, part in elsewhere],
        table=table_item("paper", spec.name),
    )


def _with_ways(panel: BenchmarkPanel, part: Sequence[Line], ways: PaperWays) -> ShownPanel:
    """Returns a panel with the way of each of its numbers.

    Args:
        part: the lines of the table that the panel is of.

    """
    lines = {(line["row"], line["metric"]): line for line in part}
    metrics = dict.fromkeys(line["metric"] for line in part)
    columns = [(metric, column) for metric in metrics for column in panel.columns]
    names = dict.fromkeys(line["row"] for line in part)
    return ShownPanel(
        panel.title,
        panel.of_paper,
        panel.metrics,
        panel.columns,
        [
            (
                name,
                [
                    _cell(cell, lines.get((row, metric)), column, ways)
                    for cell, (metric, column) in zip(cells, columns, strict=True)
                ],
            )
            for row, (name, cells) in zip(names, panel.rows, strict=True)
        ],
    )


def _cell(cell: Compared, line: Line | None, column: str, ways: PaperWays) -> TableCell:
    way = None if line is None else ways.of_number(line, column)
    return TableCell(cell.text, cell.kind, cell.title, cell.value, cell.below, way)


def _coverage(here: Sequence[BenchmarkPanel], elsewhere: Sequence[BenchmarkPanel]) -> str:
    ran = sum(panel.of_paper for panel in here)
    every = ran + len(elsewhere)
    others = [panel.title for panel in here if not panel.of_paper]
    theirs = f"{ran} of the paper's {every} benchmarks ran here" if every else ""
    ours = f"ran here on {'; '.join(others)}, which the paper does not have" if others else ""
    if not here:
        return "Not run here."
    return ". ".join(part[0].upper() + part[1:] for part in (theirs, ours) if part) + "."
