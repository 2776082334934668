"""Tables and figures as the report shows them, with the way back to their sources."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lotus import layout
from lotus.figures.style import PAGE
from lotus.records.reading import read_record


@dataclass(frozen=True)
class Item:
    """A table or figure with the way back to its sources.

    Attributes:
        picture: the SVG as a data address, empty for a table.
        width: of the picture, as a share of a page's.
        files: (name, path relative to the page) of its other forms.
        inputs: (path, sha256) of what it was made from.
        outputs: (path, sha256) of what was made.

    """

    anchor: str
    picture: str
    width: float
    alt: str
    files: Sequence[tuple[str, str]]
    command: str
    code: str
    inputs: Sequence[tuple[str, str]]
    outputs: Sequence[tuple[str, str]]


def table_item(folder: str, name: str) -> Item:
    """A table of `results/<folder>`.

    Raises:
        LotusError: it has no record.

    """
    return _item(folder, name, "table", "")


def figure_item(folder: str, name: str, alt: str) -> Item:
    """A figure of `results/<folder>`; `alt` says what is seen.

    Raises:
        LotusError: it has no record.

    """
    return _item(folder, name, "figure", alt)


def _item(folder: str, name: str, form: str, alt: str) -> Item:
    files = layout.item_files(folder, name, form)
    record = read_record(layout.item_record(folder, name, form))
    picture, width = "", 0.0
    if form == "figure":
        svg = files["svg"].read_bytes()
        picture = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        width = _width(svg)
    return Item(
        anchor=f"{form}-{name}",
        picture=picture,
        width=width,
        alt=alt,
        files=[(ending.upper(), f"../{folder}/{path.name}") for ending, path in files.items()],
        command=record.content["command"],
        code=record.content["code"]["step"],
        inputs=list(record.inputs.items()),
        outputs=list(record.outputs.items()),
    )


def _width(svg: bytes) -> float:
    """Share of a page's width, from the head of an SVG in points."""
    found = re.search(rb'width="([\d.]+)pt"', svg)
    return min(1.0, float(found[1]) / (72 * PAGE)) if found else 1.0
