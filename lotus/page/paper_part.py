"""The report's part on the paper's tables and figures: what is printed, was measured, did not run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus import layout
from lotus.figures.registry import FIGURES
from lotus.figures.spec import FigureSpec
from lotus.page.items import Item, figure_on_page, table_item
from lotus.published.full_size import command
from lotus.published.side_by_side import read_comparison
from lotus.results.experiment import Experiment
from lotus.results.metrics import benchmark_title
from lotus.tables.paper.spec import PaperTableSpec
from lotus.tables.printed import Panel, panels
from lotus.tables.registry import PAPER_TABLES


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
    here: Sequence[Panel]
    elsewhere: Sequence[Panel]
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


def paper_tables() -> list[PaperTable]:
    """Returns all of them, from `results/paper`.

    Raises:
        LotusError: one is absent.

    """
    return [_paper_table(spec) for spec in PAPER_TABLES.specs.values()]


def _paper_table(spec: PaperTableSpec) -> PaperTable:
    found = panels(read_comparison(layout.item_file(layout.PAPER, spec.name, "csv")))
    here = [panel for panel in found if panel.ran]
    elsewhere = [panel for panel in found if not panel.ran]
    return PaperTable(
        anchor=f"item-{spec.name}",
        heading=spec.heading,
        submission=spec.submission,
        shows=spec.shows,
        coverage=_coverage(here, elsewhere),
        command=command(spec.name),
        here=here,
        elsewhere=elsewhere,
        table=table_item("paper", spec.name),
    )


def _coverage(here: Sequence[Panel], elsewhere: Sequence[Panel]) -> str:
    ran = sum(panel.of_paper for panel in here)
    every = ran + len(elsewhere)
    others = [panel.title for panel in here if not panel.of_paper]
    theirs = f"{ran} of the paper's {every} benchmarks ran here" if every else ""
    ours = f"ran here on {'; '.join(others)}, which the paper does not have" if others else ""
    if not here:
        return "Not run here."
    return ". ".join(part[0].upper() + part[1:] for part in (theirs, ours) if part) + "."
