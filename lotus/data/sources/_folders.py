"""Images in class folders, and tables of images."""

import csv
import io
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from lotus.data.image_files import (
    COMPANION,
    FILE,
    FOLDER,
    LOOP,
    NO_CLASS,
    Left,
    ancestors,
    grouped,
    identity,
    images_below,
    kind_of,
    why_no_image,
)
from lotus.errors import LotusError
from lotus.formats.utf8 import NotUtf8Error, decode
from lotus.names import composed, look_alikes, shown
from lotus.wording import counted, first_of

if TYPE_CHECKING:
    import pandas as pd

Samples = list[tuple[Path, int]]

UNREADABLE = ("Cc", "Cs", "Zl", "Zp")
"""Kinds of characters that no name may have: control characters, bytes that are not UTF-8, line ends."""


@dataclass(frozen=True)
class Listing:
    """The images in class folders.

    Attributes:
        classes: names in order of label.
        samples: path and label of each image.
        left: what is not taken.
        remarks: what else should be said, a sentence each.

    """

    classes: tuple[str, ...]
    samples: Samples
    left: tuple[Left, ...]
    remarks: tuple[str, ...]


def class_folders(
    folder: Path, classes: Sequence[str] | None = None, passed_over: tuple[str, ...] = ()
) -> Listing:
    """Images below a folder that has one folder for each class, in `ImageFolder`'s order.

    That is class after class, within a class by path as text: `x_10.JPEG` before `x_2.JPEG`. Names are
    compared in Unicode's form NFC; folders of one name are one class.

    Args:
        classes: those that there may be, in order of label; None: the names found, sorted.
        passed_over: endings of files that belong there and are no images.

    Raises:
        LotusError: no such folder, none of classes in it, or one of another class, with a name that cannot
            be shown, or whose files are all left out.
        OSError: a folder cannot be read.

    """
    if not folder.is_dir():
        what = "is no folder" if os.path.lexists(folder) else "not found"
        raise LotusError(
            f"{shown(folder)}: {what}; needed is a folder with one of images for each class"
        )
    found, left = _entries(folder)
    if not found:
        loose = sum(reason == NO_CLASS for reason, _ in left)
        raise LotusError(
            f"{shown(folder)}: no class folders in it; needed is one for each class"
            + (f"; images that lie in no class folder: {loose:,}" if loose else "")
        )
    names = tuple(sorted(found)) if classes is None else tuple(classes)
    above = ancestors(folder)
    samples: Samples = []
    for name in sorted(found):
        label = label_of(name, names, shown(found[name][0]))
        images, lost = images_below(found[name], above, passed_over)
        # Of held-out images a class may have none, so a folder that a person left empty is right.
        if lost and not images and (classes is None or not all(_is_hidden(left) for left in lost)):
            raise LotusError(
                f"{shown(found[name][0])}: no image of the class '{shown(name)}': "
                + "; ".join(map(str, grouped(lost, folder)))
            )
        samples += [(path, label) for path in images]
        left += lost
    remarks = [
        f"{shown(folder)}: '{name}' is the name of {len(places)} folders, in different forms of Unicode "
        "(NFC, NFD); they are taken as one class"
        for name, places in found.items()
        if len(places) > 1
    ]
    return Listing(names, samples, tuple(left), tuple(remarks))


def _is_hidden(left: Left) -> bool:
    return left[0] == COMPANION


def _entries(folder: Path) -> tuple[dict[str, list[Path]], list[Left]]:
    """Class → its folders, and what else lies beside them."""
    found: dict[str, list[Path]] = {}
    left: list[Left] = []
    above = ancestors(folder)
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        kind, path = kind_of(entry), folder / entry.name
        if kind == FOLDER and identity(entry.path) in above:
            left.append((LOOP, path))
        elif kind == FOLDER:
            if is_unfit(entry.name):
                raise LotusError(
                    f"{shown(folder)}: '{shown(entry.name)}' cannot be the name of a class: it has control "
                    "characters or bytes that are not UTF-8; rename the folder"
                )
            found.setdefault(composed(entry.name), []).append(path)
        elif kind == FILE:
            left.append((why_no_image(path) or NO_CLASS, path))
        else:
            left.append((kind, path))
    return found, left


def is_unfit(name: str) -> bool:
    """Whether a name has characters that cannot be shown: control characters, or no text at all."""
    return any(unicodedata.category(character) in UNREADABLE for character in name)


def label_of(name: str, classes: Sequence[str], place: str) -> int:
    """Position of a class.

    Raises:
        LotusError: there is no such class; names the place.

    """
    name = composed(name)
    if name not in classes:
        alike = [str(pair) for pair in look_alikes([*classes, name]) if pair.second == name]
        raise LotusError(
            f"{place}: '{shown(name)}' is none of the {len(classes)} classes {first_of(classes, 3)}"
            + "".join(f"; {pair}" for pair in alike[:1])
        )
    return classes.index(name)


@dataclass(frozen=True)
class Table:
    """A CSV file as text.

    Attributes:
        rows: as many fields each as the header has.
        lines: the line of the file, as an editor counts it, on which each row begins.

    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def place(self, row: int) -> str:
        """File and line of a row, for messages."""
        return f"{shown(self.path)}: line {self.lines[row]}"

    def frame(self) -> "pd.DataFrame":
        """The rows, all of them as text, so that they can be written as they were read."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.header), dtype=str)

    def frame_by_line(self) -> "pd.DataFrame":
        """The same, with the line of each row as its index."""
        return self.frame().set_axis(list(self.lines), axis=0)


