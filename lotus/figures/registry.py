"""The figures, found by the names of their files."""

from lotus import figures
from lotus.figures.spec import FigureSpec
from lotus.tables.discovery import Registry
from lotus.tables.registry import PAPER_TABLES, TABLES

SHARED = frozenset(
    {
        "bar_panels",
        "dot_panels",
        "floor_band",
        "draw",
        "panels",
        "registry",
        "spec",
        "style",
        "text_widths",
    }
)
"""Modules of this folder that are no figures."""

FIGURES = Registry(figures.__name__, figures.__path__, FigureSpec, "figure", SHARED)


def spec_modules() -> tuple[str, ...]:
    """Returns the modules of all tables and figures; the page shows words of each."""
    return (*TABLES.modules, *PAPER_TABLES.modules, *FIGURES.modules)
