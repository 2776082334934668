"""From a start to all files that rest on it, by what the records say was read and written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from lotus.impact.start import ALL, Start
from lotus.layout import EXPERIMENT
from lotus.lineage.plan_nodes import KeptInputs
from lotus.records.index import Index
from lotus.records.reading import Record

Touched = Mapping[str, frozenset[str]]
"""File → the splits of whose images it says something else, or `ALL`."""


@dataclass(frozen=True)
class ForwardReach:
    """All that rests on a start.

    Attributes:
        index: the project's records.

    """

    index: Index
    start: Start

    @cached_property
    def files(self) -> Touched:
        """The files that rest on it; those of the start among them.

        The description of the experiment names every setting and every run, and nearly everything reads it
        for that: what only reads the description is not counted.
        """
        readers: dict[str, list[Record]] = {}
        for record in self.index.records.values():
            for path in record.inputs:
                readers.setdefault(path, []).append(record)
        found: dict[str, frozenset[str]] = {}
        waiting = [*self.start.files.items()]
        for path in self.start.records:
            waiting += _written(self.index.records[path])
        while waiting:
            path, splits = waiting.pop()
            before = found.get(path, frozenset())
            now = ALL if "*" in before | splits else before | splits
            if now == before:
                continue
            found[path] = now
            if path != EXPERIMENT.as_posix() and not before:
                for record in readers.get(path, ()):
                    waiting += _written(record)
        return found

    @cached_property
    def records(self) -> list[Record]:
        """Records of the steps that wrote them, in the order of their paths."""
        made = (self.index.producer(path) for path in self.files)
        found = {record.path: record for record in made if record is not None}
        return [found[path] for path in sorted(found)]

    def is_touched(self, record: Record, kept: KeptInputs, images: Iterable[str]) -> bool:
        """Whether a number in the output of a step rests on the start.

        Args:
            kept: record → the inputs that the number is made of; all of the records that are not named.
            images: splits whose images the number is computed from.

        """
        if record.path in self.start.records:
            return True
        inputs = kept.get(record.path, list(record.inputs))
        return any(self._is_file_touched(path, kept, frozenset(images)) for path in inputs)

    def _is_file_touched(self, path: str, kept: KeptInputs, images: frozenset[str]) -> bool:
        splits = self.files.get(path, frozenset())
        if not splits or path == EXPERIMENT.as_posix():
            return False
        made = self.index.producer(path)
        if made is not None and made.path in kept and path not in self.start.files:
            return self.is_touched(made, kept, images)
        return "*" in splits or bool(splits & images)


def _written(record: Record) -> list[tuple[str, frozenset[str]]]:
    """Everything that a step wrote, its record too."""
    return [(path, ALL) for path in (*record.outputs, record.path)]
