"""A small copy of results, for a repository; what is large stays out, and is listed.

Out stay models, predictions, stores, and the attacks' scores of single images. What is in is enough to draw
every table, figure and verdict again (`lotus restore --figures`): they are made of metrics, of what attacks
found, and of records.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.audit.audit import CHANGED, MISSING, ORPHAN, STALE
from lotus.audit.project import audit_project
from lotus.errors import LotusError
from lotus.names import shown
from lotus.publish.publish import refuse_unsound
from lotus.records.among_results import refuse_among_results
from lotus.records.files import write_text
from lotus.records.index import Index, read_index
from lotus.records.left_out import text_of_list
from lotus.records.places import refuse_links_out
from lotus.records.whole_folder import atomic_folder

LARGE = (layout.MODEL_FILE, layout.PREDICTIONS_FILE)
SCORES = ("attacks", "shadow-attacks")
"""Kinds of steps whose arrays only `lotus remembered` reads."""


@dataclass(frozen=True)
class SmallCopy:
    """A copy that was written.

    Attributes:
        copied: files in it.
        bytes: of these files.
        left_out: files of the project that it only lists.

    """

    copied: int
    bytes: int
    left_out: int


def copy_small(folder: Path) -> SmallCopy:
    """Copies the results of the project in the present folder to another one, whole or not at all.

    Args:
        folder: a new or empty one outside the results.

    Raises:
        LotusError: the folder is taken; nothing is recorded here; an artifact is changed, missing, stale or
            an orphan.

    """
    _refuse_place(folder)
    refuse_links_out(layout.RESULTS)
    refuse_unsound(audit_project(full=True), (CHANGED, MISSING, ORPHAN, STALE))
    index = read_index()
    copied, left_out = _apart(index)
    try:
        with atomic_folder(folder) as draft:
            for path in copied:
                to = draft / path
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
            write_text(draft / layout.LEFT_OUT, text_of_list(left_out))
    except OSError as error:
        raise LotusError(
            f"{shown(folder)}: cannot be written: {error.strerror or error}"
        ) from error
    return SmallCopy(
        len(copied) + 1, sum(Path(path).stat().st_size for path in copied), len(left_out)
    )


def _refuse_place(folder: Path) -> None:
    accepted = f"accepted: a new or empty folder outside {layout.RESULTS} and {layout.STORES}"
    if not folder.name or "\0" in str(folder):
        raise LotusError(f"--into: '{shown(folder)}' does not name a folder; {accepted}")
    refuse_among_results(folder, "--into", accepted)
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise LotusError(f"--into: {shown(folder)} is there already; {accepted}")


def _apart(index: Index) -> tuple[list[str], list[str]]:
    """Returns the project's files: those that are copied, and those that are left out."""
    beside = [path.as_posix() for path in layout.attestation_files()]
    copied = [*index.records, *beside]
    left_out: list[str] = []
    for path in (*index.producers, *_read_only(index)):
        (left_out if _is_large(path, index) else copied).append(path)
    return sorted(dict.fromkeys(copied)), sorted(dict.fromkeys(left_out))


def _is_large(path: str, index: Index) -> bool:
    made = index.producer(path)
    has_scores = made is not None and made.kind in SCORES and path.endswith(".npz")
    return has_scores or Path(path).name in LARGE or Path(path).is_relative_to(layout.DATA)


def _read_only(index: Index) -> Iterable[str]:
    """Files of the project's data that steps read and no record states."""
    return (
        path
        for record in index.records.values()
        for path in record.inputs
        if Path(path).is_relative_to(layout.DATA) and index.producer(path) is None
    )
