"""CSV from outside: UTF-8, separated by commas, with a header; what is otherwise is named with its line."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.errors import LotusError
from lotus.formats.utf8 import NotUtf8Error, decode
from lotus.names import shown
from lotus.wording import counted, first_of

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = ("Cc", "Cs", "Zl", "Zp")
"""Kinds of characters that no name may have: control characters, bytes that are not UTF-8, line ends."""


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
        having = f" with {', '.join(columns)}" if columns else ""
        raise LotusError(f"{shown(path)}: was not found; it must be a CSV file{having}")
    numbered = _parsed(path, _text(path))
    if not numbered:
        raise LotusError(f"{shown(path)}: is not a CSV file: it is empty")
    (_, header), *rows = numbered
    _check_header(path, header, columns)
    needed = [(name, header.index(name)) for name in columns]
    for line, row in rows:
        if len(row) != len(header):
            raise LotusError(
                f"{shown(path)}: line {line}: {counted(len(row), 'field')}, but the header "
                f"has {len(header)}; "
                "write a value that has a comma in quotes"
            )
        for name, position in needed:
            if is_unfit(row[position]):
                raise LotusError(
                    f"{shown(path)}: line {line}: {name} '{shown(row[position])}' has control characters "
                    "or line ends"
                )
    if not rows:
        raise LotusError(f"{shown(path)}: has no rows below the header")
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
                f"{shown(path)}: is not a CSV file in UTF-8 but in UTF-16; save it as UTF-8"
            ) from error
        raise LotusError(
            f"{shown(path)}: line {error.line}: is not a CSV file in UTF-8: the byte "
            f"0x{error.byte:02x} is not "
            "UTF-8; save it as UTF-8"
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
                f"{shown(path)}: line {line}: is not a CSV file: {error}; look at the quotes "
                "of the row that "
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
            hint = f"; its values are separated by {separator!r}; use commas"
        elif close:
            hint = f"; write '{close[0].strip().lower()}' for '{shown(close[0])}'"
        raise LotusError(
            f"{shown(path)}: column {', '.join(missing)} missing; it has "
            f"{first_of(header, 3)}{hint}"
        )
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise LotusError(
            f"{shown(path)}: two columns are called '{shown(twice)}'; each needs its own name"
        )


def is_unfit(name: str) -> bool:
    """Whether a name has characters that cannot be shown: control characters, or no text at all."""
    # Most names have no such sign, and to look at each takes long.
    return not name.isprintable() and any(unicodedata.category(c) in UNREADABLE for c in name)
