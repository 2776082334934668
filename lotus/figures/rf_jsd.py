"""RF-JSD, which needs no gold model, against JSD to gold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.figures.panels import legend_width, width_of
from lotus.figures.spec import FigureSpec
from lotus.figures.style import PAGE, SETTINGS, empty_figure, look_of
from lotus.layout import GOLD_AGAIN
from lotus.results.correlation import jsd_agreement
from lotus.results.metrics import (
    KEYS,
    benchmark_title,
    load_metrics,
    row_title,
    rows_in_order,
    with_gold,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rf_jsd(sources: Sequence[Path]) -> Figure:
    """Draws RF-JSD against JSD: a point for each model; without gold and copies of the original.

    Benchmarks without a gold model are left out.
    """
    frame = with_gold(load_metrics(sources))
    looks = look_of([row for row in rows_in_order(frame) if row != GOLD_AGAIN])
    cells = list(frame.groupby(KEYS, sort=False))
    columns = max(1, min(2, len(cells)))
    lines = -(-len(cells) // 2)
    titles = [benchmark_title(*key[:-1]) for key, _ in cells]
    legend = legend_width([row_title(row) for row in looks])
    agreements = [jsd_agreement(part) for _, part in cells]
    said = [
        f"Pearson r = {found.pearson:.2f} [{found.low:.2f}, {found.high:.2f}], {found.points} models of "
        f"{found.groups} rows"
        for _, found in agreements
    ]
    titled = width_of([*titles, *said], SETTINGS["axes.titlesize"])
    room = columns * max(1.02 * titled, 2.1) + legend + 0.6
    size = max(room, min(PAGE, 3.7 * columns + 1.5)), max(2.9, 2.6 * lines)
    figure = empty_figure(*size)
    panels = figure.subplots(lines, columns, squeeze=False)
    shown: dict[str, Any] = {}
    for axes, title, below, (points, _) in zip(panels.flat, titles, said, agreements, strict=False):
        for row, models in points.groupby("row", sort=False):
            colour, marker = looks[str(row)]
            (shown[row_title(str(row))],) = axes.plot(
                models["jsd"], models["rf_jsd"], marker, color=colour, markersize=5, alpha=0.85
            )
        axes.set_title(f"{title}\n{below}")
        axes.set_xlabel("JSD to gold (nats)")
        # More ticks run into each other where values lie close together.
        axes.locator_params(axis="x", nbins=5)
        axes.grid()
    for axes in panels.flat[len(cells) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("RF-JSD (nats)")
    figure.legend(shown.values(), shown.keys(), loc="outside right center")
    return figure


SPEC = FigureSpec(
    name="rf-jsd",
    draw=rf_jsd,
    cells=lambda planned: planned.of_images,
    order=40,
    label="RF-JSD against JSD",
    summary="RF-JSD, which needs no gold model, against JSD to gold: one mark for each method and "
    "seed.",
    shows="What the correlations of the paper are correlations of.",
    section="across",
    page_order=100,
    caption="RF-JSD, which needs no gold model, against JSD to gold, corrected: one mark per "
    "method and seed, original included; gold, collapsed models and exact copies of the original "
    "left out. In brackets the 95 % bootstrap interval of r, for which whole rows (all seeds of a method) "
    "are drawn: models of one method are no independent points.",
    alt="RF-JSD against JSD, a point for each model",
    is_ours=False,
)
