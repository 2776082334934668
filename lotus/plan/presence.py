"""Which workflows are alive in a project's folder: what only one that was killed had locked is free again.

Snakemake locks the files that it makes, and cannot let go of them when it is killed. Each workflow here
holds the folder together with the others that are alive, by a lock that the system takes from whoever
ends. So a workflow that can have it alone for a moment knows that all others have ended, and frees
what they left. Jobs on a cluster outlive their workflow: Slurm is asked for them first.
"""

import fcntl
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from lotus.plan.project_folder import DRY_RUN, LOCKS, SNAKEMAKE
from lotus.wording import counted

FILE = SNAKEMAKE / "alive"
ELSEWHERE = "elsewhere"
"""Stands in the file where jobs may outlive their workflow, and nobody can be asked for them."""
OF_SLURM = "slurm "
"""Begins a line of the file: the name of all jobs that a workflow submits to Slurm."""
OTHER_CLUSTERS = ("cluster", "clusters", "slurm_cluster")
"""Resources by which a job goes to a Slurm that is not the one that is asked here."""
PATIENCE = 60
"""Seconds that Slurm may take for an answer."""


@dataclass(frozen=True)
class Presence:
    """A workflow that is alive in the present folder, for as long as this is kept.

    Attributes:
        said: what was freed, or why it cannot be, in words; empty if nothing was left.
        file: whose lock says so; None where it cannot be had, which frees nothing.
        is_alone: whether no other was alive, nor a job of one, when this one came.

    """

    said: Sequence[str]
    file: BinaryIO | None
    is_alone: bool = False

    def begins(self, workflow: Any) -> None:
        """Notes where its jobs run: those of a cluster outlive their workflow.

        Args:
            workflow: Snakemake's, whose jobs are about to start.

        """
        if self.file is None or workflow.local_exec:
            return
        # Slurm's plugin gives all jobs of a workflow one name.
        name = getattr(workflow.scheduler._executor, "run_uuid", "")
        is_known = name and not any(
            job.resources.get(key) for job in workflow.dag.needrun_jobs() for key in OTHER_CLUSTERS
        )
        _note(self.file, f"{OF_SLURM}{name}" if is_known else ELSEWHERE)


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
    """Removes Snakemake's locks, if no workflow that may have left them is alive, nor a job of one.

    Another machine's lock is not seen on every network file system.
    """
    file.seek(0)
    noted = {*file.read().decode(errors="replace").split("\n")} - {""}
    left = [*LOCKS.glob("*.lock")]
    names = {line.removeprefix(OF_SLURM) for line in noted if line.startswith(OF_SLURM)}
    if left and not noted <= {platform.node(), *(f"{OF_SLURM}{name}" for name in names)}:
        return ()
    if left and names:
        if any(lock.stat().st_uid != os.getuid() for lock in left):
            # Slurm need not show jobs of other users.
            return ()
        jobs = _jobs_of_slurm(names)
        if jobs is None:
            return ()
        if jobs:
            return [
                f"Slurm still has {counted(len(jobs), 'job')} of a workflow that was killed: cancel them "
                f"(`scancel {' '.join(jobs)}`) or let them end, then the same command goes on"
            ]
    for lock in left:
        lock.unlink()
    os.ftruncate(file.fileno(), 0)
    return ["what a workflow that was killed had locked here is free again"] if left else ()


def _jobs_of_slurm(names: Iterable[str]) -> list[str] | None:
    """Returns the numbers of the jobs of some names that wait or run; None where Slurm does not answer."""
    command = ["squeue", "--noheader", "--format=%A", f"--name={','.join(sorted(names))}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else sorted(set(done.stdout.split()), key=int)


def _note(file: BinaryIO, line: str) -> None:
    """Appends a line, by itself so that none of another workflow is lost."""
    file.write(f"{line}\n".encode())
    file.flush()
