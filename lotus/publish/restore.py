"""Restoring: steps whose shared results verify are taken over, and only the rest is run again.

After a clone, a pull or a change of branch modification times say nothing. So the audit decides which steps
stand; Snakemake is told that these are done (`--touch`) and that the others have to run.
"""

import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lotus import layout
from lotus.audit.audit import CHANGED, MISSING, STALE, VERIFIED, Artifact, audit
from lotus.errors import LotusError
from lotus.names import shown
from lotus.plan.declared import Declared, present
from lotus.plan.step import ExpectedRecord
from lotus.plan.steps import expected_records
from lotus.plugin_files import folders_of
from lotus.records.index import Index, read_index
from lotus.records.places import refuse_links_out
from lotus.tracking.dvc import dvc, has_remote
from lotus.tracking.tracked_files import dvc_entries, entry_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RestorePlan:
    """Steps of an experiment that stand, and those that have to run, with the reasons.

    Attributes:
        sound: records of steps whose files verify, as do those of all steps before them.
        wrong: record of a step → why its own files do not verify.
        after: record of a step → that of the first step before it that does not stand.
        again: files that Snakemake has to make again, whatever it thinks of them.
        remarks: on files that no step makes, and so are not brought back: raw files that are others now.

    """

    sound: Sequence[ExpectedRecord]
    wrong: Mapping[str, str]
    after: Mapping[str, str]
    again: Sequence[str]
    remarks: Sequence[str]

    def lines(self) -> list[str]:
        """Returns lines: the counts, then each step that has to run, and why."""
        follows = (f"{record}: builds on {before}" for record, before in self.after.items())
        found = [*(f"{record}: {reason}" for record, reason in self.wrong.items()), *follows]
        head = f"{len(self.sound)} steps are up to date; {len(found)} have to run"
        return [head, *map(shown, [*found, *self.remarks])]


def restore(
    configfiles: Sequence[Path], cores: str, recompute: bool, only_list: bool
) -> RestorePlan:
    """Gets back what DVC holds, has Snakemake take over what stands, and runs the rest.

    Args:
        configfiles: see `present`.
        cores: as Snakemake takes them.
        recompute: whether to compute what DVC should hold and cannot give.
        only_list: whether to change nothing.

    Raises:
        LotusError: this is no project, DVC cannot give what it should hold, or Snakemake failed.

    """
    if not only_list:
        # DVC and Snakemake would write through them.
        refuse_links_out(layout.RESULTS, layout.STORES)
    now = present(configfiles)
    wanted, index = expected_records(now.plan), read_index()
    if not index.records:
        raise LotusError(
            "no results are recorded here, so there are none to restore; `snakemake --cores all` makes them"
        )
    folders = folders_of(now.plan.settings.own_code)
    # Also what an earlier audit read: what it remembers decides what is not computed.
    artifacts = audit(index, wanted, full=True, plugin_folders=folders).artifacts
    if not only_list and _fetch(artifacts, recompute):
        artifacts = audit(index, wanted, plugin_folders=folders).artifacts
    found = plan_restore(index, artifacts, wanted)
    if not only_list:
        for line in found.lines():
            log.info("%s", line)
        _take_over(now, found, index, cores)
        _run_rest(now, found, cores)
    return found


def _fetch(artifacts: Sequence[Artifact], recompute: bool) -> bool:
    """Has DVC give files that are missing or changed and that it tracks; returns whether there were any."""
    entries = dvc_entries()
    lost = [
        artifact.path
        for artifact in artifacts
        if artifact.status in (MISSING, CHANGED) and entry_of(artifact.path, entries)
    ]
    if not lost:
        return False
    log.info("%d files are gone or damaged: asking DVC for them", len(lost))
    way = "pull" if has_remote() else "checkout"
    try:
        dvc(way, "--quiet", "--force", *lost)
    except LotusError as error:
        if not recompute:
            raise LotusError(
                f"{error}\n{len(lost)} files, {lost[0]} the first, should be in DVC, but DVC does not "
                "give them; to compute them again: lotus restore --recompute"
            ) from error
        log.warning("%s", error)
    return True


