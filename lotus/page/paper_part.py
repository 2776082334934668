"""The report's part on the paper's tables and figures: what is printed, was measured, did not run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus import layout
from lotus.figures.captions import WORDS
from lotus.page.items import Item, figure_item, table_item
from lotus.published.side_by_side import read_comparison
from lotus.results.experiment import Experiment
from lotus.results.metrics import benchmark_title
from lotus.tables.exhibits import EXHIBITS, PICTURES, Exhibit, command
from lotus.tables.printed import Panel, panels


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
class Shown:
    """One figure.

    Attributes:
        where: benchmark or data set in words.
        anchor: where on the page it stands.

    """

    where: str
    anchor: str
    item: Item


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper, or one of ours.

    Attributes:
        caption: '' where the figures stand in another part of the page.
        command: what draws it for the paper's benchmarks.

    """

    anchor: str
    heading: str
    shows: str
    caption: str
    command: str
    figures: Sequence[Shown]


def paper_figures(read: Experiment, is_ours: bool) -> list[PaperFigure]:
    """Those of the paper, or those of ours.

    Raises:
        LotusError: a figure of the experiment is absent.

    """
    return [
        PaperFigure(
            anchor=f"item-{name}",
            heading=picture.heading,
            shows=picture.shows,
            caption=WORDS[picture.kind].caption if picture.kind in WORDS else "",
            command=command(name),
            figures=[_shown(made) for made in read.figures if made["kind"] == picture.kind],
        )
        for name, picture in PICTURES.items()
        if picture.is_ours == is_ours
    ]


def _shown(made: Mapping[str, Any]) -> Shown:
    where = benchmark_title(**made["about"]) or "all benchmarks"
    alt = f"{WORDS[made['kind']].alt}: {where}" if made["kind"] in WORDS else ""
    item = figure_item(made["folder"], made["name"], alt)
    # Pictures of images that are alike are there only if any are.
    return Shown(where, "data" if made["kind"] == "duplicates" else item.anchor, item)


def paper_tables() -> list[PaperTable]:
    """All of them, from `results/paper`.

    Raises:
        LotusError: one is absent.

    """
    return [_paper_table(name, exhibit) for name, exhibit in EXHIBITS.items()]


def _paper_table(name: str, exhibit: Exhibit) -> PaperTable:
    found = panels(read_comparison(layout.item_file(layout.PAPER, name, "csv")))
    here = [panel for panel in found if panel.ran]
    elsewhere = [panel for panel in found if not panel.ran]
    return PaperTable(
        anchor=f"item-{name}",
        heading=exhibit.heading,
        submission=exhibit.submission,
        shows=str(exhibit.make.__doc__).strip(),
        coverage=_coverage(here, elsewhere),
        command=command(name),
        here=here,
        elsewhere=elsewhere,
        table=table_item("paper", name),
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
