"""How unlike forget and retain images are, from audits of data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lotus.errors import LotusError
from lotus.figures.spec import FigureSpec
from lotus.figures.style import (
    BLUE,
    COLUMN,
    GREEN,
    ORANGE,
    PAGE,
    PURPLE,
    SKY,
    VERMILION,
    WINE,
    empty_figure,
)
from lotus.figures.text_widths import legend_width
from lotus.results.lookalikes import audit_title, read_audit
from lotus.tables.spec import IMAGES

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

LINES = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY, WINE)
DASHES = ("-", "--", ":")


def similarity(sources: Sequence[Path]) -> Figure:
    """Draws how unlike forget and retain images are: share of pairs whose hashes differ in at most x bits.

    Raises:
        LotusError: an audit knows no forget set.

    """
    titles = [audit_title(read_audit(path)) for path in sources]
    figure = empty_figure(max(PAGE, legend_width(titles) + COLUMN), 2.4)
    axes = figure.subplots()
    handles: list[Line2D] = []
    for number, path in enumerate(sources):
        audit = read_audit(path)
        if audit["similarity"] is None:
            raise LotusError(
                f"{path}: this audit was made without a forget set; run `lotus duplicates --forget-set`"
            )
        counts = np.array(audit["similarity"]["histogram"])
        handles += axes.step(
            np.arange(len(counts)),
            counts.cumsum() / counts.sum(),
            where="post",
            color=LINES[number % len(LINES)],
            linestyle=DASHES[number // len(LINES) % len(DASHES)],
        )
    axes.set_xlim(0, len(counts) - 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("differing bits of the perceptual hashes")
    axes.set_ylabel("share of forget–retain pairs")
    axes.grid()
    # Of a line's own label, a '_' at its start would hide it.
    axes.legend(handles, titles, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


SPEC = FigureSpec(
    name="similarity",
    draw=similarity,
    each="experiment",
    sources=lambda planned, cells: planned.audits({cell.dataset for cell in cells}),
    stem="data-similarity",
    order=130,
    label="Distances between forget and retain images",
    category=IMAGES,
    summary="How unlike forget and retain images are: share of pairs whose perceptual hashes "
    "differ in at most so many bits.",
    heading="Figure 5: forget and retain images",
    shows="The paper's shows how far perceptual hashes of forget and retain images lie apart, in "
    "MUFAC, CIFAR-10 and CIFAR-100.",
    section="data",
    page_order=40,
    caption="How unlike are forget and retain images? Share of pairs whose hashes differ in at "
    "most so many bits; further left: more alike.",
    alt="Distances between forget and retain images",
    is_ours=False,
)
