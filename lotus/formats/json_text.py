"""JSON from outside: files that are files, values that can be taken at their word."""

import json
import math
import re
import stat
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.names import shown

DEEPEST = 60
"""Levels of nested lists and mappings that a file may have; what is written here has ten."""
_CAN_BE_DEEP = DEEPEST + 1
_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_CAN_BE_LARGE = re.compile(rb"[0-9]{200}|[eE]\+?[0-9]{3}")


def parse_json(text: bytes) -> Any:
    """The value that a file states, if it can be taken at its word.

    Raises:
        ValueError: not JSON in UTF-8, a key twice in a mapping, a number that is none (NaN, Infinity) or
            has no float, half of a surrogate pair, or nested deeper than `DEEPEST`. Nothing of this kind is
            written here, and Python would read most of it without a word.

    """
    # Looked for in the bytes first: a function that sees every number would take most of the time.
    large = _CAN_BE_LARGE.search(text) is not None
    numbers: dict[str, Any] = {"parse_int": _int, "parse_float": _float} if large else {}
    try:
        found = json.loads(
            text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number, **numbers
        )
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from error
    if text.count(b"[") + text.count(b"{") >= _CAN_BE_DEEP or _HALF_A_PAIR.search(text):
        _check_texts_and_depth(found)
    return found


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that a file states.

    Raises:
        LotusError: absent, damaged (see `parse_json`), or another value than a mapping.

    """
    try:
        content = parse_json(read_file(path))
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LotusError(f"{shown(path)}: is damaged: {error}") from error
    if not isinstance(content, dict):
        raise LotusError(f"{shown(path)}: is damaged: it is not a mapping")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key '{shown(twice)}' occurs twice in one mapping")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _int(text: str) -> int:
    _float(text)
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"number {text[:12]}… ({len(text)} characters) is too large")
    return value


def _check_texts_and_depth(value: Any) -> None:
    level = [value]
    for _ in range(_CAN_BE_DEEP):
        for text in (key for part in level if isinstance(part, dict) for key in part):
            _check_text(text)
        for text in (part for part in level if isinstance(part, str)):
            _check_text(text)
        lists = (
            part.values() if isinstance(part, dict) else part
            for part in level
            if isinstance(part, dict | list)
        )
        level = [inner for part in lists for inner in part]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {DEEPEST} levels")


def _check_text(text: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError(
            f"text '{shown(text[:40])}' is not Unicode: it has half of a surrogate pair"
        )


def read_file(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        OSError: absent or not readable; not a file (a pipe would be waited for, a device read for ever);
            or a path that no file can have.

    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(0, "it is not a file")
        return path.read_bytes()
    except ValueError as error:
        raise OSError(0, f"it is not a path: {error}") from error
