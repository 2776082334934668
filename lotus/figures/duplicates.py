"""Images that look alike, from audits of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.errors import LotusError
from lotus.figures.spec import FigureSpec, OnPage
from lotus.figures.style import PAGE, empty_figure
from lotus.records.files import sha256
from lotus.results.lookalikes import audit_title, pairs_between, read_audit
from lotus.results.metrics import brief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

KINDS = (
    *(("retain", "retain"), ("forget", "retain"), ("train", "train"), ("retain", "test")),
    *(("train", "test"), ("forget", "test"), ("forget", "forget"), ("train", "val")),
    *(("retain", "val"), ("forget", "val"), ("val", "test"), ("test", "test"), ("val", "val")),
)
"""Kinds of pair, those of the paper's figure first; the first `SHOWN` that there are get shown."""
SHOWN, EXAMPLES = 3, 3
"""Kinds of pair, and pairs of each."""
LOOKED_AT = 50
"""Images of each part of a group among which an example is sought."""

Member = tuple[int, str, int, int]
"""Index, part, label and hash of an image."""


def duplicates(sources: Sequence[Path]) -> Figure:
    """Draws images that look alike: up to three kinds of pair, up to three pairs of each.

    Raises:
        LotusError: the images are no longer those that were audited.

    """
    audits = [read_audit(path) for path in sources]
    rows = [(audit, kind) for audit in audits for kind in _kinds(audit)]
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
    images = _audited_images(audit)
    # A narrow column between two pairs.
    widths = ([1.0, 1.0, 0.25] * EXAMPLES)[:-1]
    panels = strip.subplots(1, len(widths), width_ratios=widths)
    for axes in panels:
        axes.set_axis_off()
    for number, pair in enumerate(islice(_pairs(audit, kind), EXAMPLES)):
        for axes, (index, part, label, _) in zip(panels[3 * number :][:2], pair, strict=True):
            _picture(axes, images[index])
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


def _kinds(audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = audit["parts"]
    there = (kind for kind in KINDS if kind[0] in known and kind[1] in known)
    return list(islice((kind for kind in there if pairs_between(audit, *kind)), SHOWN))


def _pairs(audit: Mapping[str, Any], kind: tuple[str, str]) -> Iterator[tuple[Member, Member]]:
    """Yields a pair of this kind from each group that has one."""
    for group in audit["groups"]:
        hashes = (int(value, 16) for value in group["hashes"])
        members = list(zip(group["indices"], group["parts"], group["labels"], hashes, strict=True))
        first, second = (
            [member for member in members if member[1] == part][:LOOKED_AT] for part in kind
        )
        yield from islice(
            (
                (a, b)
                for a, b in product(first, second)
                if a[0] != b[0] and (a[3] ^ b[3]).bit_count() <= audit["distance"]
            ),
            1,
        )


def _audited_images(audit: Mapping[str, Any]) -> np.ndarray:
    path = Path(audit["images"]["path"])
    if not path.is_file() or sha256(path) != audit["images"]["sha256"]:
        raise LotusError(
            f"{path}: is absent or holds other images than those that were audited; audit them again"
        )
    images: np.ndarray = np.load(path, mmap_mode="r")
    return images
