"""The ledger: the digest of every record, so that none can be edited unseen, not even the last ones."""

import os
from collections.abc import Iterator
from pathlib import Path

from lotus import layout
from lotus.provenance import write_record


def record_files() -> Iterator[Path]:
    """Records of the project in the present folder, relative to it, in order of their paths."""
    for folder, inner, names in os.walk(layout.RESULTS):
        inner.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if layout.is_record(path):
                yield path


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