def read_csv(path: Path, columns: Sequence[str]) -> Table:
    """A CSV file: UTF-8, separated by commas, with a header.

    Args:
        columns: those that it needs; their values are without control characters.

    Raises:
        LotusError: absent, no CSV file, without one of the columns or without rows, or a row does not fit
            the header; names the line.

    """
    if not path.is_file():
        raise LotusError(
            f"{shown(path)}: not found; needed is a CSV file with {', '.join(columns)}"
        )
    numbered = _parsed(path, _text(path))
    if not numbered:
        raise LotusError(f"{shown(path)}: no CSV file: it is empty")
    (_, header), *rows = numbered
    _check_header(path, header, columns)
    needed = [(name, header.index(name)) for name in columns]
    for line, row in rows:
        if len(row) != len(header):
            raise LotusError(
                f"{shown(path)}: line {line}: {counted(len(row), 'field')}, the header has {len(header)}; "
                "a value with a comma in it is written in quotes"
            )
        for name, position in needed:
            if is_unfit(row[position]):
                raise LotusError(
                    f"{shown(path)}: line {line}: {name} '{shown(row[position])}' has control characters "
                    "or line ends"
                )
    if not rows:
        raise LotusError(f"{shown(path)}: no rows below the header")
    return Table(path, header, tuple(row for _, row in rows), tuple(line for line, _ in rows))


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[int, tuple[str, ...]]]:
    """Line and these columns of each row of `read_csv`.

    Raises:
        LotusError: as `read_csv`.

    """
    table = read_csv(path, columns)
    positions = [table.header.index(name) for name in columns]
    return [
        (line, tuple(row[position] for position in positions))
        for line, row in zip(table.lines, table.rows, strict=True)
    ]


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror or error}") from error
    try:
        if b"\0" in content[:4]:
            raise NotUtf8Error
        return decode(content)
    except NotUtf8Error as error:
        if error.line is None:
            raise LotusError(
                f"{shown(path)}: no CSV file in UTF-8: it is UTF-16; save it as UTF-8"
            ) from error
        raise LotusError(
            f"{shown(path)}: line {error.line}: no CSV file in UTF-8: the byte 0x{error.byte:02x} is none "
            "of UTF-8; save it as UTF-8"
        ) from error


def _parsed(path: Path, text: str) -> list[tuple[int, tuple[str, ...]]]:
    """Rows that are not blank, each with the line on which it begins."""
    rows: list[tuple[int, tuple[str, ...]]] = []
    # Lines end as an editor sees it: LF, CR or both.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise LotusError(
                f"{shown(path)}: line {line}: no CSV file: {error}; look at the quotes of the row that "
                "begins there"
            ) from error
        if row is None:
            return rows
        if len(row) > 1 or any(field.strip() for field in row):
            rows.append((line, tuple(row)))


def _check_header(path: Path, header: tuple[str, ...], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        hint = ""
        separator = next((mark for mark in ";\t|" if mark in header[0]), None)
        close = [name for name in header if name.strip().lower() in missing]
        if separator is not None and len(header) == 1:
            hint = f"; its values are separated by {separator!r}, needed are commas"
        elif close:
            hint = f"; write '{close[0].strip().lower()}' for '{shown(close[0])}'"
        raise LotusError(
            f"{shown(path)}: column {', '.join(missing)} missing; it has "
            f"{first_of([shown(name) for name in header], 3)}{hint}"
        )
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise LotusError(f"{shown(path)}: two columns are called '{shown(twice)}'; one may be")


class ImageFinder:
    """Finds the images that a table names, from a folder on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listings: dict[Path, dict[str, list[str]]] = {}

    def find(self, name: str, place: str, column: str) -> Path:
        """An image file.

        The name is looked for as it is, then in another form of Unicode, then with / for each backslash.

        Raises:
            LotusError: there is no such file; names the place.

        """
        if not name.strip():
            raise LotusError(f"{place}: {column} is empty; needed is the path of an image")
        try:
            for written in dict.fromkeys((name, name.replace("\\", "/"))):
                path = self._folder / written
                if not os.path.lexists(path):
                    path = self._in_other_form(written) or path
                if path.is_file():
                    return path
                if path.exists():
                    what = "a folder" if path.is_dir() else "no regular file"
                    raise LotusError(f"{place}: image {shown(path)} is {what}")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LotusError(
                f"{place}: image {shown(self._folder / name)} cannot be read: {reason}"
            ) from error
        hint = ""
        if name != name.strip() and (self._folder / name.strip()).is_file():
            hint = "; without the blanks about its name it is there"
        raise LotusError(f"{place}: image {shown(self._folder / name)} not found{hint}")

    def _in_other_form(self, name: str) -> Path | None:
        """The path of these names in any form of Unicode; None if there is none."""
        places = [self._folder]
        for part in PurePath(name).parts:
            places = [inside for place in places for inside in self._same(place, part)]
        return places[0] if places else None

    def _same(self, folder: Path, name: str) -> list[Path]:
        """Returns the paths in a folder that have a name, in any form of Unicode; first the name itself."""
        itself = [folder / name] if os.path.lexists(folder / name) else []
        if folder not in self._listings:
            listing: dict[str, list[str]] = {}
            for other in sorted(os.listdir(folder)) if folder.is_dir() else ():
                listing.setdefault(composed(other), []).append(other)
            self._listings[folder] = listing
        others = self._listings[folder].get(composed(name), ())
        return [*itself, *(folder / other for other in others if other != name)]
