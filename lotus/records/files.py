"""Files of a project: their digests, and writing them whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.names import shown


def sha256(path: Path) -> str:
    """Returns the digest of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_to_write_over(path: Path, replace: bool) -> None:
    """Refuses before anything is computed or written.

    Raises:
        LotusError: something is at the place, be it a link, and nobody has said that it may be replaced.

    """
    if not replace and (path.exists() or path.is_symlink()):
        raise LotusError(f"{shown(path)}: is there already; `--replace` writes over it")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` that takes its place only if the block succeeds.

    The folder is made if need be; on an error nothing is left behind.

    Raises:
        LotusError: the path names no file.

    """
    if not path.name:
        raise LotusError(f"'{path}' does not name a file; accepted: the path of a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically, in UTF-8."""
    with atomic(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes JSON atomically: indented, keys in the given order, NaN refused."""
    write_text(path, as_text(value))


def as_text(value: Any) -> str:
    """Returns JSON as files have it."""
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def relative(path: Path) -> str:
    """Returns a path as the records name it: relative to the project where possible, with slashes.

    The user's home is `~`: records are shared, and whose machine it was is nobody's business.
    """
    absolute = path.absolute()
    here = Path.cwd()
    if absolute.is_relative_to(here):
        return absolute.relative_to(here).as_posix()
    home = Path(os.path.expanduser("~"))
    if path.is_absolute() and home.is_absolute() and path.is_relative_to(home):
        return Path("~", path.relative_to(home)).as_posix()
    return path.as_posix()
