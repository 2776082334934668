"""JSD to the gold model, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.figures.bar_panels import bars_by_place
from lotus.figures.floor_band import SAID
from lotus.figures.spec import FigureSpec
from lotus.layout import ORIGINAL
from lotus.results.metrics import load_metrics, sound, with_gold

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def jsd_bars(sources: Sequence[Path]) -> Figure:
    """Draws JSD to the gold model on the forget images, textbook form; the line is doing nothing.

    In nats for both protocols, so that the axis means one thing. Benchmarks without a gold model are
    left out; so are rows with a collapsed model, which their panel says.
    """
    frame = with_gold(load_metrics(sources))
    fallen = frame[frame["collapsed"] != ""]
    label = "JSD to gold on the forget images\n(nats, lower is better)"
    return bars_by_place(sound(frame), fallen, "jsd", label, ORIGINAL, "{:.3f} nats")


SPEC = FigureSpec(
    name="jsd-bars",
    draw=jsd_bars,
    cells=lambda planned: planned.with_gold,
    order=50,
    label="JSD to the gold model",
    summary="Distance of what each model says of the forget images from what the gold model says, "
    "in nats; lower is better.",
    heading="JSD by method",
    shows="The published repository has such bars for its six benchmarks with 10 % forgotten.",
    page_order=60,
    caption="Distance of what each model says of the forget images from what the gold model says "
    "(Jensen–Shannon divergence in nats, textbook form under both protocols; at most ln 2 = .693; "
    "lower is better). Bars are means over the seeds, whiskers standard deviations, dots single "
    "seeds; the dashed line is the original, to which nothing was done. Rows with a collapsed "
    f"model have no bar. {SAID}",
    alt="Bar chart of the JSD to gold on the forget images, a bar for each method and protocol, a "
    "panel for each benchmark",
    is_ours=False,
)
