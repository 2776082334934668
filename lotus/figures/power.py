"""How often each measure and attack raises alarm, on models whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.errors import LotusError
from lotus.figures.panels import place_of
from lotus.figures.spec import FigureSpec
from lotus.figures.style import BLACK, PAGE, empty_figure
from lotus.figures.text_widths import room_of_texts, width_of
from lotus.results.power import FRESH, TRIED, Tried, read_power
from lotus.results.titles import benchmark_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADS = {
    FRESH: "fresh\ngolds",
    "nothing": "nothing\ndone",
    "half": "half\nkept",
    "lookup": "fake:\nlookup",
    "temperature": "fake:\ntemperature",
    "train_mode": "fake:\ntrain mode",
}
ROW, ABOVE, BELOW = 0.2, 0.75, 0.1
MARGIN, TITLE = 0.08, 8.0
"""Inches at the sides of the title, and points of its letters."""
DARK = 0.6
"""A share above which its number is white."""


def power(sources: Sequence[Path]) -> Figure:
    """Draws, for each measure and attack, the share of models of each kind on which it raises alarm.

    Raises:
        LotusError: there are several sources, or one that `lotus power` did not write.

    """
    if len(sources) != 1:
        raise LotusError("figure power: is made of one file, which `lotus power` writes")
    tried = read_power(sources[0])
    measures, groups = [*tried.measures()], (FRESH, *TRIED)
    shares = np.array(
        [[tried.rate(name, group).value for group in groups] for name in measures], dtype=float
    ).reshape(len(measures), len(groups))
    labels = [tried.labels[name] for name in measures]
    title = _title(tried)
    left = room_of_texts(labels)
    height = ABOVE + ROW * max(1, len(measures)) + BELOW
    needed = width_of(title.splitlines(), TITLE) + 2 * MARGIN
    figure = empty_figure(max(PAGE, left + 4.5, needed), height)
    figure.set_layout_engine("none")
    wide = figure.get_figwidth() - left - 0.1
    corner = left, ABOVE, wide, ROW * max(1, len(measures))
    axes = figure.add_axes(place_of(figure, *corner))
    look: Any = {"aspect": "auto", "cmap": "Blues", "vmin": 0, "vmax": 1}
    axes.imshow(shares, **look)
    for (line, column), share in np.ndenumerate(shares):
        colour = "white" if share > DARK else BLACK
        at: Any = {"ha": "center", "va": "center", "fontsize": 6.5, "color": colour}
        axes.text(column, line, "–" if np.isnan(share) else f"{share:.2f}", **at)
    axes.set_xticks(range(len(groups)), [HEADS[group] for group in groups])
    axes.set_yticks(range(len(measures)), labels)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.axvline(0.5, color="white", linewidth=3)
    # From the left edge of the figure: beside the labels there is no room for it.
    place = MARGIN / figure.get_figwidth(), 1 - 0.04 / height
    figure.text(*place, title, va="top", fontsize=TITLE)
    return figure


def _title(tried: Tried) -> str:
    """Says what was tried, and on how many models; in a second line of measures that have others."""
    counts = {name: (len(of[FRESH]), len(of["nothing"])) for name, of in tried.p.items()}
    golds, others = next(iter(counts.values()), (0, 0))
    line = (
        f"{benchmark_title(**tried.about)}; level {tried.level:g}; "
        f"{golds} fresh golds, {others} models of each other kind"
    )
    apart = [
        f"{tried.labels[name]}: {of[0]} and {of[1]}"
        for name, of in counts.items()
        if of != (golds, others)
    ]
    return "\n".join([line, "; ".join(apart)] if apart else [line])


SPEC = FigureSpec(
    name="power",
    draw=power,
    each="experiment",
    # Drawn when it is asked for: `snakemake power`.
    cells=lambda planned: (),
    label="How often measures and attacks raise alarm",
    summary="The share of models on which each measure and attack raises alarm: fresh golds (goal: the "
    "level), doing nothing, half of the forget set kept, and three faked forgettings.",
    caption="The share of models on which each measure and attack raises alarm. On fresh golds it should "
    "be at most about the level; on the others the higher, the better: nothing done, half of the forget "
    "set kept in training, and three faked forgettings of models to which nothing was done. U-LiRA judges "
    "shadow models, KLoM sets of ten models.",
    alt="A table of shares, a line for each measure and attack, a column for each kind of model",
    has_entry=False,
)
