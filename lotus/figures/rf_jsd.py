"""RF-JSD, which needs no gold model, against JSD to gold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.figures.floor_band import SAID, draw_floor, floor_handle
from lotus.figures.panels import NAMED
from lotus.figures.spec import FigureSpec
from lotus.figures.style import PAGE, SETTINGS, empty_figure, look_of
from lotus.figures.text_widths import legend_width, width_of
from lotus.layout import GOLD_AGAIN
from lotus.results.collapsed import in_words
from lotus.results.correlation import jsd_agreement
from lotus.results.metrics import load_metrics, rows_in_order, sound, with_gold
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title, row_title
from lotus.wording import first_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def rf_jsd(sources: Sequence[Path]) -> Figure:
    """Draws RF-JSD against JSD: a point for each model; without gold and copies of the original.

    The band is the floor of JSD; titles name the collapsed models, which are no points.
    Benchmarks without a gold model are left out.
    """
    frame = with_gold(load_metrics(sources))
    looks = look_of([row for row in rows_in_order(frame) if row != GOLD_AGAIN])
    cells = list(frame.groupby(KEYS, sort=False))
    columns = max(1, min(2, len(cells)))
    lines = -(-len(cells) // 2)
    titles = [benchmark_title(*key[:-1]) for key, _ in cells]
    floor = [floor_handle()] if (frame["row"] == GOLD_AGAIN).any() else []
    legend = legend_width(
        [*(row_title(row) for row in looks), *(str(handle.get_label()) for handle in floor)]
    )
    agreements = [jsd_agreement(part) for _, part in cells]
    said = [
        f"Pearson r = {found.pearson:.2f} [{found.interval}], {found.points} models of "
        f"{found.groups} rows{_without(part)}"
        for (_, part), (_, found) in zip(cells, agreements, strict=True)
    ]
    lines_of_titles = [line for text in (*titles, *said) for line in text.split("\n")]
    titled = width_of(lines_of_titles, SETTINGS["axes.titlesize"])
    room = columns * max(1.02 * titled, 2.1) + legend + 0.6
    size = max(room, min(PAGE, 3.7 * columns + 1.5)), max(2.9, 2.6 * lines)
    figure = empty_figure(*size)
    panels = figure.subplots(lines, columns, squeeze=False)
    shown: dict[str, Any] = {}
    parts = [sound(part) for _, part in cells]
    for axes, part, title, below, (points, _) in zip(
        panels.flat, parts, titles, said, agreements, strict=False
    ):
        draw_floor(axes, part, "jsd")
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
    handles, names = [*shown.values(), *floor], [*shown, *(str(it.get_label()) for it in floor)]
    figure.legend(handles, names, loc="outside right center")
    return figure


def _without(part: pd.DataFrame) -> str:
    """Names the collapsed models of a benchmark, on a line of its own; '' where there are none."""
    fallen = part[part["collapsed"] != ""]
    by_row = fallen.groupby("row", sort=False)["seed"].agg(in_words)
    named = [f"{row_title(str(row))} of {seeds}" for row, seeds in by_row.items()]
    return f"\nwithout {first_of(named, NAMED)}: collapsed" if named else ""


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
    "left out. In brackets the 95 % interval of r over whole rows (all seeds of a method): models of one "
    f"method are no independent points. {SAID}",
    alt="RF-JSD against JSD, a point for each model",
    is_ours=False,
)
