"""Seconds of unlearning beside those of retraining."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.figures.dot_panels import dots
from lotus.figures.spec import FigureSpec, OnPage
from lotus.layout import GOLD, ORIGINAL
from lotus.results.run_records import judged, load_times

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def times(sources: Sequence[Path]) -> Figure:
    """Draws the seconds of unlearning, with preparation, beside those of training gold, if it was.

    Args:
        sources: records of runs, and the metrics files that judge their models.

    """
    frame = load_times(*judged(sources))
    frame = frame[frame["row"] != ORIGINAL]
    lost = frame[frame["collapsed"]]
    return dots(frame, lost, "seconds", "seconds (lower is better)", reference=GOLD)


def _caption(page: OnPage) -> str:
    where = "" if page.has_gold_everywhere else ", where one was"
    marks = "; filled: corrected, hollow: released" if page.has_both_protocols else ""
    return (
        "Seconds of unlearning with the method's own preparation, and of training the gold model anew "
        f"(dashed{where}){marks}. Rows with a collapsed model are not drawn, which their panel says. "
        "Wall time on this machine; ratios mean more than seconds."
    )


SPEC = FigureSpec(
    name="times",
    draw=times,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    folder="timings",
    order=70,
    label="Seconds of unlearning and of retraining",
    summary="Seconds of unlearning with the method's own preparation, and of training the gold "
    "model anew (dashed).",
    section="across",
    page_order=90,
    caption=_caption,
    alt="Seconds of unlearning beside those of retraining",
    has_entry=False,
)
