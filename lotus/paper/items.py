"""Tables and figures as the report shows them, with the way back to their sources."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from lotus import layout
from lotus.lineage import read_record


@dataclass(frozen=True)
class Item:
    """A table or figure with the way back to its sources.

    Attributes:
        picture: the SVG as a data address, empty for a table.
        files: (name, path relative to the page) of its other forms.
        inputs: (path, sha256) of what it was made from.
        outputs: (path, sha256) of what was made.

    """

    anchor: str
    picture: str
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
    return _item(folder, name, "table", "", ("csv", "tex"))


def figure_item(folder: str, name: str, alt: str) -> Item:
    """A figure of `results/<folder>`; `alt` says what is seen.

    Raises:
        LotusError: it has no record.

    """
    return _item(folder, name, "figure", alt, ("svg", "pdf", "png"))


def _item(folder: str, name: str, kind: str, alt: str, endings: Sequence[str]) -> Item:
    stem = layout.RESULTS / folder / name
    record = read_record(layout.record_of(layout.RESULTS / folder / f"{name}.{kind}"))
    picture = ""
    if kind == "figure":
        encoded = base64.b64encode((stem.parent / f"{name}.svg").read_bytes()).decode()
        picture = f"data:image/svg+xml;base64,{encoded}"
    return Item(
        anchor=f"{kind}-{name}",
        picture=picture,
        alt=alt,
        files=[(ending.upper(), f"../{folder}/{name}.{ending}") for ending in endings],
        command=record["command"],
        code=record["code"]["step"],
        inputs=list(record["inputs"].items()),
        outputs=list(record["outputs"].items()),
    )
