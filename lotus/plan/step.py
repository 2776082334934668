"""What is wanted of a step, whoever wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout


@dataclass(frozen=True)
class Step:
    """What is wanted of a step.

    Attributes:
        record: its place.
        outputs: what it writes.
        inputs: what it reads at least; None: whatever it read.
        settings: its parameters; None: whatever they were.
        content: what it writes, where that follows from the configuration alone.

    """

    record: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...] | None = None
    settings: Mapping[str, Any] | None = None
    content: Mapping[str, Any] | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Its record and outputs, and lists of raw files, which have no step of their own."""
        raw = [path for path in self.inputs or () if Path(path).is_relative_to(layout.RAW)]
        return (*raw, self.record, *self.outputs)
