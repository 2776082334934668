"""What unlearning costs, and what it buys: seconds and memory, beside the gap to gold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from lotus.errors import LotusError
from lotus.figures.panels import (
    LINE,
    PROTOCOLS,
    bars,
    legend_of_protocols,
    legend_width,
    name_rows,
    panel_title,
    place_row_panels,
    row_panels,
    width_of,
)
from lotus.figures.style import BLACK, COLUMN, GREY, PAGE, PLATE, SETTINGS, look_of
from lotus.layout import GOLD, ORIGINAL
from lotus.results.metrics import (
    MODELS,
    PLACE,
    by_base,
    lines_by_row,
    load_metrics,
    read_metrics,
    reference_of,
    row_title,
    rows_in_order,
    sound,
    with_gold,
)
from lotus.results.pareto import non_dominated
from lotus.results.run_records import load_costs, load_times

DASHES = {"corrected": "-", "released": ":"}


def pareto(sources: Sequence[Path]) -> Figure:
    """What time buys: Avg Gap (textbook form) against seconds with preparation, means over the seeds.

    The line joins the methods that nothing beats in both, neither another method nor doing nothing (0
    seconds, the original's gap: the level line) nor retraining (gold's seconds, no gap: the upright
    line); they are named. Under each protocol apart. Benchmarks without a gold model are left out;
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
    figure = Figure(figsize=(width, 0.8 + 2.7 * lines + LINE * further))
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


def _with_seconds(sources: Sequence[Path]) -> pd.DataFrame:
    """Metrics of the models among the sources, with a column `seconds` from the records of their runs."""
    contents = {path: _read_json(path) for path in sources}
    records = [path for path, content in contents.items() if "outputs" in content]
    metrics = [path for path in sources if path not in records]
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
            said = content["predictions"][row]["path"], content["predictions"][row]["sha256"]
            if said not in spent:
                raise LotusError(
                    f"{path}: row '{row}': no record among the sources is of the run that wrote "
                    f"{said[0]}; give its run.json too, or evaluate again"
                )
            found.append(spent[said])
    return load_metrics(metrics).assign(seconds=found)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LotusError(f"{path}: cannot be read: {error}") from error


def _pareto_panel(axes: Axes, part: pd.DataFrame, looks: Mapping[str, tuple[str, str]]) -> None:
    fallen, part = part[part["collapsed"] != ""], sound(part)
    idle, trained = reference_of(part, ORIGINAL, "avg_gap"), reference_of(part, GOLD, "seconds")
    axes.set_xscale("log")
    axes.axhline(idle, color=GREY, linewidth=0.9, linestyle="--", zorder=0)
    axes.axvline(trained, color=GREY, linewidth=0.9, linestyle="-.", zorder=0)
    methods = part[~part["row"].isin([ORIGINAL, GOLD])]
    lost = []
    for name in PROTOCOLS:
        grouped = methods[methods["protocol"] == name].groupby("row", sort=False)
        means = grouped[["seconds", "avg_gap"]].agg(lambda of: of.mean(skipna=False))
        here = fallen[(fallen["protocol"] == name) & fallen["row"].isin(means.index)]
        lost += [
            f"{row_title(row)}, {name}: collapsed in {count} of {grouped['seed'].nunique()[row]}"
            for row, count in here.groupby("row", sort=False)["seed"].nunique().items()
        ]
        means = means.dropna()
        for row, (seconds, gap) in means.iterrows():
            colour, marker = looks[str(row)]
            face = colour if name == "corrected" else "white"
            axes.plot(seconds, gap, marker, color=colour, markersize=5, markerfacecolor=face)
        _front(axes, means, (trained, idle), name)
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


def _front(axes: Axes, means: pd.DataFrame, references: tuple[float, float], protocol: str) -> None:
    """Joins and names the methods that nothing beats.

    Args:
        means: seconds and gap by row.
        references: seconds of retraining, and gap of doing nothing.

    """
    trained, idle = references
    others = np.array([[0.0, idle], [trained, 0.0]])
    kept = non_dominated(np.concatenate([means.to_numpy(dtype=float), others]))[: len(means)]
    front = means[kept].sort_values("seconds")
    axes.plot(
        front["seconds"],
        front["avg_gap"],
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


def _row_handles(rows: Sequence[str], looks: Mapping[str, tuple[str, str]]) -> list[Line2D]:
    """What the marks mean, and the lines of the references."""
    marks = [
        Line2D(
            [], [], linestyle="", color=looks[row][0], marker=looks[row][1], label=row_title(row)
        )
        for row in rows
        if row not in (ORIGINAL, GOLD)
    ]
    grey: Any = {"color": GREY, "linewidth": 0.9}
    return [
        *marks,
        Line2D([], [], linestyle="--", label="gap of doing nothing", **grey),
        Line2D([], [], linestyle="-.", label="time of retraining", **grey),
        Line2D([], [], color=BLACK, linewidth=0.8, label="nothing beats these in both"),
    ]


def cost(sources: Sequence[Path]) -> Figure:
    """What each method took: seconds, of which its own preparation is hatched, and peak memory.

    Means over the seeds; the number at a bar's end is its ratio to what the gold model of the place
    took, which the titles state. Memory: bars for the process, diamonds for the device where there was
    one. The process's is the most that was resident in the whole job, with the libraries, which are
    the same for all, and with recording predictions (see `lotus.results.run_records.load_costs`): on a
    processor and small data it hardly tells methods apart.
    """
    frame = by_base(load_costs(sources))
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


@dataclass(frozen=True)
class Quantity:
    """What a column of panels shows.

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


TIME = Quantity("seconds", "prepare_seconds", "", "{:.1f} s", "seconds (hatched: preparation)")
MEMORY = Quantity(
    "process_mib", "", "device_mib", "{:,.0f} MiB", "peak memory, MiB (diamond: of the device)"
)


def _cost_panel(
    axes: Axes, frame: pd.DataFrame, rows: Sequence[str], quantity: Quantity, gold: float
) -> None:
    looks, found = look_of(rows), lines_by_row(frame)
    for row, name, height, thickness in bars(frame, rows):
        here = found[row, name]
        if here[quantity.value].notna().any():
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
    quantity: Quantity,
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
