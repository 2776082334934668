"""The figures. One function each, by its name; all return a figure made from files and nothing else."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lotus import predictions
from lotus.errors import LotusError, choices
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.divergence import entropy, softmax
from lotus.metrics.streisand import FLOOR
from lotus.metrics.summary import of_scenario
from lotus.paper import (
    ablation_figure,
    bar_figures,
    cost_figures,
    data_figures,
    gradcam_figure,
    training_figures,
)
from lotus.paper.panels import PROTOCOLS, by_place, places, say_collapsed
from lotus.paper.records import load_times
from lotus.paper.results import (
    KEYS,
    benchmark_title,
    jsd_agreement,
    lines_of,
    load_metrics,
    read_metrics,
    row_title,
    rows_in_order,
    sound,
    with_gold,
)
from lotus.paper.style import GREY, PAGE, PLATE, SPLIT_COLOURS, look_of, save, style
from lotus.provenance import sha256, write_record

Entropies = dict[str, dict[str, np.ndarray]]
"""Row → split → ln entropy `[n]`, all seeds together; no splits where a model has collapsed."""


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


def streisand(sources: Sequence[Path]) -> Figure:
    """Does the forget set stand out? Entropy of the predictions on forget, retain and test images.

    ln max(h, 1e-12), not standardised; each split normalised to area 1; the same axes in all panels.
    The number is the Kolmogorov–Smirnov distance between forget and test. Rows of which a model has
    collapsed are not drawn; their panel says so.
    """
    entropies, fallen = _log_entropies(sources), _collapsed_seeds(sources)
    columns = 3
    lines = -(-len(entropies) // columns)
    figure = Figure(figsize=(PAGE, 0.5 + 1.55 * lines))
    figure.set_layout_engine("none")
    edges = {"left": 0.44, "right": 0.05, "top": 0.48, "bottom": 0.42}
    grid = places(figure, lines, columns, **edges, between=(0.14, 0.32))
    panels = figure.subplots(
        lines, columns, sharex=True, sharey=True, squeeze=False, gridspec_kw=grid
    )
    panels[0, 0].locator_params(nbins=4)
    drawn = [v for splits in entropies.values() for v in splits.values()]
    everything = np.concatenate(drawn) if drawn else np.zeros(1)
    bins = np.linspace(np.floor(everything.min()), np.ceil(everything.max()), 46)
    for axes, (row, splits) in zip(panels.flat, entropies.items(), strict=False):
        # Its place is given, since looking for it takes long; there is nothing above a panel.
        axes.set_title(row_title(row), y=1)
        if splits:
            _entropy_panel(axes, splits, bins)
        else:
            text = f"collapsed in {fallen[row]} of {len(sources)} seeds: not drawn"
            axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", fontsize=6.5)
    shown = [axes for axes in panels.flat if axes.lines]
    if shown:
        _cut_peaks(shown)
        handles, names = shown[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="upper center", ncols=3)
    for axes in panels.flat[len(entropies) :]:
        axes.set_visible(False)
    for position, axes in enumerate(panels.flat):
        below = position + columns
        if below >= len(entropies) and axes.get_visible():
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("ln entropy of the prediction (nats)")
        axes.xaxis.set_label_coords(0.5, -0.2)
        axes.yaxis.set_label_coords(-0.15, 0.5)
    for axes in panels[:, 0]:
        axes.set_ylabel("density")
    return figure


def _entropy_panel(axes: Axes, splits: dict[str, np.ndarray], bins: np.ndarray) -> None:
    from scipy.stats import ks_2samp

    for name, colour in SPLIT_COLOURS.items():
        density, _ = np.histogram(splits[name], bins, density=True)
        label = f"{name} images"
        # Up from 0 at the first edge, and down to it at the last.
        outline = np.insert(bins, 0, bins[0]), np.pad(density, 1)
        if name == "forget":
            look: Any = {"alpha": 0.45, "linewidth": 0}
            axes.fill_between(*outline, step="post", label=label, color=colour, **look)
        else:
            axes.step(*outline, where="post", label=label, color=colour, linewidth=1.1)
    distance = ks_2samp(splits["forget"], splits["test"]).statistic
    text = f"KS forget–test {distance:.2f}"
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=6.5, bbox=PLATE)


def _cut_peaks(panels: Sequence[Axes]) -> None:
    """Keeps the common scale readable: a panel far higher than the others is cut, and says so."""
    peaks = [axes.dataLim.ymax for axes in panels]
    # A quarter more, as room for the words.
    top = 1.25 * min(max(peaks), 2.5 * float(np.median(peaks)))
    for axes, peak in zip(panels, peaks, strict=True):
        axes.set_ylim(0, top)
        if peak > top:
            text = f"cut; peak {peak:.1f}"
            axes.text(
                0.03, 0.85, text, transform=axes.transAxes, va="top", fontsize=6.5, bbox=PLATE
            )


def _collapsed_seeds(sources: Sequence[Path]) -> dict[str, int]:
    """Row → number of seeds in which its model has collapsed, for rows with any."""
    counts: dict[str, int] = {}
    for path in sources:
        for row, named in read_metrics(path)["predictions"].items():
            if predictions.why_collapsed(Path(named["path"])):
                counts[row] = counts.get(row, 0) + 1
    return counts


def _log_entropies(sources: Sequence[Path]) -> Entropies:
    """From the predictions that the metrics files name; their digests are checked.

    Raises:
        LotusError: predictions are not those that the metrics were computed from.

    """
    pooled: dict[str, dict[str, list[np.ndarray]]] = {}
    for path in sources:
        files = read_metrics(path)["predictions"]
        loaded = {row: _load_stated(path, named) for row, named in files.items()}
        other = next(said for row, said in loaded.items() if row != ORIGINAL)
        loaded[ORIGINAL] = of_scenario(loaded[ORIGINAL], other)
        for row, said in loaded.items():
            for name in SPLIT_COLOURS:
                with np.errstate(invalid="ignore"):
                    values = np.log(np.maximum(entropy(softmax(said[name].logits)), FLOOR))
                pooled.setdefault(row, {}).setdefault(name, []).append(values)
    fallen = _collapsed_seeds(sources)
    return {
        row: {name: np.concatenate(values) for name, values in splits.items() if row not in fallen}
        for row, splits in pooled.items()
    }


def _load_stated(metrics: Path, named: dict[str, Any]) -> dict[str, predictions.Split]:
    path = Path(named["path"])
    if not path.is_file() or sha256(path) != named["sha256"]:
        raise LotusError(f"{path}: absent, or not what {metrics} was computed from; rerun both")
    return predictions.load(path)


def avg_gap(sources: Sequence[Path]) -> Figure:
    """Avg Gap to the gold model: mean over seeds, and each seed; the line is doing nothing.

    In textbook form for both protocols, so that the axis means one thing. Benchmarks without a gold
    model are left out.
    """
    frame = with_gold(load_metrics(sources))
    fallen = frame[frame["collapsed"] != ""]
    frame = sound(frame)
    frame = frame[frame["row"] != GOLD]
    label = "Avg Gap to gold, textbook form (lower is better)"
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
    looks = look_of(rows)
    for place, row in enumerate(rows):
        for name, below in zip(PROTOCOLS, (-0.17, 0.17), strict=True):
            lost, here = lines_of(fallen, row, name), lines_of(part, row, name)
            values = here[value].to_numpy()
            if len(lost):
                say_collapsed(axes, place + below, name, lost["seed"].nunique(), len(here))
            elif len(values):
                _mark(axes, values, place + below, looks[row], name)
                if row == reference and name == "corrected":
                    axes.axvline(values.mean(), color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    axes.set_xlim(left=0)


def _mark(
    axes: Axes, values: np.ndarray, height: float, look: tuple[str, str], protocol: str
) -> None:
    colour, marker = look
    face = colour if protocol == "corrected" else "white"
    axes.plot(values, [height] * len(values), "|", color=colour, markersize=5, alpha=0.7)
    axes.plot(values.mean(), height, marker, color=colour, markersize=5, markerfacecolor=face)


def rf_jsd(sources: Sequence[Path]) -> Figure:
    """RF-JSD against JSD: a point for each model; without gold and copies of the original.

    Benchmarks without a gold model are left out.
    """
    frame = with_gold(load_metrics(sources))
    looks = look_of(rows_in_order(frame))
    cells = list(frame.groupby(KEYS, sort=False))
    columns = max(1, min(2, len(cells)))
    lines = -(-len(cells) // 2)
    figure = Figure(figsize=(min(PAGE, 3.7 * columns + 1.5), max(2.9, 2.6 * lines)))
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
    "streisand": streisand,
    "avg-gap": avg_gap,
    "times": times,
    "rf-jsd": rf_jsd,
    "ablation": ablation_figure.ablation,
    "jsd-bars": bar_figures.jsd_bars,
    "time-bars": bar_figures.time_bars,
    "pareto": cost_figures.pareto,
    "cost": cost_figures.cost,
    "temperature": training_figures.temperature,
    "gradcam": gradcam_figure.gradcam,
    "duplicates": data_figures.duplicates,
    "classes": data_figures.classes,
    "similarity": data_figures.similarity,
}
