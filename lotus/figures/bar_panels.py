"""Figures with a bar for each row and protocol, a panel for each place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lotus.figures.floor_band import draw_floor
from lotus.figures.panels import bars, by_place, say_collapsed
from lotus.figures.style import BLACK, GREY, look_of
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.results.metrics import lines_by_row, reference_of, rows_in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WITHIN = 2.0
"""A reference line up to so many times the longest bar is drawn; beyond, it is only stated."""

WHISKER: Any = {"ecolor": BLACK, "elinewidth": 0.8, "capsize": 1.5, "capthick": 0.8}
SEED: Any = {
    "markersize": 2.4,
    "markerfacecolor": "white",
    "markeredgecolor": BLACK,
    "markeredgewidth": 0.5,
}


def bars_by_place(
    frame: pd.DataFrame, fallen: pd.DataFrame, value: str, label: str, reference: str, unit: str
) -> Figure:
    """Draws a bar for the mean of each row, a whisker for its deviation, dots for its seeds.

    Args:
        fallen: lines of collapsed models: these rows have no bar, and the panel says so.
        value: column of the frame that is drawn.
        label: of the horizontal axes.
        reference: row that is a line and not a bar of its own, if it is gold.
        unit: format of the reference's value.

    """
    rows = [row for row in rows_in_order(frame) if row not in (GOLD, GOLD_AGAIN)]
    draw = partial(_bar_panel, value=value, reference=reference, unit=unit)
    return by_place(frame, fallen, label, draw, rows, marker="s")


def _bar_panel(
    axes: Axes,
    part: pd.DataFrame,
    fallen: pd.DataFrame,
    rows: Sequence[str],
    value: str,
    reference: str,
    unit: str,
) -> None:
    looks, longest = look_of(rows), 0.0
    found, lost = lines_by_row(part), lines_by_row(fallen)
    for row, name, height, thickness in bars(part, rows):
        here, gone = found[row, name], lost[row, name]
        if len(gone):
            say_collapsed(axes, height, {name: (gone["seed"].tolist(), len(here))})
        elif len(here):
            _bar(axes, here[value].to_numpy(), height, thickness, looks[row][0], name)
            longest = max(longest, here[value].mean())
    draw_floor(axes, part, value)
    _reference_line(axes, reference_of(part, reference, value), longest, reference, unit)


def _bar(
    axes: Axes, values: np.ndarray, height: float, thickness: float, colour: str, protocol: str
) -> None:
    face = colour if protocol == "corrected" else "white"
    whisker: Any = {"xerr": values.std(ddof=1), "error_kw": WHISKER} if len(values) > 1 else {}
    axes.barh(
        height, values.mean(), thickness, color=face, edgecolor=colour, linewidth=0.8, **whisker
    )
    axes.plot(values, [height] * len(values), "o", **SEED)


def _reference_line(axes: Axes, value: float, longest: float, row: str, unit: str) -> None:
    """Draws a reference if it is not far beyond the bars; in any case says where it is."""
    axes.set_xlim(left=0)
    if np.isnan(value):
        return
    end = axes.get_xlim()[1]
    named = "original, nothing done" if row == ORIGINAL else "training gold"
    how = "off the axis"
    if value <= max(WITHIN * longest, end):
        axes.set_xlim(right=max(end, 1.05 * value))
        axes.axvline(value, color=GREY, linewidth=0.9, linestyle="--", zorder=0)
        how = "dashed"
    axes.set_title(f"{axes.get_title()}\n{named}: {unit.format(value)} ({how})")
