"""What would have steps fail, or an attestation be lost, told before anything is computed."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path

from lotus import layout
from lotus.attest.again import outputs_of
from lotus.attest.forks import in_forks
from lotus.engine.device import prepare
from lotus.engine.runtime import parse
from lotus.errors import LotusError
from lotus.names import shown
from lotus.plan.jobs import number_of_gpus
from lotus.plan.step import Step, flat
from lotus.records.among_results import refuse_among_results
from lotus.records.left_out import left_out
from lotus.tracking.tracked_files import dvc_entries, entry_of
from lotus.wording import counted, first_of

NAMED = 2
"""Absent files that are named of many."""


def refuse_absent(steps: Sequence[Step]) -> None:
    """Refuses steps whose files are said to lie elsewhere: of a small copy, or a clone before `dvc pull`.

    What is absent and should lie here is no such case: that a step fails without it is a finding.

    Raises:
        LotusError: names files, and says how they can be had.

    """
    files = [path for step in steps for path in _files_of(step)]
    absent = [path for path in dict.fromkeys(files) if not os.path.lexists(path)]
    if not absent:
        return
    without, tracked = left_out(), dvc_entries()
    if lacking := [path for path in absent if path in without]:
        raise LotusError(
            f"these results are a small copy ({layout.LEFT_OUT}), without {_some(lacking)}, of which they "
            "would be made again; accepted: the project of which it is a copy"
        )
    if lacking := [path for path in absent if entry_of(path, tracked)]:
        raise LotusError(
            f"{_some(lacking)}, of which results would be made again, are in DVC and not here; "
            "`dvc pull` brings them"
        )


def _files_of(step: Step) -> list[str]:
    """Returns what a step reads, its store besides, and what it is held against."""
    store = step.told.get("store")
    of_store = [] if store is None else layout.store_files(Path(store).name).values()
    return [*flat(step.inputs), *map(str, of_store), *outputs_of(step)]


def _some(paths: Sequence[str]) -> str:
    return f"{counted(len(paths), 'file')} ({first_of([*map(shown, paths)], NAMED)})"


def usable_gpus(device: str, runtime: str) -> int:
    """Returns the number of GPUs that models may use; it is asked for in a process of its own.

    After it was asked for, no process that uses a GPU can be forked.

    Args:
        device, runtime: as `--device` and `--runtime` of `lotus` take them.

    Raises:
        LotusError: no such device here, or the runtime cannot be had on it.

    """
    # Once for all processes that are forked from here on; no GPU is used by that.
    importlib.import_module("torch")
    (done,) = in_forks(_gpus_or_why_not, [(device, runtime)], 1)
    if isinstance(done.found, int):
        return done.found
    ended = f"device {device!r}: a process that asked for it ended with code {done.exit_code}"
    raise LotusError(done.found or ended)


def _gpus_or_why_not(how: tuple[str, str]) -> int | str:
    device, runtime = how
    try:
        prepare(device, 1, parse(runtime))
    except LotusError as error:
        return str(error)
    return number_of_gpus(device)


def refuse_place(out: Path) -> None:
    """Refuses a place for an attestation at which none can be written.

    Raises:
        LotusError: it is none of a new file, lies among results, or cannot be written.

    """
    accepted = "accepted: a new file"
    if not out.name:
        raise LotusError(f"--out: '{shown(out)}' does not name a file; {accepted}")
    for path in (out, layout.signature_of(out)):
        if _is_there(path, accepted):
            raise LotusError(f"--out: {shown(path)}: exists; {accepted}")
    if os.path.realpath(out.parent) != os.path.realpath(layout.ATTESTATIONS):
        outside = (
            f"{accepted} outside {layout.RESULTS} and {layout.STORES}, or in {layout.ATTESTATIONS}"
        )
        refuse_among_results(out, "--out", outside)
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise LotusError(f"--out: {shown(out)}: you cannot write in {shown(above)}; {accepted}")


def _is_there(path: Path, accepted: str) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise LotusError(f"--out: {shown(path)}: cannot be written: {why}; {accepted}") from error
    return True
