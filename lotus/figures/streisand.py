"""The Streisand figure: entropies of predictions on forget, retain and test images."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.figures.panels import NAMED, place_of
from lotus.figures.spec import FigureSpec, OnPage
from lotus.figures.style import COLUMN, PAGE, PLATE, SPLIT_COLOURS, empty_figure
from lotus.figures.text_widths import room_of_names
from lotus.metrics.streisand import standing
from lotus.results.collapsed import in_seeds
from lotus.results.entropies import BySplit, load_entropies
from lotus.results.titles import row_title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-12
"""Nats below which entropies are drawn at one place, so that the axis has room for the others."""
BINS = 60
POINTS = 100
"""Forget images that are shown one by one, at most."""
HIGH, ROOM = 0.5, 0.88
"""Inches of a row, and the share of them that its densities have."""
ABOVE, BELOW = 0.35, 0.42
"""Inches, for the legend and for the axis."""


def streisand(sources: Sequence[Path]) -> Figure:
    """Draws whether the forget set stands out: entropies of predictions on forget, retain and test images.

    ln max(h, 1e-12), not standardised; each split normalised to area 1; all rows have the same scales.
    The number is the Kolmogorov–Smirnov distance between forget and test, of the entropies as they are,
    however small. Rows of which a model has
    collapsed are not drawn, and say so. Ticks below a row are single forget images, at most `POINTS`,
    evenly by rank.

    Args:
        sources: files of entropies of one cell, one for each seed.

    Raises:
        LotusError: a source is none.

    """
    seeds = [load_entropies(path) for path in sources]
    fallen = _collapsed_seeds(sources, seeds)
    found = _pooled(seeds, fallen)
    entropies = {
        row: {name: np.log(np.maximum(values, FLOOR)) for name, values in splits.items()}
        for row, splits in found.items()
    }
    drawn = [values for splits in entropies.values() for values in splits.values()]
    everything = np.concatenate(drawn) if drawn else np.zeros(1)
    edges = _edges(everything)
    densities = {row: _densities(splits, edges) for row, splits in entropies.items()}
    scale = _common_scale(densities)
    rows = list(entropies)
    height = ABOVE + HIGH * len(rows) + BELOW
    left = room_of_names(rows)
    width = max(PAGE, left + COLUMN)
    figure = empty_figure(width, height)
    # Its place is given, since looking for it takes long.
    figure.set_layout_engine("none")
    for place, (row, splits) in enumerate(entropies.items()):
        top = ABOVE + HIGH * (place + 1 - ROOM)
        corner = left, top, width - left - 0.05, HIGH * ROOM
        axes = figure.add_axes(place_of(figure, *corner))
        if splits:
            _draw_row(axes, densities[row], edges, splits["forget"])
            distance = standing(found[row]["forget"], found[row]["test"]).distance
            said = f"KS forget–test {distance:.2f}" + _cut(densities[row], scale)
        else:
            said = f"collapsed {in_seeds(fallen[row], len(seeds), NAMED)}: not drawn"
        where: Any = {"transform": axes.transAxes, "va": "center"}
        axes.text(0.01, 0.5, said, fontsize=6.5, bbox=PLATE, **where)
        axes.set(xlim=(edges[0], edges[-1]), ylim=(0, scale), ylabel="")
        axes.set_yticks([scale / 2], [row_title(row)])
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", length=0, labelbottom=False)
        axes.grid(axis="x")
    axes.tick_params(axis="x", length=3.5, labelbottom=True)
    axes.set_xlabel(
        f"ln entropy of the prediction (nats); a row is as high as a density of {scale:.2g}"
    )
    figure.legend(handles=_handles(), loc="upper center", ncols=3)
    return figure


def _caption(page: OnPage) -> str:
    protocol = page.about["protocol"]
    if not page.is_first:
        return f"The same, {protocol}: the predictions that the published evaluation would record."
    return (
        f"Streisand effect, {protocol}: does the forget set stand out? Entropy of each prediction "
        "(natural logarithm) on forget, retain and test images, all seeds together, each set normalised "
        "to area 1, the same scales everywhere (a far higher peak is cut and its height stated; entropies "
        "below 10⁻¹² are drawn there, at −27.6). Where forgetting works as in the gold model, the filled "
        "forget histogram lies on the test one; a forget set pushed to higher entropy than test images "
        "betrays itself. Ticks are single forget images, at most a hundred, evenly by rank. KS: "
        "Kolmogorov–Smirnov distance between forget and test, of the entropies as they are, however small."
    )


SPEC = FigureSpec(
    name="streisand",
    draw=streisand,
    each="cell",
    sources=lambda planned, cells: planned.entropies(cells),
    order=10,
    label="Does the forget set stand out? Entropies of predictions",
    summary="Entropy of each prediction on forget, retain and test images. Where forgetting works "
    "as in the gold model, the forget histogram lies on the test one. Ticks are single forget "
    "images, at most a hundred, evenly by rank.",
    heading="Figure 7: Streisand effect",
    shows="The paper's shows prediction entropies of ResNet18 on CIFAR-100 (one seed) for "
    "original, gold, Random Labeling and LoTUS; original and gold are standardised set by set, "
    "the other two are not, so its panels cannot be compared with each other. Here all rows have "
    "the same scales.",
    section="benchmark",
    page_order=10,
    caption=_caption,
    alt="Histograms of prediction entropy on forget, retain and test images",
    is_ours=False,
)


def _edges(values: np.ndarray) -> np.ndarray:
    """Edges of the bins `[BINS + 1]`, between whole numbers."""
    first = np.floor(values.min())
    return np.linspace(first, max(np.ceil(values.max()), first + 1), BINS + 1)


def _densities(splits: BySplit, edges: np.ndarray) -> dict[str, np.ndarray]:
    """Split → density per nat between the edges."""
    return {name: np.histogram(of, edges, density=True)[0] for name, of in splits.items()}


def _common_scale(densities: Mapping[str, BySplit]) -> float:
    """The density as high as a row: the highest, unless that is far above the others."""
    peaks = [_peak(splits) for splits in densities.values() if splits]
    return min(max(peaks), 1.6 * float(np.median(peaks))) if peaks else 1.0


def _peak(densities: BySplit) -> float:
    return max(float(of.max()) for of in densities.values())


def _draw_row(axes: Axes, densities: BySplit, edges: np.ndarray, forget: np.ndarray) -> None:
    """Densities, of which the axes cut what is higher than the row, and single forget images."""
    for name, colour in SPLIT_COLOURS.items():
        filled = name == "forget"
        look: Any = {"alpha": 0.45, "linewidth": 0} if filled else {"linewidth": 1.1}
        axes.stairs(densities[name], edges, fill=filled, color=colour, **look)
    below: Any = {"transform": axes.get_xaxis_transform(), "clip_on": False}
    axes.vlines(_spread(forget), -0.08, 0, SPLIT_COLOURS["forget"], linewidth=0.4, **below)


def _spread(values: np.ndarray) -> np.ndarray:
    """At most `POINTS` of the values, evenly by rank, the least and the largest among them."""
    ranks = np.linspace(0, len(values) - 1, min(len(values), POINTS)).round().astype(int)
    shown: np.ndarray = np.sort(values)[ranks]
    return shown


def _handles() -> list[Artist]:
    """Returns what the legend shows; every row has the same."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Patch(color=colour, alpha=0.45, linewidth=0, label="forget images")
        if name == "forget"
        else Line2D([], [], color=colour, linewidth=1.1, label=f"{name} images")
        for name, colour in SPLIT_COLOURS.items()
    ]


