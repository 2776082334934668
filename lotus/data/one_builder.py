"""One builder of a store at a time: projects and users can share the folder in which stores lie."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lotus.config.images import StoreOptions
from lotus.data.store import FILES
from lotus.errors import LotusError
from lotus.names import shown

log = logging.getLogger(__name__)


class Turn:
    """The time in which nobody else builds a store.

    Attributes:
        is_ready: whether the process that was waited for has built what is asked for.

    """

    def __init__(self, store: Path, wanted: str, lock: int) -> None:
        self._store, self._wanted, self._lock = store, wanted, lock
        self.is_ready = os.pread(lock, 10_000, 0) == self._word()

    def done(self) -> None:
        """Leaves word of what was built, for those who wait."""
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, self._word(), 0)

    def _word(self) -> bytes:
        """Returns what is asked for, and which folder has it: each build makes a new one."""
        if not all((self._store / name).is_file() for name in FILES):
            return b"not whole"
        found = self._store.stat()
        return json.dumps([self._wanted, found.st_dev, found.st_ino, found.st_mtime_ns]).encode()


def asked_for(
    dataset: str, options: StoreOptions, files: Sequence[Mapping[str, Any]], locked: str | None
) -> str:
    """Names all that a store is made of, wherever its raw files lie."""
    listed = [{key: value for key, value in each.items() if key != "path"} for each in files]
    asked = [dataset, options.model_dump(mode="json"), listed, locked]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@contextmanager
def one_builder(store: Path, wanted: str) -> Iterator[Turn]:
    """Waits until no other process builds a store, and keeps others waiting.

    The lock ends with the process, however that ends.

    Args:
        store: its folder.
        wanted: see `asked_for`.

    Raises:
        LotusError: the folder in which the store is to lie cannot be written.

    """
    path = store.with_name(f".lock-{store.name}")
    try:
        lock = _locked(path, store, wanted)
    except OSError as error:
        raise LotusError(
            f"{shown(store)}: cannot be built, since {shown(path)} cannot be written: "
            f"{error.strerror or error}"
        ) from error
    try:
        yield Turn(store, wanted, lock)
    finally:
        with contextlib.suppress(OSError):
            if _is_there(path, lock):
                path.unlink()
        os.close(lock)


def _locked(path: Path, store: Path, wanted: str) -> int:
    """A descriptor of the lock, taken.

    Whoever has done removes the file. Those who waited for it read in it whether they have to build;
    those who come later make a new one, so a lock on a file that is gone excludes nobody.
    """
    store.parent.mkdir(parents=True, exist_ok=True)
    while True:
        lock = _opened(path)
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.info("%s: another process builds it; waiting", store)
            fcntl.lockf(lock, fcntl.LOCK_EX)
        if _is_there(path, lock) or Turn(store, wanted, lock).is_ready:
            return lock
        os.close(lock)


def _is_there(path: Path, lock: int) -> bool:
    """Whether a file is still the one that is locked."""
    try:
        return os.path.samestat(os.fstat(lock), os.lstat(path))
    except OSError:
        return False


def _opened(path: Path) -> int:
    """A descriptor of the file, open to those to whom its folder is; no link is followed."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(path, flags | os.O_CREAT, 0o600)
    with contextlib.suppress(PermissionError):
        os.fchmod(lock, 0o600 | path.parent.stat().st_mode & 0o066)
    return lock
