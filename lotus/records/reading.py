"""Records read back: the one reader, which checks the form and the seal of each."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.names import shown
from lotus.records.forms import misfit
from lotus.records.places import is_named_outside, leads_out
from lotus.records.seal import FORMAT, is_sealed


@dataclass(frozen=True)
class Record:
    """A record as it was found.

    Attributes:
        path: relative to the project.
        sha256: of the file's bytes.
        content: see `lotus.records.record`; without content where it cannot be read.
        problem: why it cannot be trusted; else ''.

    """

    path: str
    sha256: str
    content: Mapping[str, Any]
    problem: str = ""

    @property
    def kind(self) -> str:
        """The step: original, gold, unlearned, store, metrics, table, figure, …"""
        return str(self.content.get("kind", ""))

    @property
    def about(self) -> Mapping[str, Any]:
        """Data set, architecture, scenario, row, seed, protocol, as far as they apply."""
        about: Mapping[str, Any] = self.content.get("about", {})
        return about

    @property
    def settings(self) -> Mapping[str, Any]:
        """Every resolved parameter."""
        settings: Mapping[str, Any] = self.content.get("settings", {})
        return settings

    @property
    def inputs(self) -> Mapping[str, str]:
        """Files that were read: path → sha256."""
        inputs: Mapping[str, str] = self.content.get("inputs", {})
        return inputs

    @property
    def outputs(self) -> Mapping[str, str]:
        """Files that were written: path → sha256."""
        outputs: Mapping[str, str] = self.content.get("outputs", {})
        return outputs

    @property
    def started(self) -> str:
        """Start of the step's process, UTC, ISO 8601."""
        return str(self.content.get("time", {}).get("started", ""))

    @property
    def is_of_older_format(self) -> bool:
        """Whether an older version of the package wrote it, whose code identities are others."""
        return int(self.content.get("format", FORMAT)) < FORMAT


def find_record(path: Path) -> Record:
    """Returns the record at a place of the project, sound or not."""
    if how := leads_out(path):
        return Record(path.as_posix(), "", {}, f"not read: it {how}")
    try:
        return parse_record(path, read_file(path))
    except OSError as error:
        return Record(path.as_posix(), "", {}, f"cannot be read: {error.strerror}")


def parse_record(path: Path, text: bytes) -> Record:
    """Returns the record that a file's bytes are, sound or not.

    Args:
        path: relative to the project that it belongs to, wherever the bytes are from.

    """
    record = _checked(path, text)
    if record.problem:
        return record
    if record.content["path"] != path.as_posix():
        return replace(record, problem=f"it is the record of {shown(record.content['path'])}")
    outside = next(filter(is_named_outside, (*record.outputs, *record.content["records"])), "")
    if outside:
        return replace(
            record, problem=f"it states {shown(outside)}, which lies outside the project"
        )
    return record


def read_record(path: Path) -> Record:
    """Returns a record that can be trusted, wherever it was put.

    Raises:
        LotusError: absent, damaged, edited, or of a format that is not read.

    """
    try:
        record = _checked(path, read_file(path))
    except OSError as error:
        raise LotusError(f"{shown(path)}: the record cannot be read: {error.strerror}") from error
    if record.problem:
        raise LotusError(f"{shown(path)}: the record is damaged: {record.problem}")
    return record


def read_runs(folders: Sequence[Path]) -> list[Record]:
    """Returns the records of runs, in the order given.

    Raises:
        LotusError: a run has no record, so it is not finished; or one that `read_record` refuses.

    """
    return [read_record(folder / "run.json") for folder in folders]


def distinct(records: Sequence[Record], key: str) -> list[tuple[dict[str, Any], int]]:
    """Returns the different values of one part of the records, each with how many records have it."""
    seen: dict[str, int] = {}
    for record in records:
        text = json.dumps(record.content[key], sort_keys=True)
        seen[text] = seen.get(text, 0) + 1
    return [(json.loads(text), count) for text, count in seen.items()]


def _checked(path: Path, text: bytes) -> Record:
    """Returns a record with the problem of its own text, whatever its place."""
    digest = hashlib.sha256(text).hexdigest()
    try:
        found = parse_json(text)
    except ValueError as error:
        return Record(path.as_posix(), digest, {}, f"it is not JSON: {error}")
    if problem := misfit(found):
        return Record(path.as_posix(), digest, {}, problem)
    problem = ""
    if not is_sealed(text, found["digest"]):
        problem = "it was edited: it does not have the digest that it states"
    return Record(path.as_posix(), digest, found, problem)
