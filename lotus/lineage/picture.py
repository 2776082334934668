"""A tree as a picture: source files at the left, the artifact at the right, what is broken in red."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from lotus import layout
from lotus.errors import LotusError, choices
from lotus.figures.style import BLACK, FORMS, GREY, save_as, style
from lotus.lineage.box_layout import ASKED_FOR, Box, BoxLayout, box_layout
from lotus.lineage.tree import Tree
from lotus.names import shown
from lotus.records.among_results import refuse_among_results

BROKEN = "#C00000"
WIDTH, GAP = 1.5, 0.42
"""Inches: of a box, and between columns."""
ROW, SPACE, MARGIN, HEAD = 0.125, 0.16, 0.2, 0.52
"""Inches: of a line of text, between boxes, around all, above the columns."""
MOST_PROBLEMS = 4
"""Problems that are written under the picture."""
Place = tuple[float, float, float, float]
"""Left, bottom, width, height, in inches."""


def draw(tree: Tree, heading: str, out: Path) -> None:
    """Writes the picture of a tree; equal trees give equal files.

    Args:
        heading: what the tree is of.
        out: `.svg`, `.pdf` or `.png`.

    Raises:
        LotusError: another ending, a place among the results or stores, or it cannot be written there.

    """
    ending = out.suffix.removeprefix(".")
    if ending not in FORMS:
        accepted = choices(ending, FORMS)
        raise LotusError(f"{out}: a picture cannot have the ending '{ending}'; {accepted}")
    accepted = f"accepted: a file outside {layout.RESULTS} and {layout.STORES}"
    refuse_among_results(out, "--picture", accepted)
    drawn = box_layout(tree)
    try:
        # What is between two $ of a name is no formula.
        with style(), mpl.rc_context({"text.parse_math": False}):
            save_as(_make_figure(drawn, heading, tree.problems), out)
    except OSError as error:
        raise LotusError(f"{out}: cannot be written: {error.strerror}") from error


def _make_figure(drawn: BoxLayout, heading: str, problems: Sequence[str]) -> Figure:
    foot = ROW * (min(len(problems), MOST_PROBLEMS) + 1) if problems else 0.0
    heights = [sum(_height(box) + SPACE for box in column) - SPACE for _, column in drawn.columns]
    inner, count = max(heights), len(drawn.columns)
    width = 2 * MARGIN + count * WIDTH + (count - 1) * GAP
    height = 2 * MARGIN + HEAD + inner + foot
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    axes.text(MARGIN, height - MARGIN, shown(heading), va="top", fontsize=8.5, color=BLACK)
    places = _places_of_boxes(drawn, heights, MARGIN + foot, inner)
    _draw_links(axes, drawn, places)
    for number, (head, column) in enumerate(drawn.columns):
        left = MARGIN + number * (WIDTH + GAP)
        top = MARGIN + foot + inner + 0.12
        axes.text(left + WIDTH / 2, top, head, ha="center", fontsize=7.5, color=GREY)
        for box in column:
            _draw_box(axes, box, places[id(box)])
    for number, problem in enumerate(problems[:MOST_PROBLEMS]):
        more = (
            f" (and {len(problems) - MOST_PROBLEMS} more)"
            if number + 1 == MOST_PROBLEMS < len(problems)
            else ""
        )
        axes.text(
            MARGIN, foot - ROW * number, shown(f"{problem}{more}"), fontsize=6.5, color=BROKEN
        )
    return figure


def _height(box: Box) -> float:
    return ROW * (len(box.text) + 1)


def _places_of_boxes(
    drawn: BoxLayout, heights: Sequence[float], bottom: float, inner: float
) -> dict[int, Place]:
    """Box (by `id`) → where it stands; columns are centred."""
    places = {}
    for number, (_, column) in enumerate(drawn.columns):
        top = bottom + (inner + heights[number]) / 2
        for box in column:
            height = _height(box)
            places[id(box)] = (MARGIN + number * (WIDTH + GAP), top - height, WIDTH, height)
            top -= height + SPACE
    return places


def _draw_links(axes: Axes, drawn: BoxLayout, places: dict[int, Place]) -> None:
    """A curve from the right of each input to the left of what read it."""
    for one, other in drawn.links:
        left, bottom, width, height = places[id(one)]
        start = (left + width, bottom + height / 2)
        left, bottom, _, height = places[id(other)]
        end = (left, bottom + height / 2)
        bend = max(GAP, (end[0] - start[0]) / 2)
        points = [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end]
        codes = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
        colour = BROKEN if one.is_broken else "#b5b5b5"
        axes.add_patch(PathPatch(Curve(points, codes), fc="none", ec=colour, lw=0.7, zorder=1))


def _draw_box(axes: Axes, box: Box, place: Place) -> None:
    left, bottom, width, height = place
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.05",
            fc="#f2f2f2" if box.column == ASKED_FOR else "white",
            ec=BROKEN if box.is_broken else BLACK,
            lw=1.4 if box.is_broken or box.column == ASKED_FOR else 0.7,
            zorder=2,
        )
    )
    for number, line in enumerate(box.text):
        axes.text(
            left + 0.06,
            bottom + height - ROW * (number + 1),
            shown(line),
            va="center",
            fontsize=6.3,
            weight="bold" if number == 0 else "normal",
            color=BROKEN if box.is_broken else BLACK,
            zorder=3,
        )
