"""Tables and figures as the report shows them, with the way back to their sources."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote

from lotus import layout
from lotus.figures.registry import FIGURES
from lotus.figures.spec import FigureSpec, OnPage
from lotus.figures.style import PAGE
from lotus.records.reading import read_record
from lotus.results.experiment import Experiment
from lotus.results.metrics_file import KEYS

AS_THEY_ARE = frozenset(ascii_letters + digits + " =/:;,()[]{}!?@~|^$*+'`\\_.-")
"""Signs that stand in a data address as they are."""


@dataclass(frozen=True)
class Item:
    """A table or figure with the way back to its sources.

    Attributes:
        picture: the SVG as a data address; '' for a table.
        width: of the picture, as a share of a page's.
        shape: how many times as wide as high the picture is; 0 for a table.
        files: (name, path relative to the page) of its other forms.
        inputs: (path, sha256) of what it was made from.
        outputs: (path, sha256) of what was made.

    """

    anchor: str
    picture: str
    width: float
    shape: float
    alt: str
    files: Sequence[tuple[str, str]]
    command: str
    code: str
    inputs: Sequence[tuple[str, str]]
    outputs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class PageFigure:
    """A figure where a section of the page draws it."""

    spec: FigureSpec
    about: Mapping[str, str]
    item: Item
    caption: str


def figure_on_page(
    read: Experiment, made: Mapping[str, Any], where: str = "", is_first: bool = True
) -> PageFigure:
    """Returns a figure as a section draws it.

    Args:
        read: the experiment.
        made: the figure as `lotus describe` has it.
        where: added to what is seen, for those who do not see it.
        is_first: whether it is the first of its kind in its section.

    Raises:
        LotusError: it is absent, or no figure of this project.

    """
    spec, about = FIGURES.spec(made["kind"]), made["about"]
    asked = {"study": "", **about}
    page = OnPage(
        about=about,
        is_first=is_first,
        has_both_protocols=len(read.base_protocols) > 1,
        has_gold_everywhere=all(
            has_gold
            for cell, has_gold in read.has_gold.items()
            if all(asked.get(key, name) == name for key, name in zip(KEYS, cell, strict=True))
        ),
    )
    item = figure_item(made["folder"], made["name"], spec.alt + where)
    return PageFigure(spec, about, item, spec.caption_on(page))


def figures_of_section(read: Experiment, section: str) -> list[Mapping[str, Any]]:
    """Returns the figures of the experiment that a section of the page draws, in the order of the page."""
    specs = {made["kind"]: FIGURES.spec(made["kind"]) for made in read.figures}
    here = [made for made in read.figures if specs[made["kind"]].section == section]
    return sorted(here, key=lambda made: specs[made["kind"]].page_order)


def table_item(folder: str, name: str) -> Item:
    """Returns a table of `results/<folder>`.

    Raises:
        LotusError: it has no record.

    """
    return _item(folder, name, "table", "")


def figure_item(folder: str, name: str, alt: str) -> Item:
    """Returns a figure of `results/<folder>`; `alt` says what is seen.

    Raises:
        LotusError: it has no record.

    """
    return _item(folder, name, "figure", alt)


def _item(folder: str, name: str, form: str, alt: str) -> Item:
    files = layout.item_files(folder, name, form)
    record = read_record(layout.item_record(folder, name, form))
    picture, width, shape = "", 0.0, 0.0
    if form == "figure":
        svg = files["svg"].read_bytes()
        picture = _address(svg)
        width, shape = _size(svg)
    return Item(
        anchor=f"{form}-{name}",
        picture=picture,
        width=width,
        shape=shape,
        alt=alt,
        files=[(ending.upper(), f"../{folder}/{path.name}") for ending, path in files.items()],
        command=record.content["command"],
        code=record.content["code"]["step"],
        inputs=list(record.inputs.items()),
        outputs=list(record.outputs.items()),
    )


def _address(svg: bytes) -> str:
    """Returns an SVG as a data address: as text, which takes a fifth less than base64.

    A line break means no more than a space in an SVG, and an address cannot have one.
    """
    text = re.sub(r"\s*\n\s*", " ", svg.decode("utf-8"))
    # Few signs must be quoted, but these often: each is replaced everywhere at once. All quotes have "%" in
    # them, which therefore comes first.
    for sign in sorted({*text} - AS_THEY_ARE, key=lambda sign: sign != "%"):
        text = text.replace(sign, quote(sign))
    return f"data:image/svg+xml,{text}"


def _size(svg: bytes) -> tuple[float, float]:
    """Returns the share of a page's width, and width by height, from the head of an SVG in points."""
    found = re.search(rb'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if not found:
        return 1.0, 1.0
    width, height = map(float, found.groups())
    return min(1.0, width / (72 * PAGE)), width / height
