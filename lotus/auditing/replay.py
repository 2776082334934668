"""Drawing everything again from predictions: the recorded commands of tables, figures, claims and page.

No model is loaded and no torch. Where a command gives the bytes that its record states, the record stays
as it was, with the time and machine of then.
"""

import logging
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from lotus import layout
from lotus.auditing.audit import VERIFIED, audit
from lotus.auditing.dvc import dvc
from lotus.auditing.index import Index, Record, read, read_index
from lotus.errors import LotusError

log = logging.getLogger(__name__)

STAGES = (("metrics",), ("table", "figure"), ("report",))
"""Kinds of steps right of the predictions; those of one stage do not read each other."""
PLOTTING = ("matplotlib.figure", "pandas", "scipy.stats", "lotus.paper.figures")
"""Loaded once, before the processes are forked that do the work."""

Run = Callable[[Sequence[str]], None]
"""Does what the arguments of the `lotus` command say."""


@dataclass(frozen=True)
class Redrawn:
    """What came of it.

    Attributes:
        same: outputs with the bytes that were recorded.
        other: outputs with other ones.

    """

    same: Sequence[str]
    other: Sequence[str]

    def lines(self) -> list[str]:
        """In words, the differences first."""
        return [
            *(f"{path}: other bytes than recorded" for path in self.other),
            f"{len(self.same) + len(self.other)} files drawn again, {len(self.same)} of them byte for "
            "byte as recorded",
        ]


def redraw(run: Run) -> Redrawn:
    """Pulls predictions, and makes metrics that do not verify, all tables, figures, claims and the page.

    Args:
        run: the command line, which lies above this module.

    Raises:
        LotusError: there is nothing to draw from, DVC cannot give the predictions, or a step failed.

    """
    if layout.PREDICTIONS.is_file():
        way = "pull" if dvc("remote", "list").strip() else "checkout"
        dvc(way, "--quiet", layout.PREDICTIONS.as_posix())
    index = read_index()
    if not any(record.kind == "metrics" for record in index.records.values()):
        raise LotusError("no results are recorded here; a clone of published results has them")
    same: list[str] = []
    other: list[str] = []
    for kinds in STAGES:
        chosen = [record for record in index.records.values() if record.kind in kinds]
        if kinds == ("metrics",):
            chosen = _unverified(index, chosen)
        for path, is_same in _all(chosen, run):
            (same if is_same else other).append(path)
    return Redrawn(same, other)


def _unverified(index: Index, metrics: Iterable[Record]) -> list[Record]:
    """Metrics that are absent, or made by other code or of other predictions than those here."""
    chosen = list(metrics)
    found = audit(Index({record.path: record for record in chosen}), ())
    sound = {artifact.path for artifact in found.artifacts if artifact.status == VERIFIED}
    return [record for record in chosen if not sound.issuperset(record.outputs)]


def _all(records: Sequence[Record], run: Run) -> list[tuple[str, bool]]:
    """(output, whether it is as recorded) of steps that are done at once."""
    if not records:
        return []
    for module in PLOTTING:
        __import__(module)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        jobs = [pool.submit(_again, record, run) for record in records]
        return [pair for job in jobs for pair in job.result()]


def _again(record: Record, run: Run) -> list[tuple[str, bool]]:
    """Does one step again; its record stays if it gave the same bytes."""
    before = Path(record.path).read_bytes()
    run(_arguments(record))
    now = read(Path(record.path))
    pairs = [(path, now.outputs.get(path) == digest) for path, digest in record.outputs.items()]
    if all(is_same for _, is_same in pairs):
        Path(record.path).write_bytes(before)
    return pairs


def _arguments(record: Record) -> list[str]:
    """What the step was called with, without its log."""
    _, *arguments = shlex.split(record.content["command"])
    if arguments[0] == "--log":
        del arguments[:2]
    return arguments
