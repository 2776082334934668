"""Avg Gap against seconds: what time buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lotus.errors import LotusError
from lotus.figures.floor_band import SAID, draw_floor, floor_edges, floor_handle
from lotus.figures.panels import LINE, NAMED, PROTOCOLS, legend_of_protocols, panel_title
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, COLUMN, GREY, PAGE, PLATE, SETTINGS, empty_figure, look_of
from lotus.figures.text_widths import legend_width, width_of
from lotus.formats.json_text import read_mapping
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL, REFERENCES, is_further_gold
from lotus.results.collapsed import in_seeds
from lotus.results.metrics import (
    by_base,
    load_metrics,
    reference_of,
    rows_in_order,
    sound,
    with_gold,
)
from lotus.results.metrics_file import PLACE, read_metrics
from lotus.results.pareto import non_dominated
from lotus.results.run_records import apart, load_times
from lotus.results.titles import row_title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = {"corrected": "-", "released": ":"}


def pareto(sources: Sequence[Path]) -> Figure:
    """Draws what time buys: Avg Gap (textbook form) against seconds with preparation, means over the seeds.

    The line joins the methods that nothing beats in both, neither another method nor doing nothing (0
    seconds, the original's gap: the level line) nor retraining (gold's seconds, no gap: the upright
    line); they are named. Methods inside the floor have no rank against each other. Under each protocol
    apart. Benchmarks without a gold model are left out;
    rows with a collapsed model are not drawn, which their panel says.

    Args:
        sources: metrics files, and the records of the runs that they name.

    Raises:
        LotusError: the record of such a run is not among them.

    """
    frame = with_gold(_with_seconds(sources))
    frame = by_base(frame)
    rows = rows_in_order(frame)
    looks = look_of(rows)
    cells = list(frame.groupby(PLACE, sort=False))
    columns = 2 if len(cells) > 1 else 1
    lines = -(-len(cells) // columns)
    handles = _row_handles(rows, looks)
    names = [str(handle.get_label()) for handle in handles]
    titles = (line for key, _ in cells for line in panel_title(*key).split("\n"))
    needed = columns * (width_of(titles, SETTINGS["axes.titlesize"]) + 0.6)
    width = max(PAGE if columns == 2 else COLUMN, needed, legend_width(names))
    beside = next(n for n in (4, 3, 2, 1) if legend_width(names, n) <= width)
    further = max(0, -(-len(names) // beside) - 4)
    figure = empty_figure(width, 0.8 + 2.7 * lines + LINE * further)
    panels = figure.subplots(lines, columns, squeeze=False)
    for axes, (key, part) in zip(panels.flat, cells, strict=False):
        axes.set_title(panel_title(*key))
        _pareto_panel(axes, part, looks)
    for axes in panels.flat[len(cells) :]:
        axes.set_visible(False)
    for axes in panels.flat[max(0, len(cells) - columns) : len(cells)]:
        axes.set_xlabel("seconds, with preparation (lower is better)")
    for axes in panels[:, 0]:
        axes.set_ylabel("Avg Gap (lower is better)")
    legend_of_protocols(figure, frame, loc="outside upper center")
    figure.legend(handles=handles, loc="outside lower center", ncols=beside)
    return figure


SPEC = FigureSpec(
    name="pareto",
    draw=pareto,
    cells=lambda planned: planned.with_gold,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    folder="timings",
    order=100,
    label="Seconds of unlearning against Avg Gap",
    summary="Time against Avg Gap, lower left is better; the line joins the methods that no other "
    "beats in both.",
    heading="Time against Avg Gap",
    shows="What time buys.",
    page_order=110,
    caption="Time against Avg Gap (textbook form), means over the seeds; lower left is better. "
    "The step line joins and names the methods that nothing beats in both: no other method, nor "
    "doing nothing (dashed: the original's gap at no cost), nor retraining (dash-dotted: gold's "
    "time at no gap). It ends at the band, inside which all methods are named that retraining does not "
    "beat. Solid under corrected, dotted under released; a method above the dashed "
    f"line is worse than doing nothing. {SAID}",
    alt="Scatter plot of seconds, on a logarithmic axis, against Avg Gap, a mark for each method "
    "and protocol, with the methods that no other beats in both",
)


def _with_seconds(sources: Sequence[Path]) -> pd.DataFrame:
    """Returns metrics of the sources' models, with a column `seconds` from the records of their runs."""
    metrics, records = apart(sources)
    contents = {path: read_mapping(path) for path in records}
    records = [path for path in records if not _is_further_gold(contents[path])]
    seconds = load_times(records)["seconds"].tolist()
    spent = {
        output: each
        for path, each in zip(records, seconds, strict=True)
        for output in contents[path]["outputs"].items()
    }
    found = []
    for path in metrics:
        content = read_metrics(path)
        for row in content["rows"]:
            if row == GOLD_AGAIN:
                # The mean of several golds is the model of no run.
                found.append(np.nan)
                continue
            said = content["predictions"][row]["path"], content["predictions"][row]["sha256"]
            if said not in spent:
                raise LotusError(
                    f"{path}: row '{row}': none of the sources is the record of the run that wrote "
                    f"{said[0]}; give its run.json too, or evaluate again"
                )
            found.append(spent[said])
    return load_metrics(metrics).assign(seconds=found)


