"""The ledger: the digest of every record, so that none can be edited unseen, not even the last ones."""

from collections.abc import Iterator
from pathlib import Path

from lotus import layout
from lotus.auditing.walk import files_below
from lotus.provenance import write_record


def record_files() -> Iterator[Path]:
    """Records of the project in the present folder, relative to it, in order of their paths."""
    return filter(layout.is_record, files_below(layout.RESULTS))


def seal(out: Path) -> None:
    """Writes the ledger: itself a record, whose inputs are all others."""
    write_record(
        out,
        kind="ledger",
        modules=[__name__],
        about={},
        settings={},
        inputs=[path for path in record_files() if path != out],
        outputs=[],
    )
