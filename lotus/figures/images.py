"""The figures of the images themselves, from audits; what takes long is in these already."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from lotus.errors import LotusError
from lotus.figures.panels import legend_width, width_of
from lotus.figures.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PAGE,
    PURPLE,
    SETTINGS,
    SKY,
    SPLIT_COLOURS,
    VERMILION,
    WINE,
)
from lotus.records.files import sha256
from lotus.results.lookalikes import audit_title, pairs_between, read_audit
from lotus.results.metrics import brief

COLOURS = {**SPLIT_COLOURS, "val": ORANGE, "train": GREY}
LINES = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY, WINE)
DASHES = ("-", "--", ":")

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
NAMED = 20
"""Classes up to which they are named."""

Member = tuple[int, str, int, int]
"""Index, part, label and hash of an image."""


def duplicates(sources: Sequence[Path]) -> Figure:
    """Images that look alike: up to three kinds of pair, up to three pairs of each.

    Raises:
        LotusError: the images are no longer those that were audited.

    """
    audits = [read_audit(path) for path in sources]
    rows = [(audit, kind) for audit in audits for kind in _kinds(audit)]
    if not rows:
        return _nothing_alike(audits)
    figure = Figure(figsize=(PAGE, 1.5 * len(rows)))
    strips = np.ravel(np.array(figure.subfigures(len(rows), 1, squeeze=False)))
    for strip, (audit, kind) in zip(strips, rows, strict=True):
        _strip_of_pairs(strip, audit, kind)
    return figure


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
    figure = Figure(figsize=(PAGE, 0.3 + 0.2 * len(audits)))
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center")
    return figure


def _kinds(audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = audit["parts"]
    there = (kind for kind in KINDS if kind[0] in known and kind[1] in known)
    return list(islice((kind for kind in there if pairs_between(audit, *kind)), SHOWN))


def _pairs(audit: Mapping[str, Any], kind: tuple[str, str]) -> Iterator[tuple[Member, Member]]:
    """A pair of this kind from each group that has one."""
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
        raise LotusError(f"{path}: absent, or not the images that were audited; audit them again")
    images: np.ndarray = np.load(path, mmap_mode="r")
    return images


def classes(sources: Sequence[Path]) -> Figure:
    """Images of each class in each part, the classes in one order for all parts.

    Many classes have no names; they are ordered by their number of images in all parts.
    """
    audits = [read_audit(path) for path in sources]
    titles = width_of(map(audit_title, audits), SETTINGS["axes.titlesize"])
    figure = Figure(figsize=(max(PAGE, titles + 1.8), 2.3 * len(audits)))
    panels = figure.subplots(len(audits), 1, squeeze=False)[:, 0]
    for axes, audit in zip(panels, audits, strict=True):
        counts = {name: np.array(part["class_counts"]) for name, part in audit["parts"].items()}
        if len(audit["classes"]) <= NAMED:
            _bars(axes, counts, [brief(name) for name in audit["classes"]])
        else:
            _steps(axes, counts)
        axes.set_title(audit_title(audit))
        axes.set_ylabel("images")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _bars(axes: Axes, counts: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    width = 0.8 / len(counts)
    for number, (part, values) in enumerate(counts.items()):
        places = np.arange(len(values)) + (number - (len(counts) - 1) / 2) * width
        axes.bar(places, values, width, color=COLOURS[part], label=part)
    slanted = sum(map(len, names)) > 60
    axes.set_xticks(
        range(len(names)), names, rotation=30 if slanted else 0, ha="right" if slanted else "center"
    )


def _steps(axes: Axes, counts: Mapping[str, np.ndarray]) -> None:
    order = np.argsort(-sum(counts.values()), kind="stable")
    edges = np.arange(len(order) + 1)
    for part, values in counts.items():
        axes.stairs(values[order], edges, color=COLOURS[part], label=part, linewidth=1.0)
    axes.set_xlim(0, len(order))
    axes.set_xlabel(f"{len(order)} classes, those with most images first")


def similarity(sources: Sequence[Path]) -> Figure:
    """How unlike are forget and retain images? Share of pairs whose hashes differ in at most x bits.

    Raises:
        LotusError: an audit knows no forget set.

    """
    titles = [audit_title(read_audit(path)) for path in sources]
    figure = Figure(figsize=(max(PAGE, legend_width(titles) + COLUMN), 2.4))
    axes = figure.subplots()
    handles: list[Line2D] = []
    for number, path in enumerate(sources):
        audit = read_audit(path)
        if audit["similarity"] is None:
            raise LotusError(
                f"{path}: no forget set was audited; run `lotus duplicates --forget-set`"
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
