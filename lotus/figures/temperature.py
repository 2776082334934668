"""How LoTUS steers itself, epoch by epoch, from the records of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.config.protocol import parse
from lotus.errors import LotusError
from lotus.figures.panels import LEGEND, LINE, NAMED, TICKS, panel_title, place_of
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, COLUMN, GREY, PAGE, SETTINGS, empty_figure, look_of
from lotus.figures.text_widths import width_of
from lotus.results.collapsed import in_seeds
from lotus.results.metrics_file import MODELS
from lotus.results.run_records import Course, judged, load_courses
from lotus.results.titles import row_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLUMNS = 3
LEFT, BETWEEN, RIGHT, KEY = 0.55, 0.38, 0.1, 0.33
"""Inches across: at the left, from one panel to the next, at the right, and a line's sample in a legend."""
HIGH, GAP, LABEL = (0.85, 0.75), 0.05, 0.28
"""Inches down: upper and lower panel, from the numbers of one to the other, and the label below."""
SMALL = 6.0
"""Points of the letters in legends of panels."""
WIDE = 20.0
"""Temperatures of which the largest is so many times the smallest get a logarithmic axis."""

Series = dict[tuple[str, str], list[Course]]
"""Row and base protocol → its seeds."""


def temperature(sources: Sequence[Path]) -> Figure:
    """Draws LoTUS's temperature in each epoch, and below it the forget accuracy that it is computed from.

    A pair of panels for each place. Marks are means over the seeds (of temperatures the geometric one)
    as long as all of them run; thin lines are single seeds, with a cross where one ends early; dashed is
    each seed's accuracy on unseen images, which forget accuracy is to come down to (0 where a class is
    forgotten). Rows of which a model has collapsed are not drawn, which their panel says.

    Args:
        sources: records of runs, and the metrics files that judge their models.

    Raises:
        LotusError: there is no run of LoTUS among the sources.

    """
    records, fallen = judged(sources)
    courses = load_courses(records, fallen)
    if not courses:
        raise LotusError(
            f"figure temperature: none of the {len(records)} run records is of the method 'lotus'"
        )
    here: dict[tuple[str, ...], list[Course]] = {}
    for course in courses:
        here.setdefault(tuple(course.about[key] for key in MODELS), []).append(course)
    places = [(panel_title(*place), _in_series(of)) for place, of in here.items()]
    looks = look_of(list(dict.fromkeys(course.about["row"] for course in courses)))
    figure, pairs = _pairs(places)
    for (above, below), (title, series) in zip(pairs, places, strict=True):
        # Its place is given, since looking for it takes long; the legend is between.
        above.set_title(title, y=1, pad=_legend_points(series))
        _pair(above, below, series, looks)
    _legend(figure)
    return figure


SPEC = FigureSpec(
    name="temperature",
    draw=temperature,
    cells=lambda planned: planned.of_lotus,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.lotus_records(cells)],
    order=60,
    label="Temperature of LoTUS by epoch",
    summary="Temperature and forget accuracy of LoTUS, epoch by epoch.",
    heading="How LoTUS steers itself",
    shows="Temperature over the epochs.",
    page_order=120,
    caption="How LoTUS steers itself: the temperature τ = exp(α · gap) of each epoch, and below "
    "it the forget accuracy before that epoch; the gap is its distance from the accuracy on "
    "unseen images (dashed; 0 where a class is forgotten). Marks are means over the seeds "
    "(geometric for τ), thin lines single seeds; a cross is where a run ended early because "
    "forget accuracy had fallen below that of unseen images. A τ that stays high means that "
    "forgetting was not reached.",
    alt="Line charts of LoTUS's temperature and forget accuracy over epochs, a pair for each "
    "benchmark",
)


def _pairs(places: Sequence[tuple[str, Series]]) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Returns the figure with an upper and a lower panel for each place, below its title and legend.

    As many places side by side as their words allow.

    Args:
        places: title and series of each.

    """
    labels = [text for _, series in places for text in _labels(series).values()]
    titles = [line for title, _ in places for line in title.split("\n")]
    words = max(width_of(labels, SMALL) + KEY, width_of(titles, SETTINGS["axes.titlesize"]))
    fit = int((PAGE - LEFT - RIGHT + BETWEEN) / (words + BETWEEN))
    columns = max(1, min(COLUMNS, len(places), fit))
    around = LEFT + (columns - 1) * BETWEEN + RIGHT
    # Wide enough for the legend of the figure.
    width = max(1.4 * COLUMN, PAGE * columns / COLUMNS, around + columns * words)
    wide = (width - around) / columns
    lines = max(title.count("\n") + 1 for title, _ in places)
    head = LINE * lines + max(_legend_points(series) for _, series in places) / 72
    block = head + sum(HIGH) + 2 * TICKS + GAP + LABEL
    height = LEGEND + block * -(-len(places) // columns)
    figure = empty_figure(width, height)
    figure.set_layout_engine("none")
    pairs = []
    for number in range(len(places)):
        left = LEFT + number % columns * (wide + BETWEEN)
        top = LEGEND + number // columns * block + head
        above = figure.add_axes(place_of(figure, left, top, wide, HIGH[0]))
        top += HIGH[0] + TICKS + GAP
        below = figure.add_axes(place_of(figure, left, top, wide, HIGH[1]))
        below.set_xlabel("epoch")
        if number % columns == 0:
            above.set_ylabel("temperature τ")
            below.set_ylabel("forget accuracy")
        pairs.append((above, below))
    return figure, pairs


def _legend_points(series: Series) -> float:
    """Returns the room for a panel's legend below its title."""
    return 7.0 + 9.0 * len(series)


