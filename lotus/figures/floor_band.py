"""The floor of gold in figures: a band as far as another gold is from gold, with a paler edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lotus.config.protocol import CORRECTED
from lotus.figures.style import YELLOW
from lotus.layout import GOLD_AGAIN
from lotus.results.further_golds import further_golds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

MEAN, LARGEST = 0.3, 0.12
"""How dense the band is up to the mean, and from there to the largest."""
NAME = "floor: another gold"
SAID = (
    "The band is the floor: as far as another retraining is from gold, in the mean, with a paler edge to "
    "the farthest. Methods inside it cannot be told from retraining, nor from each other; where there is "
    "no band, the floor is not known."
)
"""What captions say of it."""


LOOK: Any = {"color": YELLOW, "linewidth": 0, "zorder": 0}


def floor_edges(part: pd.DataFrame, value: str) -> tuple[float, float] | None:
    """Returns how far other golds are from gold at one place: in the mean, and the farthest.

    Under `corrected` where it is there; None where it is not known.

    Args:
        part: metrics of a place, sound.
        value: column with a distance to gold, in textbook form.

    """
    lines = part[part["row"] == GOLD_AGAIN]
    corrected = lines[lines["protocol"] == CORRECTED.name]
    lines = corrected if len(corrected) else lines
    mean = lines[value].mean(skipna=False) if len(lines) else float("nan")
    if pd.isna(mean):
        return None
    return float(mean), float(max(mean, further_golds(lines)[value].max(skipna=True)))


def draw_floor(axes: Axes, part: pd.DataFrame, value: str, upright: bool = True) -> None:
    """Draws the floor of one place from 0 on; nothing if not known.

    Args:
        part, value: as `floor_edges` takes them.
        upright: whether values run across; else they run up.

    """
    if edges := floor_edges(part, value):
        mean, largest = edges
        span = axes.axvspan if upright else axes.axhspan
        span(0, mean, alpha=MEAN, **LOOK)
        span(mean, largest, alpha=LARGEST, **LOOK)


def draw_floor_in_lanes(
    axes: Axes, part: pd.DataFrame, value: str, heights: np.ndarray, thickness: float
) -> None:
    """As `draw_floor` with values across, but only at some heights: where a panel has several floors."""
    if edges := floor_edges(part, value):
        mean, largest = edges
        axes.barh(heights, mean, thickness, alpha=MEAN, **LOOK)
        axes.barh(heights, largest - mean, thickness, left=mean, alpha=LARGEST, **LOOK)


def floor_handle() -> Patch:
    """Returns what the legend shows of it."""
    from matplotlib.patches import Patch

    return Patch(color=YELLOW, alpha=MEAN, linewidth=0, label=NAME)
