"""Names as people write them: compared in one form of Unicode, shown whole, made into parts of paths."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SEPARATORS = r"""\s_/\\.,:;'"()\[\]&|-"""
"""Characters that a path can do without: between words they mean no more than a gap."""
LONGEST = 80
"""Characters of a name that a part of a path keeps; file systems take 255 bytes."""


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC), in which all names are compared.

    macOS hands file names over in the other form: é as e and an accent.
    """
    return unicodedata.normalize("NFC", name)


def shown(name: str | Path) -> str:
    """A name as it can be printed, in one line: what has no picture, or is not UTF-8, as an escape."""
    text = str(name)
    if text.isprintable():
        return text
    try:
        text = os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        # Halves of characters, which no file's name has.
        return ascii(text)[1:-1]
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def told(key: object) -> str:
    """A name within a file, which can be anything, as it can be printed; a long one is cut off."""
    text = key if isinstance(key, str) and key.isprintable() else ascii(key)
    return text if len(text) <= 120 else f"{text[:120]}…"


def on_disk(path: Path) -> Path:
    """The path with its names in the form of Unicode that they have on the disk.

    As given where it is there, or nothing is in either form.
    """
    try:
        if str(path).isascii() or path.exists() or path == path.parent:
            return path
        folder = on_disk(path.parent)
        name = composed(path.name)
        return next((it for it in folder.iterdir() if composed(it.name) == name), path)
    except (OSError, ValueError):
        return path


def without_home(text: str) -> str:
    """Returns a text with `~` in place of the folders that users have on any system, this user's first.

    What is shared says nothing of whose machine it was made on.
    """
    own = os.path.expanduser("~")
    if os.path.isabs(own) and own != "/":
        text = re.sub(rf"(?<![\w.~-]){re.escape(own)}(?=/|\b(?![\w.-])|$)", "~", text)
    return re.sub(r"(?<![\w.~/-])/(?:home|Users)/[^/\s'\":,]+", "~", text)


def path_part(name: str) -> str:
    """Returns a name that a file or folder can have.

    Raises:
        ValueError: it has a slash, or means another folder.

    """
    if "/" in name or "\0" in name or name in (".", ".."):
        raise ValueError(f"'{shown(name)}' cannot be part of a path")
    return name


def path_form(name: str, told_apart: bool = False) -> str:
    """A name as part of a path: lower-case letters, digits and single '-', as `t-shirt-top`.

    A form that leaves out more than gaps (`猫`, `C++`) or a part of a long name ends in digits of the
    name's digest, so that no two such names share one. Others can (`Cat` and `cat`).

    Args:
        told_apart: end in digits of the digest anyway; then no other name has this form.

    """
    name = composed(name)
    without_accents = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", without_accents).strip("-")
    is_whole = re.fullmatch(rf"[A-Za-z0-9{SEPARATORS}]*", name, re.ASCII) is not None
    if plain and is_whole and len(plain) <= LONGEST and not told_apart:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{plain[:LONGEST]}-{digest}".strip("-")


@dataclass(frozen=True)
class Pair:
    """Two names that a reader can take for one.

    Attributes:
        difference: in what alone they differ, in words.
        is_mistake: whether nobody gives such names to two things.

    """

    first: str
    second: str
    difference: str
    is_mistake: bool

    def __str__(self) -> str:
        return (
            f"{self.first!r} and {self.second!r} look alike: they differ only in {self.difference}"
        )


def look_alikes(names: Iterable[str]) -> list[Pair]:
    """Pairs of different names that look alike, in the order of the names."""
    readings = (
        (_without_blanks, "white space or characters that are not seen", True),
        (_as_number, "how the number is written", True),
        (_without_case, "letter case or width", False),
    )
    found: list[Pair] = []
    every = list(dict.fromkeys(names))
    for read, difference, is_mistake in readings:
        first: dict[str, str] = {}
        for name in every:
            other = first.setdefault(read(name), name)
            if other != name and not any({p.first, p.second} == {other, name} for p in found):
                found.append(Pair(other, name, difference, is_mistake))
    return found


def _without_blanks(name: str) -> str:
    seen = "".join(c for c in composed(name) if unicodedata.category(c) not in ("Cf", "Cc"))
    return " ".join(seen.split())


def _as_number(name: str) -> str:
    text = _without_blanks(name)
    found = re.fullmatch(r"([+-]?)0*(\d+)(?:\.(\d*?)0*)?", text, re.ASCII)
    if found is None:
        return name
    sign, whole, part = found.groups(default="")
    is_zero = not part and not whole.strip("0")
    return f"= {'-' if sign == '-' and not is_zero else ''}{whole}.{part}"


def _without_case(name: str) -> str:
    return unicodedata.normalize("NFKC", _without_blanks(name)).casefold()
