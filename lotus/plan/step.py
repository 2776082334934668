"""A step of an experiment: what it reads and writes, what it is told, and what its record is to state."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.config.cells import Benchmark

Files = str | list[str]
"""One file, or several under one name."""


@dataclass(frozen=True)
class ExpectedRecord:
    """The content that a record is expected to have.

    Attributes:
        path: its place.
        outputs: files whose bytes it states.
        inputs: what was read at least; None: whatever it read.
        settings: the parameters; None: whatever they were.
        content: what is written into the first output, where that follows from the configuration alone.
        modules: where the step's code begins.

    """

    path: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...] | None = None
    settings: Mapping[str, Any] | None = None
    content: Mapping[str, Any] | None = None
    modules: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The record and its outputs, and lists of raw files, which have no record of their own."""
        raw = [path for path in self.inputs or () if Path(path).is_relative_to(layout.RAW)]
        return (*raw, self.path, *self.outputs)


@dataclass(frozen=True)
class Step:
    """One job of an experiment.

    Attributes:
        kind: name of its rule.
        subject: what it is about: the wildcards of the rule.
        inputs: files that have to be there before it starts, by name.
        outputs: files that it writes, by name; its record is called `record`.
        told: what else its command line says, by name, as the command takes it.
        modules: where its code begins; with all that they import they are the identity of its code. None
            of steps that no change of code asks for again.
        records: what the records that it writes are to state.
        by_default: whether it belongs to what `snakemake` makes without being asked for a target.

    """

    kind: str
    subject: Mapping[str, str]
    inputs: Mapping[str, Files]
    outputs: Mapping[str, Files]
    told: Mapping[str, Any]
    modules: tuple[str, ...]
    records: tuple[ExpectedRecord, ...] = field(default=())
    by_default: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that it writes."""
        return tuple(flat(self.outputs))


def subject_of(cell: Benchmark, seed: int) -> dict[str, str]:
    """Wildcards of what is about one cell and seed."""
    return {
        "dataset": cell.dataset,
        "architecture": cell.architecture,
        "seed": str(seed),
        "scenario": cell.scenario,
        "protocol": cell.protocol,
    }


def flat(files: Mapping[str, Files]) -> list[str]:
    """Files without their names."""
    found: list[str] = []
    for under_name in files.values():
        found += [under_name] if isinstance(under_name, str) else under_name
    return found


def texts(paths: Mapping[str, Path]) -> dict[str, Files]:
    """Files by name, as Snakemake and the records have them."""
    return {name: path.as_posix() for name, path in paths.items()}


def with_record(outputs: Mapping[str, Path]) -> dict[str, Files]:
    """Outputs of a step, and as `record` the record that states the first of them."""
    place = layout.record_of(next(iter(outputs.values())))
    return texts({**outputs, "record": place} if place is not None else outputs)


def expected(
    outputs: Mapping[str, Files],
    inputs: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    content: Mapping[str, Any] | None = None,
) -> tuple[ExpectedRecord, ...]:
    """The record among the outputs of a step, and what it is to state of the others.

    Args:
        outputs: by name; the record is called `record`.
        inputs, settings, content: see `ExpectedRecord`.

    """
    others = flat({name: files for name, files in outputs.items() if name != "record"})
    # As a record has them: tuples are lists, and keys are texts.
    written = None if settings is None else json.loads(json.dumps(settings))
    read = None if inputs is None else tuple(inputs)
    return (ExpectedRecord(str(outputs["record"]), tuple(others), read, written, content),)
