"""Images of each class in each part, from audits of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lotus.figures.spec import FigureSpec, OnPage
from lotus.figures.style import GREY, ORANGE, PAGE, SETTINGS, SPLIT_COLOURS, empty_figure
from lotus.figures.text_widths import width_of
from lotus.results.lookalikes import audit_title, read_audit
from lotus.results.titles import brief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {**SPLIT_COLOURS, "val": ORANGE, "train": GREY}
NAMED = 20
"""Classes up to which they are named."""


def classes(sources: Sequence[Path]) -> Figure:
    """Draws the number of images of each class in each part, the classes in one order for all parts.

    Many classes have no names; they are ordered by their number of images in all parts.
    """
    audits = [read_audit(path) for path in sources]
    titles = width_of(map(audit_title, audits), SETTINGS["axes.titlesize"])
    figure = empty_figure(max(PAGE, titles + 1.8), 2.3 * len(audits))
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


def _caption(page: OnPage) -> str:
    return f"{page.about['dataset']}: images of each class in each part, the classes in one order."


SPEC = FigureSpec(
    name="classes",
    draw=classes,
    each="data set",
    sources=lambda planned, cells: planned.audits({cell.dataset for cell in cells}),
    stem="data-classes",
    order=120,
    label="Images of each class and part",
    summary="Images of each class in each part of the data.",
    heading="Figure 4: class distribution",
    shows="The paper's shows the number of images of each class in each part of cleaned MUFAC, "
    "every part sorted by itself under the names of one; here the classes have one order for all "
    "parts.",
    section="data",
    page_order=30,
    caption=_caption,
    alt="Images of each class and part",
    is_ours=False,
    target="class-distribution",
)


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
