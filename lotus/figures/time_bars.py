"""Seconds of unlearning, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.figures.bar_panels import bars_by_place
from lotus.figures.spec import FigureSpec
from lotus.layout import GOLD, ORIGINAL
from lotus.results.run_records import judged, load_times

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def time_bars(sources: Sequence[Path]) -> Figure:
    """Draws the seconds of unlearning with the method's preparation; the line is retraining gold.

    Training gold can take many times as long: it is then stated instead of drawn, so that the bars of
    the methods stay readable.

    Args:
        sources: records of runs, and the metrics files that judge their models.

    """
    frame = load_times(*judged(sources))
    frame = frame[frame["row"] != ORIGINAL]
    lost = frame[frame["collapsed"]]
    label = "seconds, with preparation (lower is better)"
    return bars_by_place(frame, lost, "seconds", label, GOLD, "{:.1f} s")


SPEC = FigureSpec(
    name="time-bars",
    draw=time_bars,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    folder="timings",
    order=80,
    label="Seconds of unlearning, as bars",
    summary="Seconds of unlearning with the method's own preparation; lower is better.",
    heading="Time by method",
    shows="The published repository has such bars for its six benchmarks with 10 % forgotten.",
    page_order=70,
    caption="Seconds of unlearning, the method's own preparation included (mean, standard "
    "deviation and single seeds; lower is better). The title states the time of training the gold "
    "model anew; where it would shrink the bars it is not drawn. A run that both protocols share "
    "is shown once, under corrected. Rows with a collapsed model have no bar, which their panel says.",
    alt="Bar chart of the seconds of unlearning, a bar for each method and protocol, beside those "
    "of training the gold model",
    is_ours=False,
)
