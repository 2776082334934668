"""Drawing everything again from predictions: the recorded commands of tables, figures, claims and page.

No model is loaded and no torch. Where a command gives the bytes that its record states, the record stays
as it was, with the time and machine of then.
"""

import gc
import logging
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.code_identity import code_digest
from lotus.records.digests import digests
from lotus.records.index import Index, read_index
from lotus.records.ledger import record_files
from lotus.records.reading import Record, find_record
from lotus.surroundings import PACKAGE
from lotus.tracking.dvc import pull_files

log = logging.getLogger(__name__)

STAGES = (("metrics",), ("table", "figure"), ("report",))
"""Kinds of steps right of the predictions; those of one stage do not read each other."""
COMMANDS = ("evaluate", "table", "means", "figure", "exhibit", "claims", "report")
"""Commands that are run again; no other is, whatever a record says."""
OWN = f"{PACKAGE}."
LIBRARIES = ("matplotlib.figure", "pandas", "scipy.stats")
"""Libraries that are loaded once, as the steps' own modules are, before the workers are forked."""

Run = Callable[[Sequence[str]], None]
"""Runs the `lotus` command with arguments."""


@dataclass(frozen=True)
class Redrawn:
    """The files that were drawn again.

    Attributes:
        same: outputs with the bytes that were recorded.
        other: outputs with other ones.

    """

    same: Sequence[str]
    other: Sequence[str]

    def lines(self) -> list[str]:
        """Returns a line for each difference, then the counts."""
        return [
            *(f"{path}: has other bytes than recorded" for path in self.other),
            f"{len(self.same) + len(self.other)} files drawn again, {len(self.same)} of them byte for "
            "byte as recorded",
        ]


def redraw(run: Run) -> Redrawn:
    """Pulls predictions, and makes metrics that do not verify, all tables, figures, claims and the page.

    Predictions that lie here are taken as they are, whatever DVC has in their place.

    Args:
        run: the command line, which lies above this module.

    Raises:
        LotusError: there is nothing to draw from, a record is not as its step wrote it, DVC cannot give
            the predictions, or a step failed.

    """
    records = _records()
    with _forks(1) as beside:
        pulled = beside.submit(pull_files, layout.PREDICTIONS)
        # Takes as long, and needs none of these files.
        _load(records)
        log.info("%d files of predictions pulled", pulled.result())
    same: list[str] = []
    other: list[str] = []
    for kinds in STAGES:
        chosen = [record for record in records if record.kind in kinds]
        if kinds == ("metrics",):
            chosen = _unverified(chosen)
        log.info("%d steps: %s", len(chosen), ", ".join(kinds))
        for path, is_same in _run_again(chosen, run):
            (same if is_same else other).append(path)
    return Redrawn(same, other)


def _records() -> list[Record]:
    """Returns the records of the steps of `STAGES`; those of runs, beside predictions, are not read."""
    found = read_index(path for path in record_files() if path.is_relative_to(layout.RECORDS))
    kinds = [*chain.from_iterable(STAGES)]
    for record in found.records.values():
        if problem := record.problem or (
            _why_not_again(record, found) if record.kind in kinds else ""
        ):
            raise LotusError(
                f"{shown(record.path)}: {problem}; get it back from git (`lotus audit` says what else "
                "is not as it was made)"
            )
    records = [record for record in found.records.values() if record.kind in kinds]
    if not any(record.kind == "metrics" for record in records):
        raise LotusError("no results are recorded here; a clone of shared results has them")
    return records


def _why_not_again(record: Record, found: Index) -> str:
    """Returns why a record's command must not be run again, as one that draws nothing; else ''."""
    try:
        (command, *_) = _arguments(record) or [""]
    except ValueError as error:
        return f"its command cannot be read: {error}"
    if command not in COMMANDS:
        return f"its command '{shown(command)}' draws nothing"
    strange = [name for name in record.content["code"]["entry"] if not name.startswith(OWN)]
    if strange:
        return f"its step is in {strange[0]}, which is not part of this package"
    other = [path for path in record.outputs if found.producers.get(path) is not record]
    return f"it states {shown(other[0])}, which another record states" if other else ""


def _unverified(metrics: Sequence[Record]) -> list[Record]:
    """Returns metrics that are absent, not as recorded, or made by other code or of other predictions."""
    stated = [{**record.inputs, **record.outputs} for record in metrics]
    now = digests(path for files in stated for path in files)
    present_code = cache(code_digest)
    return [
        record
        for record, files in zip(metrics, stated, strict=True)
        if any(now[path].sha256 != digest for path, digest in files.items())
        or present_code(*record.content["code"]["entry"]) != record.content["code"]["step"]
    ]


def _run_again(records: Sequence[Record], run: Run) -> Iterable[tuple[str, bool]]:
    """Does steps at the same time; yields each output and whether it is as recorded."""
    # A command can leave several records.
    commands: dict[str, list[Record]] = {}
    for record in records:
        commands.setdefault(record.content["command"], []).append(record)
    # What reads most takes longest: at the end it would keep one process alone at work.
    ordered = sorted(commands.values(), key=lambda of: -sum(len(it.inputs) for it in of))
    with _forks(os.cpu_count()) as pool:
        jobs = [pool.submit(_run_one_again, of_command, run) for of_command in ordered]
        for job in jobs:
            yield from job.result()


def _forks(count: int | None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=get_context("fork"))


def _load(records: Sequence[Record]) -> None:
    """Loads what the steps need, and reads their code for the records to come."""
    for library in LIBRARIES:
        import_module(library)
    for entry in {tuple(record.content["code"]["entry"]) for record in records}:
        for module in entry:
            try:
                import_module(module)
            except ImportError as error:
                raise LotusError(
                    f"{module}, by which results were drawn, cannot be loaded: {error}"
                ) from error
        code_digest(*entry)
    # A collector that visits what is loaded would write to it, and each worker would get its own copy.
    gc.freeze()


def _run_one_again(records: Sequence[Record], run: Run) -> list[tuple[str, bool]]:
    """Runs the command of some records again; those stay whose outputs have the same bytes."""
    before = [Path(record.path).read_bytes() for record in records]
    run(_arguments(records[0]))
    # A command of its own needs no collector; a process that does many would keep all their figures.
    gc.collect()
    pairs: list[tuple[str, bool]] = []
    for record, text in zip(records, before, strict=True):
        now = find_record(Path(record.path)).outputs
        of_record = [(path, now.get(path) == digest) for path, digest in record.outputs.items()]
        if all(is_same for _, is_same in of_record):
            Path(record.path).write_bytes(text)
        pairs += of_record
    return pairs


def _arguments(record: Record) -> list[str]:
    """Returns the arguments that the step was called with, without its log."""
    _, *arguments = shlex.split(record.content["command"]) or [""]
    if arguments[:1] == ["--log"]:
        del arguments[:2]
    return arguments
