"""Drawing everything again from predictions: metrics, tables, figures, claims and page.

Each command is that of the step today (`lotus.publish.recorded_steps`), never the one that a record
states. No model is loaded and no torch. Where a command gives the bytes that its record states, the record
stays as it was, with the time and machine of then.
"""

import gc
import logging
import os
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
from lotus.plan.drawing import arguments
from lotus.publish.last_commit import AgainstCommit, against_last_commit
from lotus.publish.recorded_steps import RecordedStep, recorded_steps
from lotus.records.code_identity import code_digest
from lotus.records.digests import digests
from lotus.records.index import read_index
from lotus.records.ledger import record_files
from lotus.records.left_out import left_out
from lotus.records.places import refuse_links_out
from lotus.records.reading import Record, find_record
from lotus.tracking.dvc import pull_files
from lotus.wording import counted

log = logging.getLogger(__name__)

STAGES = (("metrics", "attacks", "shadow-attacks"), ("table", "figure"), ("report",))
"""Kinds of steps right of the predictions; those of one stage do not read each other."""
CHECKOUT = Path(__file__).parents[2]
"""The checkout whose code runs."""
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
        kept: number of metrics files that were not computed again, since their records verify.
        of_other_code: number of those that other code made, and whose predictions this copy leaves out.
        committed: all of these files against what the last commit records.

    """

    same: Sequence[str]
    other: Sequence[str]
    kept: int
    of_other_code: int
    committed: AgainstCommit

    @property
    def ok(self) -> bool:
        """Whether every file is as its record has it, and as the last commit has."""
        return not self.other and not self.committed.other

    def lines(self) -> list[str]:
        """Returns a line for each difference, then the counts."""
        return [
            *(f"{path}: has other bytes than recorded" for path in self.other),
            f"{len(self.same) + len(self.other)} files drawn again, {len(self.same)} of them byte for "
            "byte as recorded",
            *self._not_computed(),
            *self.committed.lines(),
        ]

    def _not_computed(self) -> list[str]:
        """Returns a line on metrics that were taken as they are, if there are any."""
        if not self.kept:
            return []
        what = f"{counted(self.kept, 'metrics file')} not computed again: as recorded already"
        of_other = (
            f", {self.of_other_code} by other code than the present, without its predictions here"
        )
        return [what + (of_other if self.of_other_code else "")]


def redraw(run: Run) -> Redrawn:
    """Pulls predictions, and makes metrics that do not verify, all tables, figures, claims and the page.

    Predictions that lie here are taken as they are, whatever DVC has in their place.

    Args:
        run: the command line, which lies above this module.

    Raises:
        LotusError: there is nothing to draw from, a record is not as its step wrote it or leads out of the
            project, the page's template is not that of the code that runs, DVC cannot give the predictions,
            or a step failed.

    """
    # Before anything is written: it would be written through them.
    refuse_links_out(layout.RESULTS, layout.TEMPLATE.parents[1])
    records = _records()
    drawn = [*chain.from_iterable(STAGES)]
    steps = recorded_steps([record for record in records if record.kind in drawn])
    if any(of.step.kind == "write_report" for of in steps):
        _refuse_other_template()
    with _forks(1) as beside:
        pulled = beside.submit(pull_files, layout.PREDICTIONS)
        # Takes as long, and needs none of these files.
        _load(steps)
        log.info("%d files of predictions pulled", pulled.result())
    same: list[str] = []
    other: list[str] = []
    kept = of_other_code = 0
    for kinds in STAGES:
        chosen = [of for of in steps if of.records[0].kind in kinds]
        if kinds == STAGES[0]:
            every, (chosen, of_other_code) = len(chosen), _unverified(chosen)
            kept = every - len(chosen)
        log.info("%d steps: %s", len(chosen), ", ".join(kinds))
        for path, is_same in _run_again(chosen, run):
            (same if is_same else other).append(path)
    drawn_again = (record.path for of in steps for record in of.records)
    return Redrawn(same, other, kept, of_other_code, against_last_commit(drawn_again))


def _records() -> list[Record]:
    """Returns the records but those of runs, which lie beside predictions and are not read."""
    found = read_index(path for path in record_files() if path.is_relative_to(layout.RECORDS))
    for record in found.records.values():
        if record.problem:
            raise LotusError(
                f"{shown(record.path)}: {record.problem}; get it back from git (`lotus audit` says "
                "what else is not as it was made)"
            )
    if not any(record.kind == "metrics" for record in found.records.values()):
        raise LotusError("no results are recorded here; a clone of shared results has them")
    return list(found.records.values())


def _refuse_other_template() -> None:
    """Refuses a page's template that is not the one of the code that runs: a template is code as well."""
    folder = layout.TEMPLATE.parent
    here, ours = (_texts(root / folder) for root in (Path(), CHECKOUT))
    for name in sorted({*here, *ours}):
        if here.get(name) != ours.get(name):
            raise LotusError(
                f"{shown(folder / name)}: not that of the code that runs ({shown(CHECKOUT)}), and a "
                "template is code; if you trust the project, run its own: python -m lotus restore --figures"
            )


