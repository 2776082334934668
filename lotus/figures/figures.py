"""The figures. One function each, by its name; all return a figure made from files and nothing else."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lotus.errors import LotusError, choices
from lotus.figures import ablation, bars, costs, gradcam, images, streisand, training
from lotus.figures.panels import PROTOCOLS, by_place, legend_width, say_collapsed, width_of
from lotus.figures.style import GREY, PAGE, SETTINGS, look_of, save, style
from lotus.layout import GOLD, ORIGINAL
from lotus.records.record import write_record
from lotus.results.metrics import (
    KEYS,
    benchmark_title,
    jsd_agreement,
    load_metrics,
    row_title,
    rows_in_order,
    sound,
    with_gold,
)
from lotus.results.run_records import load_times


def draw(name: str, sources: Sequence[Path], out: Path, record: Path) -> None:
    """Draws a figure as `out`.svg, .pdf and .png, with its record.

    Args:
        name: which figure; see `FIGURES`.
        sources: metrics files (figures of costs and courses: run records, `pareto`: both; figures of the
            data: audits; `gradcam`: what `lotus gradcam` wrote).
        out: path without ending.

    Raises:
        LotusError: unknown figure, or sources that are not what it is made of.

    """
    if name not in FIGURES:
        raise LotusError(f"unknown figure '{name}'; {choices(name, FIGURES)}")
    with style():
        files = save(FIGURES[name](sources), out)
    write_record(
        record,
        kind="figure",
        modules=[__name__],
        about={"figure": name},
        settings={},
        inputs=list(sources),
        outputs=files,
    )


def avg_gap(sources: Sequence[Path]) -> Figure:
    """Avg Gap to the gold model: mean over seeds, and each seed; the line is doing nothing.

    In textbook form for both protocols, so that the axis means one thing. Benchmarks without a gold
    model are left out.
    """
    frame = with_gold(load_metrics(sources))
    fallen = frame[frame["collapsed"] != ""]
    frame = sound(frame)
    frame = frame[frame["row"] != GOLD]
    label = "Avg Gap to gold, textbook form\n(lower is better)"
    return _dots(frame, fallen, "avg_gap", label, reference=ORIGINAL)


def times(sources: Sequence[Path]) -> Figure:
    """Seconds of unlearning, with preparation, beside those of training the gold model anew, if it was."""
    frame = load_times(sources)
    frame = frame[frame["row"] != ORIGINAL]
    return _dots(frame, frame[:0], "seconds", "seconds (lower is better)", reference=GOLD)


def _dots(
    frame: pd.DataFrame, fallen: pd.DataFrame, value: str, label: str, reference: str
) -> Figure:
    """A large mark for the mean, small ones for seeds.

    `corrected` is filled, `released` hollow and a little below; the line is the reference row under
    `corrected`.

    Args:
        fallen: lines of collapsed models: these rows are not drawn, and the panel says so.

    """
    return by_place(frame, fallen, label, partial(_dot_panel, value=value, reference=reference))


def _dot_panel(
    axes: Axes,
    part: pd.DataFrame,
    fallen: pd.DataFrame,
    rows: Sequence[str],
    value: str,
    reference: str,
) -> None:
    import seaborn as sns

    looks, heights = look_of(rows), {row: place for place, row in enumerate(rows)}
    for name, below in zip(PROTOCOLS, (-0.17, 0.17), strict=True):
        # Of rows that are shown: a collapsed gold model is in no row.
        here, gone = (of[(of["protocol"] == name) & of["row"].isin(rows)] for of in (part, fallen))
        for row, lines in gone.groupby("row", sort=False):
            n = int((here["row"] == row).sum())
            say_collapsed(axes, heights[str(row)] + below, name, lines["seed"].nunique(), n)
        here = here[~here["row"].isin(gone["row"]) & here[value].notna()]
        shown = [row for row in rows if (here["row"] == row).any()]
        if not shown:
            continue
        common: Any = {
            "data": here.assign(height=here["row"].map(heights) + below),
            **{"x": value, "y": "height", "orient": "y", "native_scale": True},
            **{"hue": "row", "hue_order": shown, "palette": [looks[row][0] for row in shown]},
            **{"legend": False, "ax": axes},
        }
        sns.stripplot(**common, jitter=False, marker="|", size=5, linewidth=1.0, alpha=0.7)
        face = {} if name == "corrected" else {"markerfacecolor": "white"}
        markers = [looks[row][1] for row in shown]
        mean: Any = {"errorbar": None, "linestyle": "none", "markersize": 5, "markeredgewidth": 1.0}
        sns.pointplot(**common, **mean, **face, markers=markers)
        if name == "corrected" and reference in shown:
            level = here.loc[here["row"] == reference, value].mean()
            axes.axvline(level, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    axes.set(xlabel="", ylabel="")
    axes.set_xlim(left=0)


def rf_jsd(sources: Sequence[Path]) -> Figure:
    """RF-JSD against JSD: a point for each model; without gold and copies of the original.

    Benchmarks without a gold model are left out.
    """
    frame = with_gold(load_metrics(sources))
    looks = look_of(rows_in_order(frame))
    cells = list(frame.groupby(KEYS, sort=False))
    columns = max(1, min(2, len(cells)))
    lines = -(-len(cells) // 2)
    titles = [benchmark_title(*key[:-1]) for key, _ in cells]
    legend = legend_width([row_title(row) for row in looks])
    titled = width_of(titles, SETTINGS["axes.titlesize"])
    room = columns * max(1.02 * titled, 2.1) + legend + 0.6
    size = max(room, min(PAGE, 3.7 * columns + 1.5)), max(2.9, 2.6 * lines)
    figure = Figure(figsize=size)
    panels = figure.subplots(lines, columns, squeeze=False)
    shown: dict[str, Any] = {}
    for axes, (key, part) in zip(panels.flat, cells, strict=False):
        points, found = jsd_agreement(part)
        for row, models in points.groupby("row", sort=False):
            colour, marker = looks[str(row)]
            (shown[row_title(str(row))],) = axes.plot(
                models["jsd"], models["rf_jsd"], marker, color=colour, markersize=5, alpha=0.85
            )
        axes.set_title(
            f"{benchmark_title(*key[:-1])}\nPearson r = {found.pearson:.2f} "
            f"[{found.low:.2f}, {found.high:.2f}], {found.points} models"
        )
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


FIGURES: dict[str, Callable[[Sequence[Path]], Figure]] = {
    "streisand": streisand.streisand,
    "avg-gap": avg_gap,
    "times": times,
    "rf-jsd": rf_jsd,
    "ablation": ablation.ablation,
    "jsd-bars": bars.jsd_bars,
    "time-bars": bars.time_bars,
    "pareto": costs.pareto,
    "cost": costs.cost,
    "temperature": training.temperature,
    "gradcam": gradcam.gradcam,
    "duplicates": images.duplicates,
    "classes": images.classes,
    "similarity": images.similarity,
}
