"""What each kind of randomness contributes to Avg Gap and JSD."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.config.seeds import AXES
from lotus.figures.panels import SMALL, name_rows, panel_title, place_row_panels, row_panels
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PAGE, VERMILION
from lotus.metrics.base import registry
from lotus.results.collapsed import COLLAPSED_SEEDS
from lotus.results.components import MEASURED, TOGETHER, load_components
from lotus.results.metrics_file import KEYS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = MEASURED[:2]
COLOURS = dict(zip((*AXES, TOGETHER), (BLUE, ORANGE, GREEN, VERMILION, BLACK), strict=True))


def components(sources: Sequence[Path]) -> Figure:
    """Draws the standard deviation that each kind of randomness brings, with its 95 % interval.

    A panel for each benchmark and metric, the rows down the side.
    """
    frame = load_components(sources)
    frame = frame[frame["metric"].isin(DRAWN) & frame["source"].isin(COLOURS)]
    rows = [str(row) for row in dict.fromkeys(frame["row"])]
    cells = list(frame.groupby(KEYS, sort=False))
    figure, panels = row_panels(max(1, len(cells)), len(DRAWN), PAGE)
    for line, (key, part) in enumerate(cells):
        for axes, metric in zip(panels[line], DRAWN, strict=True):
            axes.set_title(panel_title(*map(str, key)), y=1)
            for number, (source, colour) in enumerate(COLOURS.items()):
                here = part[(part["metric"] == metric) & (part["source"] == source)]
                deviations = np.sqrt(
                    here[["variance", "variance_low", "variance_high"]].to_numpy(float)
                )
                heights = [rows.index(str(row)) + 0.15 * (number - 2) for row in here["row"]]
                axes.hlines(heights, deviations[:, 1], deviations[:, 2], color=colour, linewidth=1)
                label = source if line == 0 and metric == DRAWN[0] else None
                axes.plot(deviations[:, 0], heights, "o", color=colour, markersize=3, label=label)
            for row, seeds in dict(zip(part["row"], part[COLLAPSED_SEEDS], strict=True)).items():
                if seeds:
                    place, text = axes.get_yaxis_transform(), f"without {seeds}: collapsed"
                    look: Any = {"color": GREY, "fontsize": SMALL, "ha": "right", "va": "center"}
                    axes.text(0.99, rows.index(str(row)) + 0.42, text, transform=place, **look)
            axes.grid(axis="x")
            axes.set_xlim(left=0)
    for axes, metric in zip(panels[-1], DRAWN, strict=True):
        axes.set_xlabel(f"standard deviation of {registry.specs()[metric].label}")
    name_rows(panels[0, 0], rows)
    place_row_panels(figure, panels, rows)
    figure.legend(loc="upper center", ncols=len(COLOURS))
    return figure


SPEC = FigureSpec(
    name="components",
    draw=components,
    cells=lambda planned: planned.apart,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    order=60,
    label="What each kind of randomness contributes",
    summary="The standard deviation that split, initialisation, order of batches and the method's own "
    "noise bring to Avg Gap and JSD, each with the others fixed, beside all together.",
    shows="Where the spread over the seeds comes from.",
    absent="Not run here: config/fashion-variance.yaml varies one kind of randomness at a time.",
    page_order=120,
    caption="Standard deviation of Avg Gap and JSD over seeds that vary one kind of randomness and keep "
    "the others (split, initialisation, batches of the trainings, noise of the method), and over seeds "
    "that vary all together; bars are 95 % intervals of χ². The attack's own draws follow the seed, and "
    "are in each. Collapsed models are left out, and named.",
    alt="Standard deviations by kind of randomness, a row for each method",
)