def _cut(densities: BySplit, scale: float) -> str:
    """Says that a row is higher than it is drawn."""
    peak = _peak(densities)
    return f"; cut, peak {peak:.2g}" if peak > scale else ""


def _collapsed_seeds(
    sources: Sequence[Path], seeds: Sequence[Mapping[str, BySplit]]
) -> dict[str, list[str]]:
    """Row → the seeds in which its model has collapsed."""
    found: dict[str, list[str]] = {}
    for path, rows in zip(sources, seeds, strict=True):
        for row in (row for row, splits in rows.items() if not splits):
            found.setdefault(row, []).append(_seed_of(path))
    return found


def _seed_of(path: Path) -> str:
    """The seed in whose folder a file lies; of a file that lies elsewhere its name."""
    folders = (re.fullmatch(r"seed(\d+)", part) for part in reversed(path.parts))
    return next((found[1] for found in folders if found), path.name)


def _pooled(
    seeds: Sequence[Mapping[str, BySplit]], fallen: Container[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Entropies of all seeds together; none of a row of which a model has collapsed."""
    rows = dict.fromkeys(row for of_seed in seeds for row in of_seed)
    return {
        row: {}
        if row in fallen
        else {
            name: np.concatenate([of_seed[row][name] for of_seed in seeds if row in of_seed])
            for name in SPLIT_COLOURS
        }
        for row in rows
    }
