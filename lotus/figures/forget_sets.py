"""Avg Gap and forget accuracy of the same methods on forget sets that were chosen by different rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lotus.figures.panels import name_rows, panel_title, place_row_panels, row_panels
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, VERMILION
from lotus.metrics.base import registry
from lotus.results.forget_sets import load_forget_sets
from lotus.results.metrics import KEYS, scenario_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = ("avg_gap", "accuracy_forget")
COLOURS = (BLACK, BLUE, VERMILION, GREEN, ORANGE)
MARKS = "osD^v"


def forget_sets(sources: Sequence[Path]) -> Figure:
    """Draws means and deviations over the seeds: a panel for each benchmark and metric, rows down the side.

    Beyond five scenarios colours come again, with other marks.
    """
    frame = load_forget_sets(sources)
    place = [key for key in KEYS if key != "scenario"]
    rows = [str(row) for row in dict.fromkeys(frame["row"])]
    scenarios = [str(name) for name in dict.fromkeys(frame["scenario"])]
    labels = _labels(scenarios)
    cells = list(frame.groupby(place, sort=False))
    figure, panels = row_panels(max(1, len(cells)), len(DRAWN), PAGE)
    for line, (key, part) in enumerate(cells):
        about = dict(zip(place, map(str, key), strict=True))
        for axes, metric in zip(panels[line], DRAWN, strict=True):
            axes.set_title(panel_title(*(about.get(name, "") for name in KEYS)), y=1)
            for number, scenario in enumerate(scenarios):
                here = part[part["scenario"] == scenario]
                colour = COLOURS[number % len(COLOURS)]
                mark = MARKS[(number + number // len(COLOURS)) % len(MARKS)]
                shift = 0.7 * ((number + 0.5) / len(scenarios) - 0.5)
                heights = np.array([rows.index(str(row)) + shift for row in here["row"]])
                values = here[metric].to_numpy(float)
                spread = np.nan_to_num(here[f"{metric}_std"].to_numpy(float))
                axes.hlines(heights, values - spread, values + spread, color=colour, linewidth=1)
                first = line == 0 and metric == DRAWN[0]
                label = labels[number] if first else None
                axes.plot(values, heights, mark, color=colour, markersize=3, label=label)
            axes.grid(axis="x")
    for axes, metric in zip(panels[-1], DRAWN, strict=True):
        axes.set_xlabel(registry.specs()[metric].label)
    name_rows(panels[0, 0], rows)
    place_row_panels(figure, panels, rows)
    close = {"columnspacing": 0.8, "handlelength": 0.8, "handletextpad": 0.3}
    figure.legend(loc="upper center", ncols=len(scenarios), **close)
    return figure


def _labels(scenarios: Sequence[str]) -> list[str]:
    """Says what each scenario forgets, without the share where the rest tells scenarios apart."""
    titles = [scenario_title(name) for name in scenarios]
    brief = [title.rpartition(", ")[2] for title in titles]
    shares = {title.partition(", ")[0] for title in titles}
    return brief if len(shares) == 1 else titles


SPEC = FigureSpec(
    name="forget-sets",
    draw=forget_sets,
    each="experiment",
    cells=lambda planned: planned.of_several_rules,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.forget_sets(cells)],
    order=62,
    label="Which images are forgotten",
    summary="Avg Gap and forget accuracy of every row on the first, drawn, hardest, easiest and look-alike "
    "images: as many each, chosen by different rules.",
    shows="The same methods on other forget sets.",
    absent="Not run here: config/fashion-forget-sets.yaml forgets first, random, hardest, easiest and "
    "look-alike images.",
    page_order=121,
    caption="Means over the seeds and deviations, by how the forget set was chosen: the first of each "
    "class, drawn anew for each seed, with the highest or lowest loss under models that were not trained "
    "on them, whole clusters of images that look alike. Forget accuracy of gold is what retraining leaves.",
    alt="Avg Gap and forget accuracy by forget set, a row for each method",
)
