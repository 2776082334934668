"""The ledger: the digest of every record, so that none can be edited unseen, not even the last ones."""

import os
from collections.abc import Iterator
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.files_below import files_below
from lotus.records.places import refuse_links_out
from lotus.records.record import write_record


def record_files() -> Iterator[Path]:
    """Yields records of the project in the present folder, relative to it, in order of their paths."""
    return filter(layout.is_record, files_below(layout.RESULTS))


def seal(out: Path) -> None:
    """Writes the ledger: itself a record, whose inputs are all others.

    Raises:
        LotusError: where a record should lie is something else, a link leads out of the project, or the
            ledger cannot be written.

    """
    if not out.name:
        raise LotusError(f"--out: '{out}' does not name a file")
    # What lies behind them is not read, and would be missing from the ledger.
    refuse_links_out(layout.RESULTS)
    # An earlier ledger lies among the records; it cannot state its own digest.
    records = [path for path in record_files() if path != out]
    for path in records:
        if not os.path.isfile(path):
            raise LotusError(f"{shown(path)}: is not a file, but lies where records do; remove it")
    try:
        write_record(
            out,
            kind="ledger",
            modules=[__name__],
            about={},
            settings={},
            inputs=records,
            outputs=[],
        )
    except OSError as error:
        raise LotusError(f"{shown(out)}: cannot be written: {error.strerror}") from error