def _in_series(courses: Sequence[Course]) -> Series:
    found: Series = {}
    for course in courses:
        key = str(course.about["row"]), parse(course.about["protocol"]).base
        found.setdefault(key, []).append(course)
    return found


def _pair(above: Axes, below: Axes, series: Series, looks: Mapping[str, tuple[str, str]]) -> None:
    from matplotlib.ticker import MaxNLocator

    labels = _labels(series)
    drawn: list[Course] = []
    handles: list[Line2D] = []
    for (row, protocol), seeds in series.items():
        if any(course.collapsed for course in seeds):
            handles += above.plot([], [], linestyle="")
            continue
        drawn += seeds
        look = _look(looks[row], protocol)
        # The middle of temperatures is that of their exponents, which accuracies are linear in.
        handles += _courses(
            above, seeds, "temperature", look, lambda of: np.exp(np.log(of).mean(axis=0))
        )
        _courses(below, seeds, "forget_accuracy", look, lambda of: of.mean(axis=0))
    for target in {round(value, 4) for course in drawn for value in course.target}:
        below.axhline(target, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    shown = np.concatenate([np.ones(1), *(course.temperature for course in drawn)])
    if np.nanmax(shown) > WIDE * np.nanmin(shown):
        above.set_yscale("log")
        above.yaxis.set_major_formatter("{x:g}")
        above.yaxis.set_minor_formatter("")
    # Above the panel: inside there is no place that lines leave free.
    named = list(labels.values())
    above.legend(handles, named, loc="lower left", bbox_to_anchor=(0, 0.97), fontsize=SMALL)
    below.set_ylim(-0.04, 1.04)
    epochs = max(course.planned for seeds in series.values() for course in seeds)
    for axes in (above, below):
        axes.set_xlim(0.5, epochs + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()


def _labels(series: Series) -> dict[tuple[str, str], str]:
    """Returns what the legend says of each series."""
    several = len({row for row, _ in series}) > 1
    found = {}
    for (row, protocol), seeds in series.items():
        alphas = ", ".join(
            f"{alpha:g}" for alpha in dict.fromkeys(course.alpha for course in seeds)
        )
        named = (row_title(row) if several else "", protocol, f"α = {alphas}")
        found[row, protocol] = ", ".join(filter(None, named))
        if fallen := [course.about["seed"] for course in seeds if course.collapsed]:
            found[row, protocol] += f": collapsed {in_seeds(fallen, len(seeds), NAMED)}"
    return found


def _look(look: tuple[str, str], protocol: str) -> dict[str, Any]:
    colour, marker = look
    filled = protocol == "corrected"
    return {
        "color": colour,
        "marker": marker,
        "markersize": 3.5,
        "markerfacecolor": colour if filled else "white",
        "linestyle": "-" if filled else ":",
    }


def _courses(
    axes: Axes,
    seeds: Sequence[Course],
    value: str,
    look: Mapping[str, Any],
    middle: Callable[[np.ndarray], np.ndarray],
) -> list[Line2D]:
    """Thin lines for the seeds, marks for their mean in the epochs that all of them run: the line returned.

    Args:
        middle: `[seeds, epochs]` → mean of each epoch.

    """
    every: list[np.ndarray] = [getattr(course, value) for course in seeds]
    for values, course in zip(every, seeds, strict=True):
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, color=look["color"], linestyle="-", linewidth=0.5, alpha=0.5)
        if course.ended_early:
            axes.plot(epochs[-1:], values[-1:], "x", color=BLACK, markersize=4, zorder=4)
    together = min(map(len, every))
    means = middle(np.array([values[:together] for values in every]))
    return axes.plot(np.arange(1, together + 1), means, linewidth=1.0, **look)


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=BLACK, linewidth=0.5, alpha=0.5, label="single seeds"),
        Line2D(
            [], [], color=GREY, linewidth=0.8, linestyle="--", label="accuracy on unseen images"
        ),
        Line2D([], [], color=BLACK, linestyle="", marker="x", markersize=4, label="ends early"),
    ]
    figure.legend(handles=handles, loc="upper center", ncols=3)
