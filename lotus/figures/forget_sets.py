"""Avg Gap and forget accuracy of the same methods on forget sets that were chosen by different rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.figures.floor_band import SAID, draw_floor_in_lanes, floor_handle
from lotus.figures.panels import name_rows, panel_title, place_row_panels, row_panels
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, VERMILION
from lotus.figures.text_widths import legend_width
from lotus.layout import GOLD_AGAIN
from lotus.metrics.base import registry
from lotus.results.collapsed import COLLAPSED_SEEDS
from lotus.results.forget_sets import TO_GOLD, load_forget_sets, told_apart
from lotus.results.metrics import load_metrics, sound
from lotus.results.metrics_file import KEYS
from lotus.results.titles import scenario_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = ("avg_gap", "accuracy_forget")
COLOURS = (BLACK, BLUE, VERMILION, GREEN, ORANGE)
MARKS = "osD^v"


def forget_sets(sources: Sequence[Path]) -> Figure:
    """Draws means and deviations over the seeds: a panel for each benchmark and metric, rows down the side.

    Behind the marks of each scenario lies its own floor, on axes of distances to gold.
    Beyond five scenarios colours come again, with other marks.
    """
    frame, measured = load_forget_sets(sources), sound(load_metrics(told_apart(sources)[0]))
    place = [key for key in KEYS if key != "scenario"]
    rows = [str(row) for row in dict.fromkeys(frame["row"])]
    scenarios = [str(name) for name in dict.fromkeys(frame["scenario"])]
    labels = _labels(scenarios)
    cells = list(frame.groupby(place, sort=False))
    further = [floor_handle()] if (frame["row"] == GOLD_AGAIN).any() else []
    named = [*labels, *(str(handle.get_label()) for handle in further)]
    width = max(PAGE, legend_width(named, len(named) or 1))
    figure, panels = row_panels(max(1, len(cells)), len(DRAWN), width)
    for line, (key, part) in enumerate(cells):
        about = dict(zip(place, map(str, key), strict=True))
        of_place = measured[(measured[place] == list(key)).all(axis=1)]
        for axes, metric in zip(panels[line], DRAWN, strict=True):
            axes.set_title(panel_title(*(about.get(name, "") for name in KEYS)), y=1)
            for number, scenario in enumerate(scenarios):
                here = part[part["scenario"] == scenario]
                colour = COLOURS[number % len(COLOURS)]
                mark = MARKS[(number + number // len(COLOURS)) % len(MARKS)]
                shift = 0.7 * ((number + 0.5) / len(scenarios) - 0.5)
                heights = np.array([rows.index(str(row)) + shift for row in here["row"]])
                if metric in TO_GOLD:
                    floor = of_place[of_place["scenario"] == scenario]
                    draw_floor_in_lanes(axes, floor, metric, heights, 0.7 / len(scenarios))
                for height, line_of in zip(heights, here.to_dict("records"), strict=True):
                    if seeds := line_of[COLLAPSED_SEEDS]:
                        # In the lane itself, and so in small letters.
                        lane = axes.get_yaxis_transform()
                        look: Any = {"color": colour, "fontsize": 4.5, "va": "center"}
                        axes.text(0.02, height, f"collapsed: {seeds}", transform=lane, **look)
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
    close: Any = {"columnspacing": 0.8, "handlelength": 0.8, "handletextpad": 0.3}
    handles = [*panels[0, 0].get_legend_handles_labels()[0], *further]
    figure.legend(handles=handles, loc="upper center", ncols=len(handles) or 1, **close)
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
    "on them, whole clusters of images that look alike. Forget accuracy of gold is what retraining leaves. "
    "A row with collapsed models has no mark there, but names their seeds. "
    f"Each forget set has its own floor, behind its marks. {SAID}",
    alt="Avg Gap and forget accuracy by forget set, a row for each method",
)
