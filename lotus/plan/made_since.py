"""What was made of a store since it was last known to be sound, and where that is put aside.

Nobody can tell from a model whether the images that it was trained on were damaged already. So what was
made of them since, and what rests on that, is moved out of the results: Snakemake then makes it anew.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lotus import layout
from lotus.private_folder import PRIVATE
from lotus.records.files_below import files_below
from lotus.records.index import Index
from lotus.records.reading import Record

FOLDER = PRIVATE / "set-aside"
CHECKPOINT = "checkpoint.pt"
"""Of a training that is not finished; where it is written takes long to import."""
A_SECOND = timedelta(seconds=1)
"""Records state whole seconds of a start."""


def ended(record: Record) -> datetime:
    """Returns when a step ended, at the earliest; a second later at the latest."""
    time = record.content["time"]
    return datetime.fromisoformat(time["started"]) + timedelta(seconds=time["total"])


def made_since(index: Index, dataset: str, moment: datetime) -> list[Record]:
    """Returns the records of what was made of a store after a moment, and of all that rests on it.

    Args:
        index: of all records of the project.

    """
    store = layout.STORES / dataset
    others = [record for record in index.records.values() if not record.problem]
    found: list[Record] = []
    gone: set[str] = set()
    fresh = [
        record
        for record in others
        if record.kind != "store"
        and any(Path(path).parent == store for path in record.inputs)
        and ended(record) + A_SECOND > moment
    ]
    while fresh:
        found += fresh
        gone |= {path for record in fresh for path in (record.path, *record.outputs)}
        others = [record for record in others if record.path not in gone]
        fresh = [record for record in others if not gone.isdisjoint(record.inputs)]
    return found


def begun_since(dataset: str, moment: datetime) -> Iterator[Path]:
    """Yields the checkpoints of trainings on a store that were written after a moment."""
    for path in files_below(layout.RESULTS):
        is_of_it = path.name == CHECKPOINT and dataset in path.parts
        if is_of_it and path.stat().st_mtime > moment.timestamp():
            yield path


def new_folder() -> Path:
    """Makes a folder for what is put aside now, which only this user can enter."""
    for place in (PRIVATE, FOLDER):
        place.mkdir(mode=0o700, exist_ok=True)
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for name in (stamp, *(f"{stamp}-{number}" for number in range(2, 1_000))):
        try:
            (FOLDER / name).mkdir(mode=0o700)
        except FileExistsError:
            continue
        return FOLDER / name
    raise FileExistsError(FOLDER / stamp)


def put_aside(paths: Iterable[Path], folder: Path) -> None:
    """Moves files of the project into a folder, each under its own path; some may be gone already."""
    for path in paths:
        if os.path.lexists(path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, folder / path)


def keep_copy(path: Path, folder: Path) -> None:
    """Puts a file aside and leaves it in its place, without taking room for it twice where that can be."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, folder / path)
    except OSError:
        # Another file system, or one without such links.
        shutil.copy2(path, folder / path)
