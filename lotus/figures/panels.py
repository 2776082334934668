"""The common parts of figures with a panel for each place and a line for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lotus.figures.floor_band import floor_handle
from lotus.figures.style import BLACK, COLUMN, GREY, PAGE, SCREEN, SETTINGS, empty_figure
from lotus.figures.text_widths import legend_width, room_of_names, width_of
from lotus.layout import GOLD_AGAIN
from lotus.results.collapsed import in_seeds
from lotus.results.metrics import by_base, rows_in_order
from lotus.results.metrics_file import PLACE
from lotus.results.titles import benchmark_title, row_title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    PanelOf = Callable[[Axes, pd.DataFrame, pd.DataFrame, Sequence[str]], None]
    """Draws one place: axes, its lines, its lines of collapsed models, rows down the side."""

PROTOCOLS = ("corrected", "released")
"""Drawn as filled and as hollow marks."""

ROW, LINE, TICKS, LEGEND = 0.21, 0.135, 0.22, 0.28
"""Inches down: a row of a panel, a line of its title or label, the numbers below it, the legend on top."""
BETWEEN, RIGHT = 0.3, 0.12
"""Inches across: from one panel to the next, and to the edge."""

WIDTHS = {1: COLUMN, 2: PAGE}
"""Panels side by side → inches of the figure; more are for the screen."""

NAMED = 3
"""Seeds of collapsed models that a figure names; of more it says how many there are."""
SMALL = 5.5
"""Points of remarks within a panel."""

Loc = Literal["upper center", "outside upper center"]


def by_place(
    frame: pd.DataFrame,
    fallen: pd.DataFrame,
    label: str,
    draw: PanelOf,
    rows: Sequence[str] | None = None,
    marker: str = "o",
    most_columns: int = 2,
    samples: Sequence[Artist] = (),
) -> Figure:
    """Returns a figure with a panel for each place, the rows down the side.

    Args:
        fallen: lines of collapsed models; each panel is told its own.
        label: of the horizontal axes.
        rows: which are shown; by default all.
        marker: of the legend.
        most_columns: panels side by side at most; more than two make it as wide as a screen shows it.
        samples: further ones of the legend.

    """
    frame, fallen = by_base(frame), by_base(fallen)
    if rows is None:
        rows = [row for row in rows_in_order(frame) if row != GOLD_AGAIN]
    further = [*samples, *([floor_handle()] if (frame["row"] == GOLD_AGAIN).any() else [])]
    cells = list(frame.groupby(PLACE, sort=False))
    columns = max(1, min(most_columns, len(cells)))
    lines = -(-len(cells) // columns)
    handles = handles_of_protocols(frame, marker, further)
    # The legend has one row: of a figure that is narrower both ends would be cut.
    legend = legend_width([str(handle.get_label()) for handle in handles], len(handles) or 1)
    figure, panels = row_panels(lines, columns, max(WIDTHS.get(columns, SCREEN), legend))
    for axes, (key, part) in zip(panels.flat, cells, strict=False):
        # Its place is given, since looking for it takes long; there is nothing above a panel.
        axes.set_title(panel_title(*key), y=1)
        draw(axes, part, fallen[(fallen[PLACE] == list(key)).all(axis=1)], rows)
        axes.grid(axis="x")
    for axes in panels.flat[len(cells) :]:
        axes.set_visible(False)
    name_rows(panels[0, 0], rows)
    # The last of each column.
    for axes in panels.flat[max(0, len(cells) - columns) : len(cells)]:
        axes.set_xlabel(label)
    place_row_panels(figure, panels, rows)
    if handles:
        figure.legend(handles=handles, loc="upper center", ncols=len(handles))
    return figure


def row_panels(lines: int, columns: int, width: float) -> tuple[Figure, np.ndarray]:
    """Returns panels `[lines, columns]` with the same rows; `place_row_panels` gives them their places."""
    figure = empty_figure(width, lines)
    figure.set_layout_engine("none")
    return figure, figure.subplots(lines, columns, sharey=True, squeeze=False)


def place_row_panels(figure: Figure, panels: np.ndarray, rows: Sequence[str]) -> None:
    """Places panels, and makes the figure as high as they need, and wider where titles or labels need it.

    Constrained layout would find much the same in many times the time.
    """
    lines, columns = panels.shape
    titles = [axes.get_title().split("\n") for axes in panels.flat]
    labels = [axes.get_xlabel().split("\n") for axes in panels.flat]
    title, label = (0.07 + LINE * max(map(len, texts)) for texts in (titles, labels))
    left = room_of_names(rows)
    least = max(
        width_of(chain.from_iterable(titles), SETTINGS["axes.titlesize"]),
        width_of(chain.from_iterable(labels), SETTINGS["axes.labelsize"]),
    )
    around = left + (columns - 1) * BETWEEN + RIGHT
    width = max(figure.get_figwidth(), around + columns * least)
    wide, high = (width - around) / columns, ROW * max(1, len(rows))
    pitch = title + high + TICKS
    height = LEGEND + lines * pitch + label
    figure.set_size_inches(width, height)
    for (line, column), axes in np.ndenumerate(panels):
        corner = left + column * (wide + BETWEEN), LEGEND + line * pitch + title
        axes.set_position(place_of(figure, *corner, wide, high))


def place_of(
    figure: Figure, left: float, top: float, wide: float, high: float
) -> tuple[float, float, float, float]:
    """Returns, for `add_axes`, a panel so many inches from the left and the top, so large."""
    width, height = figure.get_size_inches()
    return left / width, 1 - (top + high) / height, wide / width, high / height


def panel_title(
    dataset: str, architecture: str, scenario: str, study: str = "", protocol: str = ""
) -> str:
    """Returns a benchmark in two lines, so that titles side by side keep apart."""
    lines = (
        benchmark_title(dataset, architecture),
        benchmark_title(scenario=scenario, study=study, protocol=protocol),
    )
    return "\n".join(filter(None, lines))


def bars(frame: pd.DataFrame, rows: Sequence[str]) -> Iterator[tuple[str, str, float, float]]:
    """Yields row, protocol, height and thickness of each bar: those of a row side by side, in its place."""
    names = [name for name in PROTOCOLS if (frame["protocol"] == name).any()]
    room = 0.8 / len(names)
    for place, row in enumerate(rows):
        for number, name in enumerate(names):
            yield row, name, place + (number - (len(names) - 1) / 2) * room, 0.86 * room


def name_rows(axes: Axes, rows: Sequence[str]) -> None:
    """Writes the names of rows down the side, the first at the top."""
    axes.set_yticks(range(len(rows)), [row_title(row) for row in rows])
    axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)


def say_collapsed(
    axes: Axes, height: float, fallen: Mapping[str, tuple[Sequence[int], int]]
) -> None:
    """Writes, in place of a row's marks, that its models have collapsed.

    Args:
        fallen: protocol → seeds whose model has collapsed, and how many seeds there are.

    """
    if len(fallen) == 1:
        ((name, (seeds, n)),) = fallen.items()
        text = f"{name}: collapsed {in_seeds(seeds, n, NAMED)}"
    else:
        named = [f"{name} {in_seeds(seeds, n, NAMED)}" for name, (seeds, n) in fallen.items()]
        text = f"collapsed: {', '.join(named)}"
    place = axes.get_yaxis_transform()
    axes.text(0.02, height, text, transform=place, va="center", fontsize=SMALL, color=GREY)


def handles_of_protocols(
    frame: pd.DataFrame, marker: str = "o", further: Sequence[Artist] = ()
) -> list[Artist]:
    """Samples of what is filled and what is hollow, where both are there, and `further` ones."""
    from matplotlib.lines import Line2D

    if not all((frame["protocol"] == name).any() for name in PROTOCOLS):
        return [*further]
    mark: Any = {"linestyle": "", "marker": marker, "color": BLACK}
    of_protocols = (
        Line2D([], [], **mark, markerfacecolor=face, label=name)
        for name, face in zip(PROTOCOLS, (BLACK, "white"), strict=True)
    )
    return [*of_protocols, *further]


def legend_of_protocols(
    figure: Figure, frame: pd.DataFrame, marker: str = "o", loc: Loc = "upper center"
) -> None:
    """Adds a legend of what is filled and what is hollow, where both are there."""
    if handles := handles_of_protocols(frame, marker):
        figure.legend(handles=handles, loc=loc, ncols=len(handles))
