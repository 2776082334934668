"""Leases of GPUs: which job uses which GPU of the machine, and how many jobs use one at a time.

Each GPU has slots, and each slot a file that its holder has locked. The system lets go of a lock when its
holder ends, however that happens, so no slot is ever lost. Jobs of this user alone are counted.
"""

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from time import monotonic, sleep

from filelock import FileLock, Timeout

from lotus.errors import LotusError
from lotus.records.files import write_json
from lotus.wording import all_of

log = getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks for a free slot."""
FIRST_WORD, NEXT_WORD = 10.0, 600.0
"""Seconds after which a job says that it waits, and after which it says so again."""


@dataclass(frozen=True)
class Gpu:
    """A GPU that this process may use.

    Attributes:
        index: by which this process knows it; other processes may know others by it.
        identity: by which all processes of the machine know it; part of file names.
        memory: bytes in all.

    """

    index: int
    identity: str
    memory: int


@dataclass(frozen=True, eq=False)
class Lease:
    """A slot of a GPU, held as long as this object is, and no longer than its process lives.

    Attributes:
        slots: how many jobs may be on the GPU while this one is, by what it needs itself.
        waited: seconds until there was a free slot.

    """

    gpu: Gpu
    slots: int
    waited: float
    _lock: FileLock

    def end(self) -> None:
        """Frees the slot before the process ends."""
        self._lock.release()


@dataclass(frozen=True)
class _Place:
    """A GPU as one finds it.

    Attributes:
        slots: how many jobs like this one it has room for.
        allowed: how many jobs may be on it, by this job and those on it.
        holders: number of each slot that is taken → process that holds it.

    """

    gpu: Gpu
    slots: int
    allowed: int
    holders: dict[int, int]

    @property
    def free(self) -> int:
        """Number of jobs that may come."""
        return self.allowed - len(self.holders)


def folder_of_user(parent: Path = Path("/tmp")) -> Path:
    """Returns the folder of this user's locks, the same for all jobs of the machine.

    The parent is no choice of variables (`TMPDIR`, `XDG_RUNTIME_DIR`), which differ between jobs.

    Raises:
        LotusError: somebody else has or can enter what lies there.

    """
    folder = parent / f"lotus-gpus-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LotusError(
            f"{folder}: must be a folder of this user alone (mode 700), since jobs note there which of "
            "them uses which GPU; remove it, or have its owner do so"
        )
    return folder


def take(
    gpus: Sequence[Gpu], slots_of: Callable[[Gpu], int], folder: Path, pause: float = PAUSE
) -> Lease:
    """Waits for a free slot, and takes it on the GPU that has most of them.

    Args:
        gpus: any of them will do.
        slots_of: how many jobs like this one a GPU has room for. While jobs are on it that want it for
            fewer, the least number counts; so memory is enough for all if it is for each number alone.
        folder: of the locks; its file system must be of this machine.
        pause: seconds between two looks.

    """
    begun = monotonic()
    says_next = begun + FIRST_WORD
    while True:
        with _alone(folder):
            places = [_look(gpu, slots_of(gpu), folder) for gpu in gpus]
            best = max(places, key=lambda place: place.free)
            if best.free > 0:
                return _taken(best, folder, monotonic() - begun)
        if monotonic() >= says_next:
            log.info("waits for a GPU: %s", _in_words(places))
            says_next = monotonic() + NEXT_WORD
        sleep(pause)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Has only one process choose at a time."""
    with (folder / "choosing.lock").open("w") as file:
        # Not by the library, which looks again and again: here many wait, each for a moment.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _look(gpu: Gpu, slots: int, folder: Path) -> _Place:
    """Finds out who is on a GPU. None comes meanwhile, since the caller alone may choose."""
    allowed, holders = slots, {}
    for file in folder.glob(f"{gpu.identity}.*.lock"):
        if _is_held(file):
            told = json.loads(_note(file).read_text(encoding="utf-8"))
            holders[int(file.name.split(".")[-2])] = int(told["process"])
            allowed = min(allowed, int(told["slots"]))
    return _Place(gpu, slots, allowed, holders)


def _is_held(file: Path) -> bool:
    lock = FileLock(file, mode=0o600, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _taken(place: _Place, folder: Path, waited: float) -> Lease:
    number = next(it for it in range(place.allowed) if it not in place.holders)
    file = folder / f"{place.gpu.identity}.{number}.lock"
    # Before the lock: whoever finds it locked reads this.
    write_json(_note(file), {"process": os.getpid(), "slots": place.slots})
    lock = FileLock(file, mode=0o600, thread_local=False)
    lock.acquire(blocking=False)
    return Lease(place.gpu, place.slots, waited, lock)


def _note(file: Path) -> Path:
    """Returns the file in which a lock's holder says who it is: beside the lock, which may be emptied."""
    return file.with_suffix(".json")


def _in_words(places: Sequence[_Place]) -> str:
    return "; ".join(
        f"on GPU {place.gpu.index}, where this job and those on it allow for {place.allowed}, "
        f"{'are processes' if len(place.holders) > 1 else 'is process'} "
        f"{all_of([str(process) for process in place.holders.values()])}"
        for place in places
    )