def plan_restore(
    index: Index, artifacts: Sequence[Artifact], wanted: Sequence[ExpectedRecord]
) -> RestorePlan:
    """Judges the steps of an experiment by an audit of their files.

    Raises:
        LotusError: records say that they were made of each other.

    """
    states = {artifact.path: artifact for artifact in artifacts}
    before = {step.path: _before(step, index) for step in wanted}
    by_record = {step.path: step for step in wanted}
    sound: list[ExpectedRecord] = []
    wrong: dict[str, str] = {}
    after: dict[str, str] = {}
    again: list[str] = []
    for record in _in_order(before):
        if record not in by_record:
            continue
        step = by_record[record]
        bad = [states[path] for path in step.files if path in states]
        bad = [artifact for artifact in bad if artifact.status != VERIFIED]
        fallen = next((other for other in before[record] if other in wrong or other in after), None)
        if bad:
            wrong[record] = _reason(bad)
            # A stale store is verified anew, not built: its record is what a step of its own writes.
            again += [record if it.status == STALE else it.path for it in bad]
        elif fallen is not None:
            after[record] = after.get(fallen, fallen)
        else:
            sound.append(step)
    made = {path for step in wanted for path in step.files}
    remarks = [
        f"{it.path}: {it.status} ({it.reason}); no step makes it, so that it stays as it is"
        for it in artifacts
        if it.status == CHANGED and it.path not in made
    ]
    return RestorePlan(sound, wrong, after, list(dict.fromkeys(again)), remarks)


def _in_order(before: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns the records, each behind those that it builds on."""
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError as error:
        circle = " → ".join(shown(record) for record in error.args[1])
        raise LotusError(
            f"{circle}: these records say that they were made of each other (`lotus audit`)"
        ) from error


def _before(step: ExpectedRecord, index: Index) -> list[str]:
    """Returns the records of steps that a step builds on: as it did, and as it would now."""
    record = index.records.get(step.path)
    did = record.inputs if record is not None and not record.problem else {}
    read = [*(step.inputs or ()), *did]
    places = ((path, layout.record_of(Path(path))) for path in read)
    found = (
        str(place) if place is not None else path
        for path, place in places
        if place is not None or layout.is_record(Path(path))
    )
    return list(dict.fromkeys(found))


def _reason(bad: Sequence[Artifact]) -> str:
    """Returns a reason that says more than that something is missing, if there is one."""
    first = next((artifact for artifact in bad if artifact.status != MISSING), bad[0])
    return f"{first.status} ({first.reason})"


def _take_over(now: Declared, found: RestorePlan, index: Index, cores: str) -> None:
    """Gives the files of sound steps modification times in their order, and Snakemake its metadata."""
    before = {path for step in found.sound for path in _before(step, index)}
    last = [step for step in found.sound if step.path not in before]
    if last:
        targets = [(step.outputs or (step.path,))[0] for step in last]
        # A line for each file, of which nothing has to be known unless it fails.
        _snakemake(now, cores, ["--touch", "--forceall"], targets, capture_output=True)


def _run_rest(now: Declared, found: RestorePlan, cores: str) -> None:
    if found.wrong:
        _snakemake(now, cores, ["--forcerun", *found.again], ["all"])


def _snakemake(
    now: Declared,
    cores: str,
    options: Sequence[str],
    targets: Sequence[str],
    capture_output: bool = False,
) -> None:
    command = ["snakemake", "--cores", cores, *now.options(), *options, "--", *targets]
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command],
        check=False,
        text=True,
        capture_output=capture_output,
    )
    if done.returncode:
        raise LotusError(f"snakemake failed: {done.stderr or 'what it said stands above'}")
