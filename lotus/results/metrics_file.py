"""Metrics files, as they lie there: read, and held against their form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.layout import GOLD_AGAIN
from lotus.metrics.base import registry
from lotus.names import shown

MODELS = ["dataset", "architecture", "scenario"]
"""What original and gold models are shared in."""
PLACE = [*MODELS, "study"]
"""What is compared under several protocols; study '' for none."""
KEYS = [*PLACE, "protocol"]
"""What is compared in one table."""
KINDS = {
    dict: "a mapping",
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def read_metrics(path: Path) -> dict[str, Any]:
    """The content of one metrics file; `study` is '' in one that names none.

    Raises:
        LotusError: absent or not a metrics file.

    """
    try:
        content = parse_metrics(path, read_file(path))
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    expected = (*registry.columns(), "same_as_original", "collapsed")
    for row, found in content["rows"].items():
        lacking = [key for key in expected if key not in found]
        if lacking:
            raise LotusError(f"{shown(path)}: is not a metrics file: rows.{row} lacks {lacking[0]}")
    return content


def parse_metrics(path: Path, text: bytes) -> dict[str, Any]:
    """As `read_metrics`, of a file's bytes, which may lack metrics: older ones had fewer.

    Raises:
        LotusError: not those of a metrics file.

    """
    try:
        content = parse_json(text)
    except ValueError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise LotusError(f"{path}: is not a metrics file: it is not a mapping")
    content = {"study": "", **content}
    missing = {*KEYS, "seed", "rows", "predictions"} - set(content)
    if missing:
        raise LotusError(f"{path}: is not a metrics file: it lacks {', '.join(sorted(missing))}")
    try:
        _check_metrics(content)
    except ValueError as error:
        raise LotusError(f"{shown(path)}: is not a metrics file: {shown(str(error))}") from None
    return content


def _check_metrics(content: Mapping[str, Any]) -> None:
    """Raises ValueError, which names the place: it does not hold what a metrics file does."""
    for key in (*KEYS, "seed"):
        kind = int if key == "seed" else str
        _check(content[key], (kind,), key)
    golds = content.get("golds", {})
    for key, parts in {
        **{key: content[key] for key in ("rows", "predictions")},
        "golds": golds,
    }.items():
        _check(parts, (dict,), key)
        for row, of in parts.items():
            _check(of, (dict,), f"{key}.{row}")
    images, objectives = content.get("images", {}), content.get("objectives", {})
    _check(objectives, (dict,), "objectives")
    for row, found in objectives.items():
        _check(found, (int, float, type(None)), f"objectives.{row}")
    _check(images, (dict,), "images")
    for split, count in images.items():
        _check(count, (int,), f"images.{split}")
        if count < 1:
            raise ValueError(f"images.{split} = {count} is not a count")
    if not content["rows"]:
        raise ValueError("rows is empty")
    if (GOLD_AGAIN in content["rows"]) != bool(golds):
        raise ValueError(f"rows.{GOLD_AGAIN} is the mean of 'golds': one of the two is missing")
    for row, found in [*content["rows"].items(), *golds.items()]:
        kinds: dict[str, tuple[type, ...]] = dict.fromkeys(
            registry.columns(), (int, float, type(None))
        )
        kinds |= {"same_as_original": (bool,), "collapsed": (str,)}
        for metric in kinds.keys() & found.keys():
            _check(found[metric], kinds[metric], f"rows.{row}.{metric}")
    for row, said in content["predictions"].items():
        for key in ("path", "sha256"):
            _check(said.get(key), (str,), f"predictions.{row}.{key}")


def _check(value: Any, kinds: tuple[type, ...], place: str) -> None:
    # JSON's `true` is a number to Python alone.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        accepted = " or ".join(KINDS[kind] for kind in kinds if kind in KINDS)
        raise ValueError(f"{place} = {str(value)[:60]!r} is not {accepted}")