def _is_further_gold(record: Mapping[str, Any]) -> bool:
    return is_further_gold(str(record.get("about", {}).get("row", "")))


def _pareto_panel(axes: Axes, part: pd.DataFrame, looks: Mapping[str, tuple[str, str]]) -> None:
    from matplotlib.ticker import LogLocator

    fallen, part = part[part["collapsed"] != ""], sound(part)
    idle, trained = reference_of(part, ORIGINAL, "avg_gap"), reference_of(part, GOLD, "seconds")
    axes.set_xscale("log")
    axes.axhline(idle, color=GREY, linewidth=0.9, linestyle="--", zorder=0)
    axes.axvline(trained, color=GREY, linewidth=0.9, linestyle="-.", zorder=0)
    draw_floor(axes, part, "avg_gap", upright=False)
    edges = floor_edges(part, "avg_gap")
    methods = part[~part["row"].isin(REFERENCES)]
    lost = []
    for name in PROTOCOLS:
        grouped = methods[methods["protocol"] == name].groupby("row", sort=False)
        means = grouped[["seconds", "avg_gap"]].agg(lambda of: of.mean(skipna=False))
        here = fallen[(fallen["protocol"] == name) & fallen["row"].isin(means.index)]
        lost += [
            f"{row_title(row)}, {name}: collapsed "
            f"{in_seeds(seeds, grouped['seed'].nunique()[row], NAMED)}"
            for row, seeds in here.groupby("row", sort=False)["seed"].agg(list).items()
        ]
        means = means.dropna()
        for row, (seconds, gap) in means.iterrows():
            colour, marker = looks[str(row)]
            face = colour if name == "corrected" else "white"
            axes.plot(seconds, gap, marker, color=colour, markersize=5, markerfacecolor=face)
        _front(axes, means, (trained, idle), name, edges[0] if edges else np.nan)
    axes.set_ylim(bottom=0)
    # Room for names at both ends.
    first, last = axes.get_xlim()
    axes.set_xlim(first / 1.6, last * 1.1)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    if lost:
        axes.text(0.02, 0.02, "\n".join(lost), transform=axes.transAxes, fontsize=5.5, color=GREY)
    axes.grid()


def _front(
    axes: Axes, means: pd.DataFrame, references: tuple[float, float], protocol: str, floor: float
) -> None:
    """Joins and names the methods that nothing beats.

    Inside the floor gaps do not tell methods apart, nor from doing nothing: none is beaten there but by
    retraining, whose gap is 0 by definition. The line ends at the floor's edge, above the fastest of them.

    Args:
        means: seconds and gap by row.
        references: seconds of retraining, and gap of doing nothing.
        floor: how far another gold is from gold; NaN where that is not known.

    """
    trained, idle = references
    points = np.concatenate([means.to_numpy(dtype=float), [[0.0, idle], [trained, 0.0]]])
    inside = points[:, 1] <= floor
    inside[-1] = False
    kept = non_dominated(points, inside)[: len(means)]
    front = means[kept].sort_values("seconds")
    is_inside = (front["avg_gap"] <= floor).to_numpy()
    joined = pd.concat([front[~is_inside], front[is_inside].head(1).assign(avg_gap=floor)])
    axes.plot(
        joined["seconds"],
        joined["avg_gap"],
        color=BLACK,
        linewidth=0.8,
        linestyle=DASHES[protocol],
        drawstyle="steps-post",
        zorder=1,
    )
    # Names of the two protocols do not meet where their fronts do.
    above = protocol != PROTOCOLS[0]
    for row, (seconds, gap) in front.iterrows():
        axes.annotate(
            row_title(str(row)),
            (seconds, gap),
            xytext=(0, 5 if above else -5),
            textcoords="offset points",
            ha="center",
            va="bottom" if above else "top",
            fontsize=6,
            bbox=PLATE,
            zorder=1,
        )


def _row_handles(rows: Sequence[str], looks: Mapping[str, tuple[str, str]]) -> list[Artist]:
    """Returns what the marks mean, and the lines of the references."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D(
            [], [], linestyle="", color=looks[row][0], marker=looks[row][1], label=row_title(row)
        )
        for row in rows
        if row not in REFERENCES
    ]
    grey: Any = {"color": GREY, "linewidth": 0.9}
    return [
        *marks,
        Line2D([], [], linestyle="--", label="gap of doing nothing", **grey),
        Line2D([], [], linestyle="-.", label="time of retraining", **grey),
        Line2D([], [], color=BLACK, linewidth=0.8, label="nothing beats these in both"),
        *([floor_handle()] if GOLD_AGAIN in rows else []),
    ]
