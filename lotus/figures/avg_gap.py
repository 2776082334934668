"""Avg Gap to the gold model, of every method in every benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.figures.dot_panels import dots
from lotus.figures.floor_band import SAID
from lotus.figures.spec import FigureSpec, OnPage
from lotus.layout import GOLD, ORIGINAL
from lotus.results.metrics import load_metrics, sound, with_gold

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def avg_gap(sources: Sequence[Path]) -> Figure:
    """Draws Avg Gap to the gold model: mean over seeds, and each seed; the line is doing nothing.

    The band is the floor. In textbook form for both protocols, so that the axis means one thing. Benchmarks
    without a gold model are left out. Three panels stand side by side, so that three benchmarks fit on
    one screen.
    """
    frame = with_gold(load_metrics(sources))
    fallen = frame[frame["collapsed"] != ""]
    frame = sound(frame)
    frame = frame[frame["row"] != GOLD]
    label = "Avg Gap to gold, textbook form\n(lower is better)"
    return dots(frame, fallen, "avg_gap", label, reference=ORIGINAL, most_columns=3)


def _caption(page: OnPage) -> str:
    both = page.has_both_protocols
    marks = (
        "; filled: corrected, hollow: released, both in textbook form, so that the axis means one "
        "thing"
    )
    return (
        "Avg Gap: mean distance to the gold model of the same seed in MIA, forget, retain and test "
        f"accuracy. Large marks are means, bars single seeds{marks if both else ''}. The dashed line "
        f"is doing nothing{' under corrected' if both else ''}: a method left of it has moved towards "
        f"gold. Collapsed models are not drawn. {SAID}"
    )


SPEC = FigureSpec(
    name="avg-gap",
    draw=avg_gap,
    cells=lambda planned: planned.with_gold,
    order=30,
    label="Avg Gap to the gold model",
    summary="Mean distance to the gold model in MIA, forget, retain and test accuracy; large "
    "marks are means, bars single seeds, the dashed line is doing nothing, the band as far as another "
    "gold is from gold.",
    section="across",
    page_order=80,
    caption=_caption,
    alt="Avg Gap of every method in every benchmark",
    has_entry=False,
)
