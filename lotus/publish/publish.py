"""Sharing results: bytes go into DVC, small text into git, where it can be compared line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lotus import layout
from lotus.audit.audit import CHANGED, ORPHAN, Audit
from lotus.audit.project import audit_project
from lotus.errors import LotusError
from lotus.git import git
from lotus.records.files import write_text
from lotus.records.forms import MODELS
from lotus.records.index import Index, read_index
from lotus.records.left_out import left_out
from lotus.records.reading import Record
from lotus.tracking.dvc import dvc, has_remote
from lotus.tracking.dvc_files import dvc_entries_of
from lotus.tracking.tracked_files import dvc_entries
from lotus.wording import counted

LIMIT = 100_000
"""Bytes up to which text goes into git; records always do."""
TEXT = (".json", ".csv", ".tex", ".yaml")
MADE_BY_MODELS = (layout.PREDICTIONS_FILE, layout.MAPS_FILE)
READ_BY_FIGURES = (
    "metrics",
    "attacks",
    "shadow-attacks",
    "audit",
    "held-out",
    "half",
    "image-losses",
    "image-hashes",
    "forget-set",
    "forget-sheet",
    "gradcam",
    "experiment",
)
"""Kinds of steps whose large results go with the predictions: with them everything can be drawn again."""


@dataclass(frozen=True)
class Destinations:
    """The files of a project by where they go.

    Attributes:
        in_git: files for git.
        in_dvc: DVC file → path → its record, upstream first.

    """

    in_git: Sequence[str]
    in_dvc: Mapping[Path, Mapping[str, str]]


def publish() -> list[str]:
    """Puts stores, models, predictions and results into DVC, stages the rest in git, pushes to the remote.

    Returns:
        Lines that say what was done, and what is left to do.

    Raises:
        LotusError: the results are a small copy, an artifact is changed or an orphan, or DVC or git failed;
            then nothing is shared.

    """
    if absent := left_out():
        raise LotusError(
            f"the results here are a small copy, without {counted(len(absent), 'file')} that "
            f"{layout.LEFT_OUT} names; publish where they were made"
        )
    # What is shared is not vouched for by what somebody could have written into `.lotus`.
    refuse_unsound(audit_project(full=True), (CHANGED, ORPHAN))
    goes = destinations(read_index())
    files = [str(file) for file in goes.in_dvc]
    # Before anything is staged: each of them can be read.
    dvc_entries()
    _stage([*goes.in_git, *files])
    _put_in_dvc(goes.in_dvc)
    git("add", "--force", "--", *files)
    remote = has_remote()
    if remote:
        dvc("push", "--quiet", *files)
    return [
        *(f"{file}: {len(paths)} in DVC" for file, paths in goes.in_dvc.items()),
        f"git: {counted(len(goes.in_git), 'small file')} staged",
        "pushed to the DVC remote" if remote else "no DVC remote is set: nothing was pushed",
        'to finish: git commit -m "Results" && git push',
    ]


def refuse_unsound(found: Audit, statuses: Sequence[str]) -> None:
    """Raises where an artifact that would be shared has one of some statuses: it is not what was made."""
    wrong = [artifact for status in statuses for artifact in found.by_status(status)]
    if wrong:
        lines = [f"  {it.status} {it.path}: {it.reason}" for it in wrong[:10]]
        more = [f"  … and {len(wrong) - 10} more"] if len(wrong) > 10 else []
        raise LotusError(
            "\n".join(
                [
                    "nothing is shared, since these files are not as they were recorded "
                    "(see `lotus audit`):",
                    *lines,
                    *more,
                ]
            )
        )


UPSTREAM = ("store", *MODELS)
"""Kinds of records that come first in the DVC files, in this order."""


def destinations(index: Index) -> Destinations:
    """Returns where each file of a project goes, by its record."""
    beside = [*sorted(layout.RAW.glob("*.json")), *layout.attestation_files()]
    in_git = [*index.records, *(path.as_posix() for path in beside)]
    in_dvc: dict[Path, dict[str, str]] = {file: {} for file in (layout.LOCK, *layout.PUBLISHED)}
    for record in sorted(index.records.values(), key=_rank):
        for path in record.outputs:
            if record.kind == "store":
                in_dvc[layout.LOCK][Path(path).parent.as_posix()] = record.path
            elif _is_small_text(path):
                in_git.append(path)
            else:
                in_dvc[_file_of(path, record.kind)][path] = record.path
    return Destinations(in_git, in_dvc)


def _rank(record: Record) -> tuple[int, str]:
    known = record.kind in UPSTREAM
    return (UPSTREAM.index(record.kind) if known else len(UPSTREAM), record.path)


def _is_small_text(path: str) -> bool:
    return path.endswith(TEXT) and Path(path).is_file() and Path(path).stat().st_size <= LIMIT


def _file_of(path: str, kind: str) -> Path:
    if path.endswith(layout.MODEL_FILE):
        return layout.MODELS
    if path.endswith(MADE_BY_MODELS) or kind in READ_BY_FIGURES:
        return layout.PREDICTIONS
    return layout.MADE_OF


def _put_in_dvc(listed: Mapping[Path, Mapping[str, str]]) -> None:
    """Writes DVC files, and has DVC take over what they list: all in one call, since each takes a second.

    Entries of files that are not here (nobody pulled them) stay as they are; locks of stores stay anyway.

    Args:
        listed: DVC file → path → its record.

    """
    before = {file: dvc_entries_of(file) for file in listed}
    paths = {
        file: dict.fromkeys([*before[file], *records] if file == layout.LOCK else records)
        for file, records in listed.items()
    }
    taken_over = []
    for file, records in listed.items():
        new = {path: before[file].get(path, {"path": path, "hash": "md5"}) for path in paths[file]}
        # DVC takes over all that a file lists or nothing: what is not here is added afterwards.
        here = {path: entry for path, entry in new.items() if Path(path).exists()}
        if here:
            _write(file, here, records)
            taken_over.append(file)
    if taken_over:
        # Of what it takes over here git has nothing: `_stage` has seen to that.
        dvc("commit", "--quiet", "--force", *map(str, taken_over), asks_git=False)
    for file, records in listed.items():
        known = before[file] | (dvc_entries_of(file) if file in taken_over else {})
        entries = {path: known[path] for path in paths[file] if path in known}
        if entries:
            _write(file, entries, records)


def _write(
    file: Path, entries: Mapping[str, Mapping[str, Any]], records: Mapping[str, str]
) -> None:
    """Writes a DVC file with the remarks that it began with."""
    outs = [
        {**entry, "meta": {"record": records[path]}} if path in records else dict(entry)
        for path, entry in entries.items()
    ]
    head = "".join(line for line in _lines(file) if line.startswith("#"))
    write_text(file, head + yaml.safe_dump({"outs": outs}, sort_keys=False))


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []


def _stage(paths: Sequence[str]) -> None:
    """Stages files in git, also ignored ones, and takes out what is no longer to be there."""
    folders = (str(layout.RESULTS), str(layout.RAW))
    tracked = git("ls-files", "-z", "--", *folders).decode().split("\0")
    gone = sorted(set(filter(None, tracked)) - set(paths))
    from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
    if gone:
        git("rm", "--cached", "--quiet", *from_stdin, stdin="\0".join(gone).encode())
    here = [path for path in paths if Path(path).is_file()]
    git("add", "--force", *from_stdin, stdin="\0".join(here).encode())
