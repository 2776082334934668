"""Folders that are written whole or not at all, as `lotus.records.files.atomic` writes files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """A folder that takes the place of `out`, new or empty, if the block succeeds."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{os.getpid()}-{out.name}")
    try:
        yield draft
        os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
