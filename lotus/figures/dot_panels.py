"""Figures with a mark for each model: the mean large, the seeds small; a panel for each place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from lotus.figures.floor_band import draw_floor
from lotus.figures.panels import PROTOCOLS, by_place, say_collapsed
from lotus.figures.style import GREY, look_of
from lotus.layout import ORIGINAL
from lotus.results.titles import row_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

REFERENCE_LINE: Any = {"color": GREY, "linewidth": 0.8, "linestyle": "--"}
BELOW = dict(zip(PROTOCOLS, (-0.17, 0.17), strict=True))
"""How far from the middle of its row a protocol is drawn."""


def dots(
    frame: pd.DataFrame,
    fallen: pd.DataFrame,
    value: str,
    label: str,
    reference: str,
    most_columns: int = 2,
) -> Figure:
    """Draws a large mark for each row's mean, small ones for its seeds.

    `corrected` is filled, `released` hollow and a little below; the line is the reference row under
    `corrected`, the band the floor of gold, if it is known.

    Args:
        fallen: lines of collapsed models: these rows are not drawn, and the panel says so.
        most_columns: panels side by side at most.

    """
    draw = partial(_dot_panel, value=value, reference=reference)
    samples = [_line_handle(reference)] if (frame["row"] == reference).any() else []
    return by_place(frame, fallen, label, draw, most_columns=most_columns, samples=samples)


def _line_handle(reference: str) -> Line2D:
    """Returns what the legend shows of the reference's line."""
    from matplotlib.lines import Line2D

    named = "doing nothing" if reference == ORIGINAL else row_title(reference)
    return Line2D([], [], **REFERENCE_LINE, label=named)


def _dot_panel(
    axes: Axes,
    part: pd.DataFrame,
    fallen: pd.DataFrame,
    rows: Sequence[str],
    value: str,
    reference: str,
) -> None:
    import seaborn as sns

    looks, heights = look_of(rows), {row: place for place, row in enumerate(rows)}
    lost: dict[str, dict[str, tuple[Sequence[int], int]]] = {}
    for name, below in BELOW.items():
        # Of rows that are shown: a collapsed gold model is in no row.
        here, gone = (of[(of["protocol"] == name) & of["row"].isin(rows)] for of in (part, fallen))
        for row, lines in gone.groupby("row", sort=False):
            n = int((here["row"] == row).sum())
            lost.setdefault(str(row), {})[name] = lines["seed"].tolist(), n
        here = here[~here["row"].isin(gone["row"]) & here[value].notna()]
        shown = [row for row in rows if (here["row"] == row).any()]
        if not shown:
            continue
        common: Any = {
            "data": here.assign(height=here["row"].map(heights) + below),
            **{"x": value, "y": "height", "orient": "y", "native_scale": True},
            **{"hue": "row", "hue_order": shown, "palette": [looks[row][0] for row in shown]},
            **{"legend": False, "ax": axes},
        }
        sns.stripplot(**common, jitter=False, marker="|", size=5, linewidth=1.0, alpha=0.7)
        face = {} if name == "corrected" else {"markerfacecolor": "white"}
        markers = [looks[row][1] for row in shown]
        mean: Any = {"errorbar": None, "linestyle": "none", "markersize": 5, "markeredgewidth": 1.0}
        sns.pointplot(**common, **mean, **face, markers=markers)
        if name == "corrected" and reference in shown:
            level = here.loc[here["row"] == reference, value].mean()
            axes.axvline(level, **REFERENCE_LINE, zorder=0)
    for row, of_row in lost.items():
        # Both protocols in one line: two of them do not fit into a row.
        below = BELOW[next(iter(of_row))] if len(of_row) == 1 else 0.0
        say_collapsed(axes, heights[row] + below, of_row)
    draw_floor(axes, part, value)
    axes.set(xlabel="", ylabel="")
    axes.set_xlim(left=0)
