"""All records of a project by what they are of: which step wrote a file, and what it read."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, StringConstraints, ValidationError

from lotus import layout
from lotus.auditing.ledger import record_files
from lotus.provenance import FORMAT, is_sealed

MODELS = ("original", "gold", "unlearned")
"""Kinds of steps that make a model."""


class _Code(BaseModel):
    step: str
    entry: list[Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)*$")]]
    modules: dict[str, str]


class _Time(BaseModel):
    started: str


class _Form(BaseModel):
    """What has to be in a record for it to be followed."""

    format: Literal[2]
    kind: str
    path: str
    about: dict[str, Any]
    settings: dict[str, Any]
    inputs: dict[str, str]
    outputs: dict[str, str]
    records: dict[str, str]
    code: _Code
    hardware: dict[str, Any]
    time: _Time
    digest: str


class _OfSplit(BaseModel):
    dataset: str
    seed: int


class _OfMetrics(BaseModel):
    dataset: str
    architecture: str
    scenario: str
    protocol: str
    seed: int


class _Rows(BaseModel):
    rows: list[str]


class _Origins(BaseModel):
    files: list[str]
    given: dict[str, Any]


class _Split(BaseModel):
    about: _OfSplit


class _Metrics(BaseModel):
    about: _OfMetrics
    settings: _Rows


class _Experiment(BaseModel):
    settings: _Origins


_FORMS: Mapping[str, type[BaseModel]] = {
    "held-out": _Split,
    "forget-set": _Split,
    "metrics": _Metrics,
    "experiment": _Experiment,
}
"""What records of some kinds have to have besides."""


@dataclass(frozen=True)
class Record:
    """A record as it was found.

    Attributes:
        path: relative to the project.
        sha256: of the file's bytes.
        content: see `lotus.provenance`; without content where it cannot be read.
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
        if path.exists() and not path.is_file():
            return Record(path.as_posix(), "", {}, "cannot be read: not a file")
        text = path.read_bytes()
    except OSError as error:
        return Record(path.as_posix(), "", {}, f"cannot be read: {error.strerror}")
    return parsed(path, text)


def parsed(path: Path, text: bytes) -> Record:
    """The record that a file's bytes are, sound or not.

    Args:
        path: relative to the project that it belongs to, wherever the bytes are from.

    """
    digest = hashlib.sha256(text).hexdigest()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Record(path.as_posix(), digest, {}, f"not JSON: {error}")
    try:
        _Form.model_validate(found)
        if found["kind"] in _FORMS:
            _FORMS[found["kind"]].model_validate(found)
    except ValidationError as error:
        return Record(path.as_posix(), digest, {}, _malformed(error))
    return Record(path.as_posix(), digest, found, _problem(path, text, found))


def _malformed(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"not a record: lacks {place}"
    if place == "format":
        return f"a record of format {first['input']}; this version reads {FORMAT}"
    return f"not a record: {place}: {first['msg']}"


def _problem(path: Path, text: bytes, found: Mapping[str, Any]) -> str:
    """Why a record is not as its step wrote it."""
    if not is_sealed(text, found["digest"]):
        return "edited: it does not have the digest that it states"
    if found["path"] != path.as_posix():
        return f"the record of {found['path']}"
    return ""
