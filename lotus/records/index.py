"""All records of a project by what they are of: which step wrote a file, and what it read."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.formats.json_text import parse_json, read_file
from lotus.names import shown
from lotus.records.forms import MODELS, misfit
from lotus.records.ledger import record_files
from lotus.records.record import is_sealed

__all__ = ["MODELS", "Index", "Record", "parsed", "read", "read_index"]


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
    problem: str

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
        """What was read: path → sha256."""
        inputs: Mapping[str, str] = self.content.get("inputs", {})
        return inputs

    @property
    def outputs(self) -> Mapping[str, str]:
        """What was written: path → sha256."""
        outputs: Mapping[str, str] = self.content.get("outputs", {})
        return outputs

    @property
    def started(self) -> str:
        """Start of the step's process, UTC, ISO 8601."""
        return str(self.content.get("time", {}).get("started", ""))


@dataclass(frozen=True)
class Index:
    """The records of a project by their paths."""

    records: Mapping[str, Record]

    @cached_property
    def producers(self) -> Mapping[str, Record]:
        """Artifact → the record that lists it among its outputs, at the place where that record belongs."""
        return {
            output: record
            for record in self.records.values()
            for output in record.outputs
            if layout.record_of(Path(output)) == Path(record.path)
        }

    def producer(self, path: str) -> Record | None:
        """The record that states how a file was made; a record states it of itself."""
        return self.records.get(path) or self.producers.get(path)


def read_index(files: Iterable[Path] | None = None) -> Index:
    """The records of the project in the present folder.

    Args:
        files: their paths; all that there are unless given.

    """
    records = (read(path) for path in (record_files() if files is None else files))
    return Index({record.path: record for record in records})


def read(path: Path) -> Record:
    """One record, sound or not."""
    try:
        return parsed(path, read_file(path))
    except OSError as error:
        return Record(path.as_posix(), "", {}, f"cannot be read: {error.strerror}")


def parsed(path: Path, text: bytes) -> Record:
    """The record that a file's bytes are, sound or not.

    Args:
        path: relative to the project that it belongs to, wherever the bytes are from.

    """
    digest = hashlib.sha256(text).hexdigest()
    try:
        found = parse_json(text)
    except ValueError as error:
        return Record(path.as_posix(), digest, {}, f"not JSON: {error}")
    if problem := misfit(found):
        return Record(path.as_posix(), digest, {}, problem)
    return Record(path.as_posix(), digest, found, _problem(path, text, found))


def _problem(path: Path, text: bytes, found: Mapping[str, Any]) -> str:
    """Why a record is not as its step wrote it."""
    if not is_sealed(text, found["digest"]):
        return "edited: it does not have the digest that it states"
    if found["path"] != path.as_posix():
        return f"the record of {shown(found['path'])}"
    return ""
