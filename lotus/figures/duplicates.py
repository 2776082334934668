"""Images that look alike, from audits of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.data.alike_pairs import EXAMPLES, pairs_between, shown_kinds, shown_pairs
from lotus.figures.spec import FigureSpec, OnPage
from lotus.figures.style import PAGE, empty_figure
from lotus.results.lookalikes import audit_title, picture, read_audit
from lotus.results.titles import brief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def duplicates(sources: Sequence[Path]) -> Figure:
    """Draws images that look alike: up to three kinds of pair, up to three pairs of each.

    Raises:
        LotusError: an audit does not hold the pictures that are shown.

    """
    audits = [read_audit(path) for path in sources]
    rows = [(audit, kind) for audit in audits for kind in shown_kinds(audit)]
    if not rows:
        return _nothing_alike(audits)
    figure = empty_figure(PAGE, 1.5 * len(rows))
    strips = np.ravel(np.array(figure.subfigures(len(rows), 1, squeeze=False)))
    for strip, (audit, kind) in zip(strips, rows, strict=True):
        _strip_of_pairs(strip, audit, kind)
    return figure


def _caption(page: OnPage) -> str:
    return f"{page.about['dataset']}: images that are alike, with their part and index."


SPEC = FigureSpec(
    name="duplicates",
    draw=duplicates,
    each="data set",
    # Which images are alike depends little on the scenario.
    sources=lambda planned, cells: planned.audits({cell.dataset for cell in cells})[:1],
    stem="data-duplicates",
    order=120,
    label="Images that look alike",
    summary="Images of different parts that look alike by perceptual hash.",
    heading="Figure 3: duplicates",
    shows="The paper's shows two pairs of MUFAC that are alike, one within the retain set and one "
    "across forget and retain set.",
    section="data",
    page_order=20,
    caption=_caption,
    alt="Images that look alike",
    anchor="data",
    is_ours=False,
)


def _strip_of_pairs(strip: SubFigure, audit: Mapping[str, Any], kind: tuple[str, str]) -> None:
    count = pairs_between(audit, *kind)
    where = f"within {kind[0]}" if kind[0] == kind[1] else f"{kind[0]}–{kind[1]}"
    pairs = "pair" if count == 1 else "pairs"
    strip.suptitle(f"{audit_title(audit)}: {where}, {count:,} {pairs}", fontsize=8)
    # A narrow column between two pairs.
    widths = ([1.0, 1.0, 0.25] * EXAMPLES)[:-1]
    panels = strip.subplots(1, len(widths), width_ratios=widths)
    for axes in panels:
        axes.set_axis_off()
    for number, pair in enumerate(shown_pairs(audit, kind)):
        for axes, (index, part, label, _) in zip(panels[3 * number :][:2], pair, strict=True):
            _picture(axes, picture(audit, index))
            axes.set_title(f"{part} {index}\n{brief(audit['classes'][label])}", fontsize=6)


def _picture(axes: Axes, image: np.ndarray) -> None:
    pixels = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _nothing_alike(audits: Sequence[Mapping[str, Any]]) -> Figure:
    lines = []
    for audit in audits:
        count = sum(part["images"] for part in audit["parts"].values())
        bits = audit["distance"]
        close = "share a hash" if bits == 0 else f"have hashes within {bits} bits"
        lines.append(f"{audit_title(audit)}: no two of {count:,} images {close}")
    figure = empty_figure(PAGE, 0.3 + 0.2 * len(audits))
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center")
    return figure
