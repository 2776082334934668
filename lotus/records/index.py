"""The index of a project's records: which step wrote a file, and what it read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lotus import layout
from lotus.records.ledger import record_files
from lotus.records.reading import Record, find_record


@dataclass(frozen=True)
class Index:
    """The records of a project by their paths."""

    records: Mapping[str, Record]

    @cached_property
    def producers(self) -> Mapping[str, Record]:
        """Artifact → the record that lists it among its outputs, and lies where that record belongs."""
        return {
            output: record
            for record in self.records.values()
            for output in record.outputs
            if layout.record_of(Path(output)) == Path(record.path)
        }

    def producer(self, path: str) -> Record | None:
        """Returns the record that states how a file was made; a record states it of itself."""
        return self.records.get(path) or self.producers.get(path)


def read_index(files: Iterable[Path] | None = None) -> Index:
    """Returns the records of the project in the present folder.

    Args:
        files: their paths; all that there are unless given.

    """
    records = (find_record(path) for path in (record_files() if files is None else files))
    return Index({record.path: record for record in records})
