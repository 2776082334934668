"""The Streisand figure: entropies of predictions on forget, retain and test images."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lotus import predictions
from lotus.errors import LotusError
from lotus.layout import ORIGINAL
from lotus.metrics.divergence import entropy, softmax
from lotus.metrics.streisand import FLOOR
from lotus.metrics.summary import of_scenario
from lotus.paper.panels import name_rows, place_of, room_of_names
from lotus.paper.results import read_metrics
from lotus.paper.style import PAGE, PLATE, SPLIT_COLOURS
from lotus.provenance import sha256

BINS = 60
ROOM = 0.9
"""Of a row's height, for its densities."""
ABOVE, BELOW = 0.35, 0.42
"""Inches, for the legend and for the axis."""

BySplit = Mapping[str, np.ndarray]
"""Split → ln entropies `[n]`, all seeds together, or their densities `[BINS]`; no splits where a model has
collapsed."""


def streisand(sources: Sequence[Path]) -> Figure:
    """Does the forget set stand out? Entropy of the predictions on forget, retain and test images.

    ln max(h, 1e-12), not standardised; each split normalised to area 1; all rows have the same scales.
    The number is the Kolmogorov–Smirnov distance between forget and test. Rows of which a model has
    collapsed are not drawn, and say so.

    Args:
        sources: metrics files of one cell, one for each seed.

    Raises:
        LotusError: predictions are not those that the metrics were computed from.

    """
    fallen = _collapsed_seeds(sources)
    entropies = _log_entropies(sources, fallen)
    drawn = [values for splits in entropies.values() for values in splits.values()]
    everything = np.concatenate(drawn) if drawn else np.zeros(1)
    edges = np.linspace(np.floor(everything.min()), np.ceil(everything.max()), BINS + 1)
    densities = {row: _densities(splits, edges) for row, splits in entropies.items()}
    scale = _common_scale(densities)
    height = ABOVE + 0.5 * len(entropies) + BELOW
    figure = Figure(figsize=(PAGE, height))
    # Its place is given, since looking for it takes long.
    figure.set_layout_engine("none")
    left = room_of_names(list(entropies))
    size = PAGE - left - 0.05, height - ABOVE - BELOW
    axes = figure.add_axes(place_of(figure, left, ABOVE, *size))
    for place, (row, splits) in enumerate(entropies.items()):
        if splits:
            _draw_row(axes, place, densities[row], edges, scale)
            said = f"KS forget–test {_distance(splits):.2f}" + _cut(densities[row], scale)
        else:
            said = f"collapsed in {fallen[row]} of {len(sources)} seeds: not drawn"
        where: Any = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text(0.01, place, said, fontsize=6.5, bbox=PLATE, **where)
    name_rows(axes, list(entropies))
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(edges[0], edges[-1])
    axes.grid(axis="x")
    axes.set_xlabel(
        f"ln entropy of the prediction (nats); a row is as high as a density of {scale:.2g}"
    )
    # Every row has the same ones.
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles, loc="upper center", ncols=3)
    return figure


def _densities(splits: BySplit, edges: np.ndarray) -> dict[str, np.ndarray]:
    """Split → density per nat between the edges."""
    return {name: np.histogram(of, edges, density=True)[0] for name, of in splits.items()}


def _common_scale(densities: Mapping[str, BySplit]) -> float:
    """The density as high as a row: the highest, unless that is far above the others."""
    peaks = [_peak(splits) for splits in densities.values() if splits]
    return min(max(peaks), 1.6 * float(np.median(peaks))) if peaks else 1.0


def _peak(densities: BySplit) -> float:
    return max(float(of.max()) for of in densities.values())


def _draw_row(axes: Axes, place: int, densities: BySplit, edges: np.ndarray, scale: float) -> None:
    """Densities, on the row's lower edge; what is higher than the row is cut."""
    foot = place + ROOM / 2
    for name, colour in SPLIT_COLOURS.items():
        # Up from 0 at the first edge, and down to it at the last.
        heights = foot - ROOM * np.pad(np.minimum(densities[name] / scale, 1), 1)
        outline, label = np.insert(edges, 0, edges[0]), f"{name} images"
        if name == "forget":
            look: Any = {"alpha": 0.45, "linewidth": 0}
            axes.fill_between(
                outline, heights, foot, step="post", color=colour, label=label, **look
            )
        else:
            axes.step(outline, heights, where="post", color=colour, label=label, linewidth=1.1)


def _cut(densities: BySplit, scale: float) -> str:
    """Says that a row is higher than it is drawn."""
    peak = _peak(densities)
    return f"; cut, peak {peak:.2g}" if peak > scale else ""


def _distance(splits: BySplit) -> float:
    """Kolmogorov–Smirnov, between forget and test."""
    from scipy.stats import ks_2samp

    # The method is that of the p-value, which takes long where it is exact.
    return float(ks_2samp(splits["forget"], splits["test"], method="asymp").statistic)


def _collapsed_seeds(sources: Sequence[Path]) -> dict[str, int]:
    """Row → number of seeds in which its model has collapsed, for rows with any."""
    counts: dict[str, int] = {}
    for path in sources:
        for row, named in read_metrics(path)["predictions"].items():
            if predictions.why_collapsed(Path(named["path"])):
                counts[row] = counts.get(row, 0) + 1
    return counts


def _log_entropies(sources: Sequence[Path], fallen: Container[str]) -> dict[str, BySplit]:
    """From the predictions that the metrics files name; their digests are checked."""
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
    return {
        row: {name: np.concatenate(values) for name, values in splits.items() if row not in fallen}
        for row, splits in pooled.items()
    }


def _load_stated(metrics: Path, named: dict[str, Any]) -> dict[str, predictions.Split]:
    path = Path(named["path"])
    if not path.is_file() or sha256(path) != named["sha256"]:
        raise LotusError(f"{path}: absent, or not what {metrics} was computed from; rerun both")
    return predictions.load(path)
