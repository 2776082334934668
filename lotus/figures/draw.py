"""The command `lotus figure`: a figure by its name, with its record."""

from collections.abc import Sequence
from pathlib import Path

from lotus.figures.registry import FIGURES
from lotus.tables.write import write_recorded


def draw(name: str, sources: Sequence[Path], out: Path, record: Path) -> None:
    """Draws a figure as `out`.svg, .pdf and .png, with its record.

    Args:
        name: which figure; a file of `lotus/figures`.
        sources: metrics files (figures of costs and courses: run records, `pareto`: both; figures of the
            data: audits; `gradcam`: what `lotus gradcam` wrote).
        out: path without ending.

    Raises:
        LotusError: unknown figure, or sources that are not what it is made of.

    """
    write_recorded(FIGURES, name, sources, out, record)
