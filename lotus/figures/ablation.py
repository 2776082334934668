"""The cost of each published behaviour for each method, as a map of changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lotus.errors import LotusError
from lotus.figures.panels import BETWEEN, LEGEND, LINE, RIGHT, ROW, place_of
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLUE, PAGE, SETTINGS, VERMILION, empty_figure
from lotus.figures.text_widths import room_of_names, width_of
from lotus.metrics.base import registry
from lotus.results.ablation import ablate
from lotus.results.metrics_file import PLACE
from lotus.results.titles import ROW_TITLES, benchmark_title, row_title
from lotus.tables.spec import BEHAVIOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

HEADS = {"avg_gap": "change of Avg Gap", "accuracy_retain": "change of retain accuracy"}
"""The metrics that are drawn, and the heads of their maps."""
LIMIT = 0.2
"""Changes of this size and more have the full colour."""
EMPTY = "#f1f1f1"
"""Where there is no number; white is no change."""
WIDEST = 0.8
"""Inches of a cell at most."""


@dataclass(frozen=True)
class Map:
    """The changes of one place.

    Attributes:
        tables: metric → change, by row and switch; NaN where there is none.

    """

    place: str
    rows: Sequence[str]
    switches: Sequence[str]
    tables: dict[str, pd.DataFrame]


def ablation(sources: Sequence[Path]) -> Figure:
    """Draws changes against `corrected` by switch and method, mean of paired differences, textbook form.

    Red is for the worse, blue for the better, white is no change; grey where a switch does not concern a
    method or a model has collapsed.

    Raises:
        LotusError: no switch was tried.

    """
    numbers = ablate(sources)
    if numbers.empty:
        raise LotusError("figure ablation: no switch was tried in these metrics files")
    shown = numbers[(numbers["switch"] != "E4") & (numbers["collapsed"] == 0)]
    maps = [_map(benchmark_title(*key), part) for key, part in shown.groupby(PLACE, sort=False)]
    if not maps:
        figure = empty_figure(PAGE, 0.5)
        figure.text(0.5, 0.5, "no change can be stated: models have collapsed", ha="center")
        return figure
    return _drawn(maps)


SPEC = FigureSpec(
    name="ablation",
    draw=ablation,
    each="experiment",
    cells=lambda planned: planned.ablated,
    order=20,
    label="What each published behaviour changes",
    category=BEHAVIOURS,
    summary="One published behaviour at a time, all else corrected: change of Avg Gap and of "
    "retain accuracy; red is for the worse, blue for the better, grey has no number.",
    heading="What each published behaviour costs",
    shows="One behaviour of the published code at a time.",
    section="behaviours",
    page_order=140,
    caption="The same at a glance: changes against corrected, each switch alone. Red: for the "
    "worse; blue: for the better; white: no change; grey: the switch does not concern the method "
    "or the number, or a model has collapsed.",
    alt="Map of changes of Avg Gap and retain accuracy, a row for each method, a column for each "
    "switch",
)


def _map(place: str, part: pd.DataFrame) -> Map:
    known = [row for row in ROW_TITLES if row in part["row"].values]
    rows = list(dict.fromkeys([*known, *part["row"]]))
    switches = list(dict.fromkeys(part["switch"]))
    tables = {
        metric: part.pivot(index="row", columns="switch", values=f"{metric}_change")
        .reindex(index=rows, columns=switches)
        .astype(float)
        for metric in HEADS
    }
    return Map(place, rows, switches, tables)


def _drawn(maps: Sequence[Map]) -> Figure:
    """The maps below each other, their cells all as wide, with one scale of colours on top."""
    left = room_of_names([row for of in maps for row in of.rows])
    titles = [text for of in maps for text in (of.place, *HEADS.values())]
    names = width_of((s for of in maps for s in of.switches), SETTINGS["xtick.labelsize"]) + 0.08
    most = max(len(of.switches) for of in maps)
    across = (PAGE - left - BETWEEN - RIGHT) / 2
    across = max(across, width_of(titles, SETTINGS["axes.titlesize"]))
    cell = min(across / most, WIDEST)
    turned = names > cell
    above, below = 0.07 + 2 * LINE, 0.08 + (names if turned else LINE)
    heights = [above + ROW * len(of.rows) + below for of in maps]
    width = left + 2 * across + BETWEEN + RIGHT
    figure = empty_figure(width, LEGEND + 0.1 + sum(heights))
    figure.set_layout_engine("none")
    top = LEGEND + 0.1
    for of, height in zip(maps, heights, strict=True):
        for number, (metric, table) in enumerate(of.tables.items()):
            corner = left + number * (across + BETWEEN), top + above
            size = cell * len(of.switches), ROW * len(of.rows)
            axes = figure.add_axes(place_of(figure, *corner, *size))
            worse = 1 if registry.specs()[metric].better == "lower" else -1
            _panel(axes, table, worse, turned, named=number == 0)
            axes.set_title(f"{of.place}\n{HEADS[metric]}", y=1, loc="left")
        top += height
    _scale_of_colours(figure)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, worse: int, turned: bool, named: bool) -> None:
    """One map.

    Args:
        worse: sign of a change for the worse.
        turned: names of switches run upwards.
        named: rows are named at the side.

    """
    import seaborn as sns

    colours = _colours()
    sns.heatmap(
        worse * table,
        cmap=colours.cmap,
        norm=colours.norm,
        annot=table.map(_stated),
        fmt="",
        annot_kws={"fontsize": 5.5},
        linewidths=0.5,
        cbar=False,
        xticklabels=False,
        yticklabels=False,
        ax=axes,
    )
    axes.set_facecolor(EMPTY)
    axes.set(xlabel="", ylabel="")
    rows, switches = (np.arange(count) + 0.5 for count in table.shape)
    axes.set_xticks(switches, list(table.columns), rotation=90 if turned else 0)
    axes.set_yticks(rows, [row_title(row) for row in table.index] if named else [])
    axes.tick_params(length=0)


def _stated(change: float) -> str:
    if np.isnan(change):
        return ""
    text = f"{change:+.2f}".replace("0.", ".").replace("-", "−")
    return "0" if text[1:] == ".00" else text


def _colours() -> ScalarMappable:
    """Returns what gives changes for the worse, up to `LIMIT`, their colours."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    colours = LinearSegmentedColormap.from_list("changes", [BLUE, "white", VERMILION])
    return ScalarMappable(Normalize(-LIMIT, LIMIT), colours)


def _scale_of_colours(figure: Figure) -> None:
    axes = figure.add_axes(place_of(figure, figure.get_figwidth() / 2 - 0.8, 0.08, 1.6, 0.08))
    bar = figure.colorbar(_colours(), axes, orientation="horizontal")
    bar.outline.set_visible(False)
    limit = f"{LIMIT:.2f}".removeprefix("0")
    bar.set_ticks([-LIMIT, 0, LIMIT], labels=[f"better by ≥ {limit}", "0", f"worse by ≥ {limit}"])
    bar.ax.tick_params(length=0, pad=2)
