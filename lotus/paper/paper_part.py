"""The report's part on the paper's tables: what it prints, what was measured, what did not run."""

from collections.abc import Sequence
from dataclasses import dataclass

from lotus import layout
from lotus.paper.exhibits import EXHIBITS, Exhibit, command
from lotus.paper.items import Item, table_item
from lotus.paper.printed import Panel, panels
from lotus.paper.side_by_side import read_comparison


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


def paper_tables() -> list[PaperTable]:
    """All of them, from `results/paper`.

    Raises:
        LotusError: one is absent.

    """
    return [_paper_table(name, exhibit) for name, exhibit in EXHIBITS.items()]


def _paper_table(name: str, exhibit: Exhibit) -> PaperTable:
    found = panels(read_comparison(layout.RESULTS / "paper" / f"{name}.csv"))
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
