"""Publishing: bytes into DVC, small text into git, where it can be compared line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lotus import layout
from lotus.audit.audit import CHANGED, ORPHAN, Audit
from lotus.audit.project import audit_project
from lotus.data.store import LOADER, dvc_outs
from lotus.errors import LotusError
from lotus.git import git
from lotus.records.files import write_text
from lotus.records.forms import MODELS
from lotus.records.index import Index, read_index
from lotus.records.reading import Record
from lotus.tracking.dvc import dvc, has_remote
from lotus.tracking.tracked_files import held

LIMIT = 100_000
"""Bytes up to which text goes into git; records always do."""
TEXT = (".json", ".csv", ".tex", ".yaml")
SAID = ("predictions.npz", "gradcam.npz")
READ_BY_FIGURES = ("metrics", "audit", "held-out", "forget-set", "gradcam", "experiment")
"""Steps whose large results are held with the predictions: with them everything can be drawn again."""


@dataclass(frozen=True)
class Publication:
    """Where everything goes.

    Attributes:
        tracked: files for git.
        held: DVC file → path → its record, upstream first.

    """

    tracked: Sequence[str]
    held: Mapping[Path, Mapping[str, str]]


def publish() -> list[str]:
    """Puts stores, models, predictions and results into DVC, stages the rest in git, pushes to the remote.

    Returns:
        What was done, and what is left to do, in lines.

    Raises:
        LotusError: an artifact is changed or an orphan, or DVC or git failed; then nothing is published.

    """
    found = audit_project()
    _refuse(found)
    wanted = sort_out(read_index())
    files = [str(file) for file in wanted.held]
    # Before anything is staged: each of them can be read.
    held()
    _stage([*wanted.tracked, *files])
    for file, paths in wanted.held.items():
        _hold(file, paths)
    git("add", "--force", "--", *files)
    remote = has_remote()
    if remote:
        dvc("push", "--quiet", *files)
    return [
        *(f"{file}: {len(paths)} in DVC" for file, paths in wanted.held.items()),
        f"git: {len(wanted.tracked)} small files staged",
        "pushed to the DVC remote" if remote else "no DVC remote is set: nothing was pushed",
        'to finish: git commit -m "Results" && git push',
    ]


def _refuse(found: Audit) -> None:
    """Stops where what would be published is not what was made."""
    wrong = [*found.by_status(CHANGED), *found.by_status(ORPHAN)]
    if wrong:
        lines = [f"  {it.status} {it.path}: {it.reason}" for it in wrong[:10]]
        more = [f"  … and {len(wrong) - 10} more"] if len(wrong) > 10 else []
        raise LotusError(
            "\n".join(
                [
                    "not published, since these are not what was recorded (lotus audit):",
                    *lines,
                    *more,
                ]
            )
        )


UPSTREAM = ("store", *MODELS)
"""Kinds of records that come first in the DVC files, in this order."""


def sort_out(index: Index) -> Publication:
    """Which file of a project goes where, by its record."""
    tracked = [*index.records, *(path.as_posix() for path in sorted(layout.RAW.glob("*.json")))]
    held: dict[Path, dict[str, str]] = {file: {} for file in (layout.LOCK, *layout.PUBLISHED)}
    for record in sorted(index.records.values(), key=_rank):
        for path in record.outputs:
            if record.kind == "store":
                held[layout.LOCK][Path(path).parent.as_posix()] = record.path
            elif _is_small_text(path):
                tracked.append(path)
            else:
                held[_file_of(path, record.kind)][path] = record.path
    return Publication(tracked, held)


def _rank(record: Record) -> tuple[int, str]:
    known = record.kind in UPSTREAM
    return (UPSTREAM.index(record.kind) if known else len(UPSTREAM), record.path)


def _is_small_text(path: str) -> bool:
    return path.endswith(TEXT) and Path(path).is_file() and Path(path).stat().st_size <= LIMIT


def _file_of(path: str, kind: str) -> Path:
    if path.endswith("model.safetensors"):
        return layout.MODELS
    if path.endswith(SAID) or kind in READ_BY_FIGURES:
        return layout.PREDICTIONS
    return layout.MADE_OF


def _hold(file: Path, records: Mapping[str, str]) -> None:
    """Writes a DVC file and has DVC take over what it lists.

    Entries of files that are not here (nobody pulled them) stay as they are; locks of stores stay anyway.
    """
    before = _entries(file)
    listed = dict.fromkeys([*before, *records] if file == layout.LOCK else records)
    here = {path: before.get(path, {"path": path, "hash": "md5"}) for path in listed}
    here = {path: entry for path, entry in here.items() if Path(path).exists()}
    if here:
        # DVC takes over all that a file lists or nothing: what is not here is added afterwards.
        _write(file, here, records)
        dvc("commit", "--quiet", "--force", str(file))
    known = before | (_entries(file) if here else {})
    entries = {path: known[path] for path in listed if path in known}
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


def _entries(file: Path) -> dict[str, dict[str, Any]]:
    """Path → entry of a DVC file; none where there is no such file."""
    outs = yaml.load("".join(_lines(file)) or "outs: []", LOADER)["outs"] if dvc_outs(file) else []
    return {out["path"]: out for out in outs}


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
