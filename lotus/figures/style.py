"""One look for all figures: Okabe–Ito colours (safe for colour-blind readers), readable at column width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.errors import LotusError
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.records.files import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN, PAGE, SCREEN = 3.4, 7.0, 8.8
"""Widths in inches of one column, of both, and of a screen at which letters are as large as around it."""

GREY, BLACK = "#8c8c8c", "#222222"
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW = "#CC79A7", "#56B4E9", "#B8A800"
WINE, INDIGO, BROWN = "#882255", "#332288", "#8C510A"
SPLIT_COLOURS = {"retain": GREEN, "forget": VERMILION, "test": BLUE}
PLATE: Any = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
"""Behind words that marks may reach."""

MARKERS = ("s", "^", "v", "P", "X", "<", ">", "h", "d", "p")
_FIXED = {
    ORIGINAL: (GREY, "o"),
    GOLD: (YELLOW, "*"),
    GOLD_AGAIN: (YELLOW, "x"),
    "lotus": (VERMILION, "D"),
    "finetune": (BLUE, "s"),
    "neggrad-plus": (GREEN, "^"),
    "random-labeling": (ORANGE, "v"),
    "bad-teacher": (PURPLE, "P"),
    "scrub": (SKY, "X"),
    "ssd": (WINE, "<"),
    "unsir": (INDIGO, ">"),
    "salun": (BROWN, "h"),
    "salun-lotus": (BLACK, "p"),
}
_OTHERS = (BLUE, GREEN, ORANGE, PURPLE, SKY, WINE, INDIGO)

SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": BLACK,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    # Names inside the SVG come from its content alone: equal figures are equal files.
    "svg.hashsalt": "lotus",
    # Names are data: `$` is a dollar.
    "text.parse_math": False,
    # Letters of the PNG where those of the vector forms stand, which is faster too.
    "text.hinting": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Draws what is inside in the project's style, whatever the user's own settings are.

    Raises:
        LotusError: matplotlib loads the user's style files now, and one cannot be read.

    """
    import matplotlib as mpl

    with mpl.rc_context():
        try:
            mpl.rcdefaults()
        except (OSError, ValueError) as error:
            folder = Path(mpl.get_configdir(), "stylelib")
            raise LotusError(f"{folder}: one of its style files cannot be read: {error}") from error
        mpl.rcParams.update(SETTINGS)
        yield


def empty_figure(width: float, height: float) -> Figure:
    """Returns a figure of so many inches, without axes.

    Like all that figures are made with, it loads matplotlib when it is called: plans read the specs beside
    the figures, and need none.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def look_of(rows: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each row; the same row looks the same in all figures of a report.

    Known methods have looks of their own; a user's rows take free ones in order.
    """
    taken = {_FIXED[row] for row in rows if row in _FIXED}
    pairs = (
        (_OTHERS[i % len(_OTHERS)], MARKERS[i % len(MARKERS)])
        for i in range(len(_OTHERS) * len(MARKERS))
    )
    free = (pair for pair in pairs if pair not in taken)
    return {row: _FIXED[row] if row in _FIXED else next(free) for row in rows}


def save(figure: Figure, out: Path) -> list[Path]:
    """Writes `out`.svg, .pdf and .png without dates, so equal figures are equal files."""
    files = [out.with_name(f"{out.name}.{ending}") for ending in FORMS]
    with _laid_out(figure):
        for path in files:
            save_as(figure, path)
    return files


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Gives all parts their places once; `savefig` would look for them anew in each form."""
    import matplotlib as mpl

    layout = figure.get_layout_engine()
    if layout is not None and figure.axes:
        layout.execute(figure)
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
        yield


FORMS: dict[str, Any] = {
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None, "ModDate": None}},
    # A tenth larger than by default, and written in two thirds of the time.
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}},
}
"""Ending → how it is written: without metadata that would differ between equal figures."""


NOT_IN_XML = re.compile(r"[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that break an SVG, and control characters that it could hold."""
LARGEST = 20_000
"""Dots of a PNG's longer side at most; names of any length make figures of any width."""


def save_as(figure: Figure, path: Path) -> None:
    """Writes a figure in the form that the file's ending names, one of `FORMS`."""
    ending = path.suffix.removeprefix(".")
    dots = min(SETTINGS["savefig.dpi"], LARGEST / max(figure.get_size_inches()))
    with atomic(path) as draft:
        figure.savefig(draft, format=ending, dpi=dots, **FORMS[ending])
        if ending == "svg":
            _escape_what_xml_cannot_hold(draft)


def _escape_what_xml_cannot_hold(svg: Path) -> None:
    """Writes escapes in place of control characters and the like; names of classes can have any."""
    text = svg.read_text(encoding="utf-8", errors="backslashreplace")
    if NOT_IN_XML.search(text):
        escaped = NOT_IN_XML.sub(lambda found: ascii(found[0])[1:-1], text)
        svg.write_text(escaped, encoding="utf-8")
