"""What each published behaviour costs which method, as a map of changes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from lotus.errors import LotusError
from lotus.paper.ablation import ablate
from lotus.paper.results import PLACE, ROW_TITLES, benchmark_title, row_title
from lotus.paper.style import BLUE, PAGE, VERMILION

WORSE = {"avg_gap": 1, "accuracy_retain": -1}
"""Metric → sign of a change for the worse."""
HEADS = {"avg_gap": "change of Avg Gap", "accuracy_retain": "change of retain accuracy"}
LIMIT = 0.2
"""Changes of this size and more have the full colour."""
MAP = LinearSegmentedColormap.from_list("changes", [BLUE, "white", VERMILION])


def ablation(sources: Sequence[Path]) -> Figure:
    """Change against `corrected` by switch and method, mean of paired differences, textbook form.

    Red is for the worse, blue for the better; empty where a switch does not concern a method or a model
    has collapsed.

    Raises:
        LotusError: no switch was tried.

    """
    numbers = ablate(sources)
    if numbers.empty:
        raise LotusError("figure ablation: no switch was tried in these metrics files")
    shown = numbers[(numbers["switch"] != "E4") & (numbers["collapsed"] == 0)]
    places = list(shown.groupby(PLACE, sort=False))
    rows = [len(dict.fromkeys(part["row"])) for _, part in places]
    figure = Figure(figsize=(PAGE, 0.4 + sum(0.75 + 0.2 * count for count in rows)))
    panels = figure.subplots(len(places), 2, squeeze=False, sharey="row", height_ratios=rows)
    for pair, (place, part) in zip(panels, places, strict=True):
        for axes, metric in zip(pair, WORSE, strict=True):
            _panel(axes, part, metric)
            axes.set_title(f"{benchmark_title(*place)}\n{HEADS[metric]}")
    return figure


def _panel(axes: Axes, part: pd.DataFrame, metric: str) -> None:
    known = [row for row in ROW_TITLES if row in part["row"].values]
    rows, switches = (
        list(dict.fromkeys([*known, *part["row"]])),
        list(dict.fromkeys(part["switch"])),
    )
    changes = part.pivot(index="row", columns="switch", values=f"{metric}_change")
    table = changes.reindex(index=rows, columns=switches).to_numpy(dtype=float)
    axes.imshow(WORSE[metric] * table, cmap=MAP, vmin=-LIMIT, vmax=LIMIT, aspect="auto")
    axes.set_xticks(range(len(switches)), switches, rotation=90)
    axes.set_yticks(range(len(rows)), [row_title(row) for row in rows])
    for (y, x), change in np.ndenumerate(table):
        if np.isfinite(change):
            text = f"{change:+.2f}".replace("0.", ".").replace("-", "−")
            text = "0" if text[1:] == ".00" else text
            axes.text(x, y, text, ha="center", va="center", fontsize=5.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
