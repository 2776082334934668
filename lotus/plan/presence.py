"""Which workflows are alive in a project's folder: what only one that was killed had locked is free again.

Snakemake locks the files that it makes, and cannot let go of them when it is killed. Each workflow here
holds the folder together with the others that are alive, by a lock that the system takes from whoever
ends. So a workflow that can have it alone for a moment knows that all others have ended, and frees
what they left.
"""

import fcntl
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from lotus.plan.project_folder import DRY_RUN, LOCKS, SNAKEMAKE

FILE = SNAKEMAKE / "alive"
ELSEWHERE = "elsewhere"
"""Stands in the file where jobs may outlive their workflow: on the nodes of a cluster."""


@dataclass(frozen=True)
class Presence:
    """A workflow that is alive in the present folder, for as long as this is kept.

    Attributes:
        said: what was freed, in words; empty if nothing was.
        file: whose lock says so; None where it cannot be had, which frees nothing.
        is_alone: whether no other was alive, nor a job of one, when this one came.

    """

    said: Sequence[str]
    file: BinaryIO | None
    is_alone: bool = False

    def begins(self, is_here: bool) -> None:
        """Notes where its jobs run: of a cluster's, nobody knows whether they outlive their workflow.

        Args:
            is_here: whether it is this machine.

        """
        if self.file is not None and not is_here:
            _note(self.file, ELSEWHERE)


def enter(arguments: Sequence[str]) -> Presence:
    """Makes a workflow known, and frees what others locked of which none is alive.

    Args:
        arguments: of Snakemake's process; a dry run is no presence.

    """
    if not DRY_RUN.isdisjoint(arguments):
        return Presence((), None)
    try:
        SNAKEMAKE.mkdir(exist_ok=True)
        file = FILE.open("a+b")
    except OSError:
        return Presence((), None)
    try:
        is_alone = _has(file, fcntl.LOCK_EX)
        said = _freed(file) if is_alone else ()
        # The lock is shared from now on: others may work on other files.
        if not _has(file, fcntl.LOCK_SH):
            raise OSError("another workflow frees what was left at this moment")
        _note(file, platform.node())
    except OSError:
        file.close()
        return Presence((), None)
    return Presence(said, file, is_alone and not any(LOCKS.glob("*.lock")))


def _has(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _freed(file: BinaryIO) -> Sequence[str]:
    """Removes Snakemake's locks, if all workflows that may have left them ran on this machine alone.

    Another machine's lock is not seen on every network file system, and a cluster's jobs outlive their
    workflow.
    """
    file.seek(0)
    noted = {*file.read().decode(errors="replace").split("\n")} - {""}
    left = [*LOCKS.glob("*.lock")]
    if left and not noted <= {platform.node()}:
        return ()
    for lock in left:
        lock.unlink()
    os.ftruncate(file.fileno(), 0)
    return ["what a workflow that was killed had locked here is free again"] if left else ()


def _note(file: BinaryIO, line: str) -> None:
    """Appends a line, by itself so that none of another workflow is lost."""
    file.write(f"{line}\n".encode())
    file.flush()
