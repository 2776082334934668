"""How unlearning goes, epoch by epoch, from the records of runs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lotus.errors import LotusError
from lotus.paper.panels import panel_title
from lotus.paper.records import Course, load_courses
from lotus.paper.results import MODELS, row_title
from lotus.paper.style import BLACK, COLUMN, GREY, PAGE, look_of
from lotus.protocol import parse

COLUMNS = 3
WIDE = 20.0
"""Temperatures of which the largest is so many times the smallest get a logarithmic axis."""

Series = dict[tuple[str, str], list[Course]]
"""Row and base protocol → its seeds."""


def temperature(sources: Sequence[Path]) -> Figure:
    """LoTUS's temperature in each epoch, and below it the forget accuracy that it is computed from.

    A pair of panels for each place. Marks are means over the seeds (of temperatures the geometric one)
    as long as all of them run; thin lines are single seeds, with a cross where one ends early; dashed is
    each seed's accuracy on unseen images, which forget accuracy is to come down to (0 where a class is
    forgotten). Rows of which a model has collapsed are not drawn, which their panel says.

    Raises:
        LotusError: there is no run of LoTUS among the sources.

    """
    courses = load_courses(sources)
    if not courses:
        raise LotusError(f"none of {len(sources)} run records is of the method 'lotus'")
    places: dict[tuple[str, ...], list[Course]] = {}
    for course in courses:
        places.setdefault(tuple(course.about[key] for key in MODELS), []).append(course)
    columns = min(COLUMNS, len(places))
    blocks = -(-len(places) // columns)
    width = max(COLUMN, PAGE * columns / COLUMNS)
    figure = Figure(figsize=(width, 0.35 + 3.3 * blocks))
    panels = figure.subplots(2 * blocks, columns, squeeze=False)
    # [block, column, upper or lower panel]
    pairs = panels.reshape(blocks, 2, columns).transpose(0, 2, 1).reshape(-1, 2)
    looks = look_of(list(dict.fromkeys(course.about["row"] for course in courses)))
    for (above, below), (place, here) in zip(pairs, places.items(), strict=False):
        above.set_title(panel_title(*place))
        _pair(above, below, _in_series(here), looks)
    for axes in pairs[len(places) :].flat:
        axes.set_visible(False)
    for above, below in pairs[::columns]:
        above.set_ylabel("temperature τ")
        below.set_ylabel("forget accuracy")
    _legend(figure)
    return figure


def _in_series(courses: Sequence[Course]) -> Series:
    found: Series = {}
    for course in courses:
        key = str(course.about["row"]), parse(course.about["protocol"]).base
        found.setdefault(key, []).append(course)
    return found


def _pair(above: Axes, below: Axes, series: Series, looks: Mapping[str, tuple[str, str]]) -> None:
    several = len({row for row, _ in series}) > 1
    drawn = []
    for (row, protocol), seeds in series.items():
        named = _named(row_title(row) if several else "", protocol, seeds)
        if fallen := sum(course.collapsed for course in seeds):
            text = f"{named}: collapsed in {fallen} of {len(seeds)} seeds"
            above.plot([], [], linestyle="", label=text)
            continue
        drawn += seeds
        look = {**_look(looks[row], protocol), "label": named}
        # The middle of temperatures is that of their exponents, which accuracies are linear in.
        _courses(above, seeds, "temperature", look, lambda of: np.exp(np.log(of).mean(axis=0)))
        _courses(below, seeds, "forget_accuracy", look, lambda of: of.mean(axis=0))
    for target in {round(value, 4) for course in drawn for value in course.target}:
        below.axhline(target, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    shown = np.concatenate([np.ones(1), *(course.temperature for course in drawn)])
    if np.nanmax(shown) > WIDE * np.nanmin(shown):
        above.set_yscale("log")
    # Above the panel: inside there is no place that lines leave free.
    above.legend(loc="lower left", bbox_to_anchor=(0, 0.97), fontsize=6)
    above.set_title(above.get_title(), pad=7 + 9 * len(series))
    below.set_ylim(-0.04, 1.04)
    below.set_xlabel("epoch")
    epochs = max(course.planned for seeds in series.values() for course in seeds)
    for axes in (above, below):
        axes.set_xlim(0.5, epochs + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()


def _named(row: str, protocol: str, seeds: Sequence[Course]) -> str:
    alphas = ", ".join(f"{alpha:g}" for alpha in dict.fromkeys(course.alpha for course in seeds))
    return ", ".join(part for part in (row, protocol, f"α = {alphas}") if part)


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
) -> None:
    """Thin lines for the seeds, marks for their mean in the epochs that all of them run.

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
    axes.plot(np.arange(1, together + 1), means, linewidth=1.0, **look)


def _legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=BLACK, linewidth=0.5, alpha=0.5, label="single seeds"),
        Line2D(
            [], [], color=GREY, linewidth=0.8, linestyle="--", label="accuracy on unseen images"
        ),
        Line2D([], [], color=BLACK, linestyle="", marker="x", markersize=4, label="ends early"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
