"""The floor of gold in figures: a band as far as another gold is from gold, with a paler edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def draw_floor(axes: Axes, part: pd.DataFrame, value: str, upright: bool = True) -> None:
    """Draws the floor of one place from 0 on, under `corrected` where it is there; nothing if not known.

    Args:
        part: metrics of a place, sound.
        value: column with a distance to gold, in textbook form.
        upright: whether values run across; else they run up.

    """
    lines = part[part["row"] == GOLD_AGAIN]
    corrected = lines[lines["protocol"] == CORRECTED.name]
    lines = corrected if len(corrected) else lines
    mean = lines[value].mean(skipna=False) if len(lines) else float("nan")
    if pd.isna(mean):
        return
    largest = max(mean, further_golds(lines)[value].max(skipna=True))
    span = axes.axvspan if upright else axes.axhspan
    look: Any = {"color": YELLOW, "linewidth": 0, "zorder": 0}
    span(0, mean, alpha=MEAN, **look)
    span(mean, largest, alpha=LARGEST, **look)


def floor_handle() -> Patch:
    """Returns what the legend shows of it."""
    from matplotlib.patches import Patch

    return Patch(color=YELLOW, alpha=MEAN, linewidth=0, label=NAME)
