"""sha256 of many files, remembered as long as a file is the same one, untouched."""

import json
import os
import stat
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus.formats.json_text import parse_json, read_file
from lotus.private_folder import PRIVATE
from lotus.records.files import sha256
from lotus.records.memory import keep
from lotus.records.places import VARIABLE, leads_out, on_this_machine

CACHE = PRIVATE / "digests.json"
RACY = 2_000_000_000
"""Nanoseconds: a file that changed so shortly before it was read could change again unseen."""


@dataclass(frozen=True)
class Seen:
    """A file as it is now.

    Attributes:
        sha256: of its bytes; '' where they cannot be had.
        problem: why not: it is absent, not a file, outside the project, or cannot be read.
        is_remembered: it was not read, since it is the file that an earlier call read.

    """

    sha256: str
    problem: str = ""
    is_remembered: bool = False

    @property
    def is_absent(self) -> bool:
        """Whether there is nothing at its place."""
        return self.problem == ABSENT


ABSENT = "absent"


def digests(paths: Iterable[str], cache: Path = CACHE, full: bool = False) -> dict[str, Seen]:
    """Returns path → what is there, read with as many threads as there are processors.

    A file whose size, inode and times of change (mtime and ctime) are those of an earlier call is not
    read again. The time of its last change of status is among them because, unlike mtime, it cannot be
    set back. Whoever can write into the project can also write what is remembered: with `full` nothing of
    it is believed.

    Args:
        cache: file of what earlier calls read.
        full: whether to read everything, whatever the cache says.

    """
    known = _load(cache)
    wanted = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        trusted = {} if full else known
        found = list(pool.map(lambda path: _look(path, trusted.get(path)), wanted))
    looked_at = set(wanted)
    untouched = {path: mark for path, mark in known.items() if path not in looked_at}
    fresh = {path: mark for path, (_, mark) in zip(wanted, found, strict=True) if mark}
    keep(cache, json.dumps(untouched | fresh, separators=(",", ":")))
    return {path: seen for path, (seen, _) in zip(wanted, found, strict=True)}


Mark = list[int | str]
"""Device, inode, size, mtime, ctime (ns), sha256."""


def _look(path: str, known: Mark | None) -> tuple[Seen, Mark | None]:
    """Returns what is there, and what to remember of it if that is safe."""
    if how := leads_out(path):
        return Seen("", f"not read: it {how} ({VARIABLE})"), None
    try:
        place = on_this_machine(path)
        started = time.time_ns()
        if not stat.S_ISREG(os.stat(place).st_mode):
            # A pipe would be waited for, a device read for ever.
            return Seen("", "cannot be read: it is not a file"), None
        with open(place, "rb") as file:
            # Before the bytes are read: where they change meanwhile, the next call sees other times.
            status = os.fstat(file.fileno())
        mark: Mark = [getattr(status, f"st_{key}") for key in _IDENTITY]
        if known is not None and known[:-1] == mark:
            return Seen(str(known[-1]), is_remembered=True), known
        digest = sha256(place)
    except FileNotFoundError:
        return Seen("", ABSENT), None
    except ValueError as error:
        return Seen("", f"cannot be read: it is not a path: {error}"), None
    except OSError as error:
        return Seen("", f"cannot be read: {error.strerror}"), None
    settled = max(status.st_mtime_ns, status.st_ctime_ns) < started - RACY
    return Seen(digest), [*mark, digest] if settled else None


_IDENTITY = ("dev", "ino", "size", "mtime_ns", "ctime_ns")


def _load(cache: Path) -> dict[str, Mark]:
    """Returns what earlier calls read; nothing where the file is not what `digests` keeps."""
    try:
        content = parse_json(read_file(cache))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {path: mark for path, mark in content.items() if _is_mark(mark)}


def _is_mark(mark: Any) -> bool:
    types = [int] * len(_IDENTITY) + [str]
    return isinstance(mark, list) and [type(part) for part in mark] == types