def _texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}


def _unverified(metrics: Sequence[RecordedStep]) -> tuple[list[RecordedStep], int]:
    """Returns metrics that are absent, not as recorded, or made by other code or of other predictions.

    Metrics whose predictions a small copy leaves out have to stand as they are: the other number is of
    those among them that other code made.
    """
    without = left_out()
    stated = [{**record.inputs, **record.outputs} for of in metrics for record in of.records]
    now = digests((path for files in stated for path in files), full=True)
    present_code = cache(code_digest)
    chosen: list[RecordedStep] = []
    of_other_code = 0
    for of, files in zip(metrics, stated, strict=True):
        absent = {path for path in files if now[path].is_absent and path in without}
        is_other = any(now[path].sha256 != files[path] for path in files.keys() - absent)
        is_of_other_code = present_code(*of.step.modules) != of.records[0].content["code"]["step"]
        if is_other or (is_of_other_code and not absent):
            chosen.append(of)
        elif is_of_other_code:
            of_other_code += 1
    return chosen, of_other_code


def _run_again(steps: Sequence[RecordedStep], run: Run) -> Iterable[tuple[str, bool]]:
    """Does steps at the same time; yields each output and whether it is as recorded."""
    # What reads most takes longest: at the end it would keep one process alone at work.
    ordered = sorted(steps, key=lambda of: -sum(len(it.inputs) for it in of.records))
    with _forks(os.cpu_count()) as pool:
        jobs = [pool.submit(_run_one_again, of, run) for of in ordered]
        for job in jobs:
            yield from job.result()


def _forks(count: int | None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=get_context("fork"))


def _load(steps: Sequence[RecordedStep]) -> None:
    """Loads what the steps need, and reads their code for the records to come."""
    for library in LIBRARIES:
        import_module(library)
    for modules in {of.step.modules for of in steps}:
        for module in modules:
            import_module(module)
        code_digest(*modules)
    # A collector that visits what is loaded would write to it, and each worker would get its own copy.
    gc.freeze()


def _run_one_again(of: RecordedStep, run: Run) -> list[tuple[str, bool]]:
    """Does a step again; those of its records stay whose outputs have the same bytes."""
    before = [Path(record.path).read_bytes() for record in of.records]
    # An attestation that was made since belongs to the page that the workflow makes next.
    is_page = of.step.kind == "write_report"
    shown = ["--shown-by", of.records[0].path] if is_page else []
    run([*arguments(of.step), *shown])
    # A command of its own needs no collector; a process that does many would keep all their figures.
    gc.collect()
    pairs: list[tuple[str, bool]] = []
    for record, text in zip(of.records, before, strict=True):
        now = find_record(Path(record.path)).outputs
        of_record = [(path, now.get(path) == digest) for path, digest in record.outputs.items()]
        if all(is_same for _, is_same in of_record):
            Path(record.path).write_bytes(text)
        pairs += of_record
    return pairs
