"""Grad-CAM maps of original, gold and unlearned models, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.errors import LotusError
from lotus.figures.spec import FigureSpec
from lotus.figures.style import GREY, PAGE, VERMILION, empty_figure
from lotus.layout import GOLD, ORIGINAL
from lotus.predictions.maps_file import Explanations, load
from lotus.results.titles import brief, row_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPACITY = 0.75
"""Of a map's largest value over the image."""

HEAD, WORDS, EDGE, GAP, PAD = 0.48, 0.32, 0.04, 0.08, 0.05
"""Inches: above the images, below each, at the sides, from one to the next, from an image to its words."""

SHORT = {ORIGINAL: "Original", GOLD: "Gold"}


def gradcam(sources: Sequence[Path]) -> Figure:
    """Draws where models see the true class: rows are forget images, columns the image and the models.

    The more orange, the more the place speaks for the true class. Each map goes from 0 to its own largest
    value, since gradients of different models have no common scale; the number below is the
    probability that the model gives the true class. Cells are as large as the network's last map has
    them. Collapsed models are not drawn, which their column says; maps of one cell say nothing of
    where, and are left out; a network may have no map at all.

    Args:
        sources: one file of `lotus gradcam`.

    Raises:
        LotusError: it is not one such file.

    """
    if len(sources) != 1:
        raise LotusError(
            f"figure gradcam: needs one file of `lotus gradcam`, but {len(sources)} are given"
        )
    found = load(sources[0])
    models, images, height, width = found.maps.shape
    figure, axes, frames = _frames(images, models + 1, found.pixels[0].shape)
    for image, (first, *others) in enumerate(frames):
        _picture(axes, first, found.pixels[image])
        _say(axes, first, f"{brief(found.classes[image])}\nno. {found.indices[image]}")
        for model, frame in enumerate(others):
            _picture(axes, frame, found.pixels[image])
            _explain(axes, frame, found, model, image)
    heads = ["Image", *(SHORT.get(str(row), row_title(str(row))) for row in found.rows)]
    for frame, head in zip(frames[0], heads, strict=True):
        axes.text(frame.middle, frame.top - PAD, head, ha="center", va="bottom", fontsize=7)
    said = f"{height}×{width} cells, each map up to its own maximum"
    if height * width == 0:
        said = "the network has no map of an image, so nothing is said of where"
    elif height * width == 1:
        said = "the network's last map has one cell, so nothing is said of where"
    figure.suptitle(f"Grad-CAM of the true class: {said}", fontsize=8, y=0.99)
    return figure


SPEC = FigureSpec(
    name="gradcam",
    draw=gradcam,
    each="cell",
    cells=lambda planned: planned.explained,
    sources=lambda planned, cells: planned.maps(cells),
    order=110,
    label="Where models see the class of forget images",
    summary="Where the original, gold and unlearned models see the true class of forget images.",
    heading="Grad-CAM of original, gold and unlearned models",
    shows="The published repository draws them for the class pizza of Tiny-ImageNet and ResNet18.",
    page_order=50,
    caption="Where models see the true class of forget images: the more orange a cell, the more "
    "it speaks for that class (Grad-CAM on the network's last map, first seed). Each map goes up "
    "to its own maximum, so shades compare cells of one map and not models; p is the probability "
    "of the true class. Where no cell speaks for the class, none is coloured. The images are the "
    "first of each class in the forget set, or its first ones where a class is forgotten.",
    alt="Forget images with heat maps of the original, the gold and unlearned models, and the "
    "probability that each gives the true class",
    is_ours=False,
)


@dataclass(frozen=True)
class Frame:
    """Where an image stands: inches from the left and the top of the figure."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """Across."""
        return (self.left + self.right) / 2


def _frames(
    lines: int, columns: int, shape: tuple[int, ...]
) -> tuple[Figure, Axes, list[list[Frame]]]:
    """Returns a figure, and places in it for images `[h, w, …]`, with two lines of words below each.

    One pair of axes serves all, since each pair takes long.
    """
    side = (PAGE - 2 * EDGE - (columns - 1) * GAP) / columns
    high = side * shape[0] / shape[1]
    height = HEAD + lines * (high + WORDS)
    figure = empty_figure(PAGE, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, PAGE), ylim=(height, 0), autoscale_on=False)
    corners = [
        [(EDGE + column * (side + GAP), HEAD + line * (high + WORDS)) for column in range(columns)]
        for line in range(lines)
    ]
    return figure, axes, [[Frame(x, x + side, y, y + high) for x, y in of] for of in corners]


def _picture(axes: Axes, frame: Frame, pixels: np.ndarray) -> None:
    _show(axes, frame, pixels.mean(axis=2), cmap="gray", vmin=0, vmax=255)


def _show(axes: Axes, frame: Frame, values: np.ndarray, **look: Any) -> None:
    extent = (frame.left, frame.right, frame.bottom, frame.top)
    # Without interpolation, SVG and PDF hold the pixels themselves.
    axes.imshow(values, extent=extent, aspect="auto", interpolation="none", **look)


def _say(axes: Axes, frame: Frame, text: str, **look: Any) -> None:
    """Below the image."""
    axes.text(frame.middle, frame.bottom + PAD, text, ha="center", va="top", fontsize=6, **look)


def _explain(axes: Axes, frame: Frame, found: Explanations, model: int, image: int) -> None:
    if found.collapsed[model]:
        _say(axes, frame, "collapsed:\nnot drawn", color=GREY)
        return
    values, said = found.maps[model, image], f"p = {found.probabilities[model, image]:.2f}"
    has_places = values.size > 1
    _say(axes, frame, said if values.any() or not has_places else f"{said}\nnothing for it")
    if has_places and values.any():
        _show(axes, frame, _tinted(values / values.max()))


def _tinted(shares: np.ndarray) -> np.ndarray:
    """Shares `[h, w]` of 0 … 1 as RGBA `[h, w, 4]`: one colour, the more opaque the larger."""
    red, green, blue = (int(VERMILION[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return np.dstack(
        [np.full_like(shares, part) for part in (red, green, blue)] + [OPACITY * shares]
    )
