"""Grad-CAM maps of original, gold and unlearned models, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lotus.errors import LotusError
from lotus.explanations import Explanations, load
from lotus.layout import GOLD, ORIGINAL
from lotus.paper.panels import places
from lotus.paper.results import row_title
from lotus.paper.style import GREY, PAGE, VERMILION

OPACITY = 0.75
"""Of a map's largest value over the image."""

HEAD, WORDS, EDGE, GAP = 0.48, 0.32, 0.04, 0.08
"""Inches: above the images, below each, at the sides, from one to the next."""

SHORT = {ORIGINAL: "Original", GOLD: "Gold"}


def gradcam(sources: Sequence[Path]) -> Figure:
    """Where models see the true class: rows are forget images, columns the image and the models.

    The more orange, the more the place speaks for the true class. Each map goes from 0 to its own largest
    value, since gradients of different models have no common scale; the number below is the
    probability that the model gives the true class. Cells are as large as the network's last map has
    them. Collapsed models are not drawn, which their column says; maps of one cell say nothing of
    where, and are left out.

    Args:
        sources: one file of `lotus gradcam`.

    Raises:
        LotusError: it is not one such file.

    """
    if len(sources) != 1:
        raise LotusError(f"gradcam: one file of `lotus gradcam` is needed, given: {len(sources)}")
    found = load(sources[0])
    models, images, height, width = found.maps.shape
    figure, panels = _panels(images, models + 1, found.pixels.shape[1] / found.pixels.shape[2])
    for line, image in zip(panels, range(images), strict=True):
        _picture(line[0], found.pixels[image])
        line[0].set_xlabel(f"{found.classes[image]}\nno. {found.indices[image]}", fontsize=6)
        for axes, model in zip(line[1:], range(models), strict=True):
            _picture(axes, found.pixels[image])
            _explain(axes, found, model, image)
    panels[0, 0].set_title("Image", fontsize=7, y=1)
    for axes, row in zip(panels[0, 1:], found.rows, strict=True):
        axes.set_title(SHORT.get(str(row), row_title(str(row))), fontsize=7, y=1)
    said = f"{height}×{width} cells, each map up to its own maximum"
    if height * width == 1:
        said = "the network's last map has one cell, so nothing is said of where"
    figure.suptitle(f"Grad-CAM of the true class: {said}", fontsize=8, y=0.99)
    return figure


def _panels(lines: int, columns: int, ratio: float) -> tuple[Figure, np.ndarray]:
    """Panels for images of height : width `ratio`, with two lines of words below each."""
    side = (PAGE - 2 * EDGE - (columns - 1) * GAP) / columns
    figure = Figure(figsize=(PAGE, HEAD + lines * (side * ratio + WORDS)))
    figure.set_layout_engine("none")
    edges = {"left": EDGE, "right": EDGE, "top": HEAD, "bottom": WORDS}
    grid = places(figure, lines, columns, **edges, between=(GAP, WORDS))
    return figure, figure.subplots(lines, columns, squeeze=False, gridspec_kw=grid)


def _picture(axes: Axes, pixels: np.ndarray) -> None:
    grey = pixels.mean(axis=2)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _explain(axes: Axes, found: Explanations, model: int, image: int) -> None:
    if found.collapsed[model]:
        axes.set_xlabel("collapsed:\nnot drawn", fontsize=6, color=GREY)
        return
    values, said = found.maps[model, image], found.probabilities[model, image]
    axes.set_xlabel(f"p = {said:.2f}", fontsize=6)
    if values.size == 1:
        return
    if not values.any():
        axes.set_xlabel(f"p = {said:.2f}\nnothing for it", fontsize=6)
        return
    height, width = found.pixels.shape[1:3]
    over: Any = {"extent": (-0.5, width - 0.5, height - 0.5, -0.5), "interpolation": "nearest"}
    axes.imshow(_tinted(values / values.max()), **over)


def _tinted(shares: np.ndarray) -> np.ndarray:
    """Shares `[h, w]` of 0 … 1 as RGBA `[h, w, 4]`: one colour, the more opaque the larger."""
    red, green, blue = (int(VERMILION[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return np.dstack(
        [np.full_like(shares, part) for part in (red, green, blue)] + [OPACITY * shares]
    )
