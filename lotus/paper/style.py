"""One look for all figures: Okabe–Ito colours (safe for colour-blind readers), readable at column width."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from lotus.layout import GOLD, ORIGINAL
from lotus.provenance import atomic

COLUMN, PAGE = 3.4, 7.0
"""Widths in inches of one column and of both."""

GREY, BLACK = "#8c8c8c", "#222222"
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW = "#CC79A7", "#56B4E9", "#B8A800"
SPLIT_COLOURS = {"retain": GREEN, "forget": VERMILION, "test": BLUE}
MARKERS = ("s", "^", "v", "P", "X", "<", ">", "h")
_FIXED = {ORIGINAL: (GREY, "o"), GOLD: (YELLOW, "*"), "lotus": (VERMILION, "D")}
_OTHERS = (BLUE, GREEN, ORANGE, PURPLE, SKY)

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
}


@contextmanager
def style() -> Iterator[None]:
    """Draws what is inside in the project's style, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def look_of(rows: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each row; the same row looks the same in all figures of a report."""
    others = [row for row in rows if row not in _FIXED]
    looks = {
        row: (_OTHERS[i % len(_OTHERS)], MARKERS[i % len(MARKERS)]) for i, row in enumerate(others)
    }
    return {row: _FIXED.get(row) or looks[row] for row in rows}


def save(figure: Figure, out: Path) -> list[Path]:
    """Writes `out`.svg, .pdf and .png without dates, so equal figures are equal files."""
    metadata = {
        "svg": {"Date": None},
        "pdf": {"CreationDate": None, "ModDate": None},
        "png": {"Software": None},
    }
    files = []
    for ending, fields in metadata.items():
        path = out.with_name(f"{out.name}.{ending}")
        with atomic(path) as draft:
            figure.savefig(draft, format=ending, metadata=fields)
        files.append(path)
    return files
