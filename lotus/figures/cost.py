"""The cost of unlearning: seconds and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lotus.figures.panels import (
    PROTOCOLS,
    bars,
    legend_of_protocols,
    name_rows,
    panel_title,
    place_row_panels,
    row_panels,
    say_collapsed,
)
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, PAGE, look_of
from lotus.layout import GOLD, ORIGINAL
from lotus.results.metrics import by_base, lines_by_row, reference_of, rows_in_order
from lotus.results.metrics_file import MODELS
from lotus.results.run_records import judged, load_costs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def cost(sources: Sequence[Path]) -> Figure:
    """Draws what each method took: seconds, of which its own preparation is hatched, and peak memory.

    Means over the seeds; the number at a bar's end is its ratio to what the gold model of the place
    took, which the titles state. Memory: bars for the process, diamonds for the device where there was
    one. The process's is the most that was resident in the whole job, with the libraries, which are
    the same for all, and with recording predictions (see `lotus.results.run_records.load_costs`): on a
    processor and small data it hardly tells methods apart. Rows with a collapsed model have no bar, which
    their panels say.

    Args:
        sources: records of runs, and the metrics files that judge their models.

    """
    frame = by_base(load_costs(*judged(sources)))
    frame = frame[frame["row"] != ORIGINAL]
    rows = [row for row in rows_in_order(frame) if row != GOLD]
    cells = list(frame.groupby(MODELS, sort=False))
    figure, panels = row_panels(len(cells), 2, PAGE)
    for pair, (key, part) in zip(panels, cells, strict=True):
        for axes, quantity in zip(pair, (TIME, MEMORY), strict=True):
            gold = reference_of(part, GOLD, quantity.value)
            said = "" if np.isnan(gold) else f"\ngold: {quantity.stated.format(gold)}"
            axes.set_title(f"{panel_title(*key)}{said}", y=1)
            _cost_panel(axes, part, rows, quantity, gold)
    name_rows(panels[0, 0], rows)
    for axes, quantity in zip(panels[-1], (TIME, MEMORY), strict=True):
        axes.set_xlabel(quantity.label)
    place_row_panels(figure, panels, rows)
    legend_of_protocols(figure, frame, marker="s")
    return figure


SPEC = FigureSpec(
    name="cost",
    draw=cost,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    folder="timings",
    order=90,
    label="Time and memory of unlearning",
    summary="Seconds and peak memory of every method, with their ratios to retraining the gold "
    "model.",
    heading="What each method costs",
    shows="Time and memory.",
    page_order=130,
    caption="What unlearning took: seconds, of which preparation is hatched, and peak memory; "
    "numbers at the bars are ratios to what the gold model took. Memory is the most that the "
    "whole job held: the libraries, which every job has, and recording predictions are part of "
    "it, so that on small data without a GPU all methods look alike; on a GPU, diamonds show what "
    "tensors took there. Rows with a collapsed model have no bar.",
    alt="Bar charts of the seconds and of the peak memory of each method, with their ratios to "
    "retraining",
)


@dataclass(frozen=True)
class CostColumn:
    """The quantity that a column of panels shows.

    Attributes:
        value: column of the frame, drawn as bars.
        part: column of what is part of it, hatched; '' for none.
        beside: column drawn as diamonds; '' for none.
        stated: format of a number with its unit.

    """

    value: str
    part: str
    beside: str
    stated: str
    label: str


TIME = CostColumn("seconds", "prepare_seconds", "", "{:.1f} s", "seconds (hatched: preparation)")
MEMORY = CostColumn(
    "process_mib", "", "device_mib", "{:,.0f} MiB", "peak memory, MiB (diamond: of the device)"
)


def _cost_panel(
    axes: Axes, frame: pd.DataFrame, rows: Sequence[str], quantity: CostColumn, gold: float
) -> None:
    looks, found = look_of(rows), lines_by_row(frame)
    for row, name, height, thickness in bars(frame, rows):
        here = found[row, name]
        if lost := here.loc[here["collapsed"], "seed"].tolist():
            say_collapsed(axes, height, {name: (lost, len(here))})
        elif here[quantity.value].notna().any():
            _cost_bar(axes, here, height, thickness, looks[row][0], quantity, gold)
    axes.set_xlim(left=0)
    # Room for the ratios.
    axes.set_xlim(right=1.1 * axes.get_xlim()[1])
    axes.grid(axis="x")


def _cost_bar(
    axes: Axes,
    here: pd.DataFrame,
    height: float,
    thickness: float,
    colour: str,
    quantity: CostColumn,
    gold: float,
) -> None:
    filled = (here["protocol"] == PROTOCOLS[0]).all()
    length = here[quantity.value].mean()
    look: Any = {"color": colour if filled else "white", "edgecolor": colour, "linewidth": 0.8}
    axes.barh(height, length, thickness, **look)
    if quantity.part and (part := here[quantity.part].mean()) > 0:
        hatched: Any = {"fill": False, "hatch": "//////", "linewidth": 0.0}
        edge = "white" if filled else colour
        axes.barh(height, part, thickness, edgecolor=edge, **hatched)
    if quantity.beside and not np.isnan(beside := here[quantity.beside].mean()):
        face = BLACK if filled else "white"
        axes.plot(beside, height, "D", markersize=3, color=BLACK, markerfacecolor=face)
    if not np.isnan(gold):
        text = f" ×{length / gold:.2f}"
        axes.text(length, height, text, va="center", fontsize=5.5 if thickness > 0.4 else 4.8)
