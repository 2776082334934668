"""Stores whose bytes are not the recorded ones any more: built again, and what was made of them undone.

A deleted store alone would not do: Snakemake plans nothing for a file that is missing as long as all that
rests on it is there. So the store is built again before anything is planned, and takes its place, byte for
byte and with its old times, only if it is what its record states.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.data import content
from lotus.data.store import dvc_digest, is_given, open_store, read_names
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.names import shown
from lotus.plan import made_since
from lotus.plan.project_folder import DRY_RUN
from lotus.plan.step import Step, flat
from lotus.plan.steps import Steps
from lotus.private_folder import PRIVATE
from lotus.records.digests import Seen, digests
from lotus.records.files import sha256, write_json
from lotus.records.index import read_index
from lotus.records.reading import Record, find_record
from lotus.wording import counted, first_of

SEEN = PRIVATE / "stores.json"
"""Digests of files that are untouched since they were read."""
SOUND = PRIVATE / "sound-stores.json"
"""Data set → when its store was last read as a whole and found to be sound."""


@dataclass(frozen=True)
class RecordedStore:
    """A store and what its record states.

    Attributes:
        step: that verified it.

    """

    step: Step
    record: Record

    @property
    def dataset(self) -> str:
        """Its name in the configuration."""
        return self.step.subject["dataset"]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return layout.STORES / self.dataset

    def other_files(self, full: bool) -> tuple[list[Path], bool]:
        """Returns the files that are not as recorded, and whether all were read as a whole.

        Args:
            full: whether to read those, too, that nobody has touched since they were read.

        """
        found = digests(self.record.outputs, cache=SEEN, full=full)
        read = {path: seen for path, seen in found.items() if not _is_out_of_sight(seen)}
        stated = self.record.outputs
        others = [Path(path) for path, seen in read.items() if seen.sha256 != stated[path]]
        return others, len(read) == len(found) and not any(it.is_remembered for it in read.values())

    @property
    def is_absent(self) -> bool:
        """Whether nothing is there of it, which need not be wrong: results can be looked at without."""
        return not any(os.path.lexists(path) for path in self.record.outputs)

    @property
    def last_sound(self) -> datetime:
        """The last moment at which it is known to have been sound."""
        verified = made_since.ended(self.record)
        noted = _noted().get(self.dataset, "")
        return max(verified, datetime.fromisoformat(noted)) if noted else verified

    def stated(self, files: Sequence[Path]) -> str:
        """Says which files are not as recorded."""
        names = first_of([path.name for path in files], 3)
        verb = "is" if len(files) == 1 else "are"
        return f"{self.folder}: {names} {verb} not what {self.record.path} states"


def recorded_stores(steps: Steps) -> Iterator[RecordedStore]:
    """Yields the stores of this experiment that are to stay as their records have them.

    Others are about to be built anew: their options, their raw files or the lock on them changed.
    """
    for step in _verifying(steps):
        record, raw = find_record(Path(str(step.outputs["record"]))), Path(str(step.inputs["raw"]))
        if record.problem or step.told["other"]:
            continue
        if record.settings != step.records[0].settings:
            continue
        if raw.is_file() and record.inputs.get(raw.as_posix()) != sha256(raw):
            continue
        yield RecordedStore(step, record)


def _verifying(steps: Steps) -> list[Step]:
    return [step for step in steps.of_kind("verify_store").values() if step.by_default]


def mend(steps: Steps, build: Sequence[str], arguments: Sequence[str], is_alone: bool) -> list[str]:
    """Builds damaged stores again and puts aside what was made of them; returns in words what was done.

    What is damaged, and what was made since, stays in a folder below `.lotus`.

    Args:
        build: the command `lotus`.
        arguments: of Snakemake's process; in a dry run it is only said what would be done.
        is_alone: whether no other workflow, nor a job of one, is at work in the project.

    Raises:
        LotusError: a store is damaged and cannot be built again as it was; nothing has changed then.

    """
    if "--unlock" in arguments:
        return []
    may_write, said = DRY_RUN.isdisjoint(arguments), []
    for store in recorded_stores(steps):
        began = datetime.now(UTC)
        if store.is_absent:
            continue
        others, is_whole = store.other_files(full=False)
        if others and not may_write:
            said.append(
                f"{store.stated(others)}; a run builds it again, and makes anew what was made of it since"
            )
        elif others:
            said += _mended(store, others, build, is_alone)
        elif is_whole and may_write:
            _note(store.dataset, began)
    if may_write and is_alone:
        said += _unrecorded(steps)
    return said


def used_by(jobs: Iterable[Any]) -> set[str]:
    """Returns the data sets whose stores jobs of Snakemake use: they read the records of these."""
    read = {Path(path) for job in jobs for path in job.input}
    names = {path.parent.name for path in read}
    return {name for name in names if layout.store_record(name) in read}


def build_absent(steps: Steps, build: Sequence[str], planned: Iterable[Any]) -> None:
    """Builds stores again that are gone though jobs need them, and that Snakemake does not plan.

    Args:
        planned: jobs of Snakemake.

    Raises:
        LotusError: one cannot be built again as it was.

    """
    jobs = [*planned]
    built = {job.wildcards.dataset for job in jobs if job.rule.name == "build_store"}
    needed = used_by(jobs) - built
    for store in recorded_stores(steps) if needed else ():
        if store.dataset in needed and store.is_absent:
            what = f"{store.folder}: is gone, and there are jobs that need it"
            with _built_again(store, build, what) as draft:
                _refuse_another(store, draft, what)
                store.folder.mkdir(parents=True, exist_ok=True)
                _take_over(store, draft, [*map(Path, store.record.outputs)])


def damaged_meanwhile(steps: Steps, used: Set[str], full: bool) -> list[str]:
    """Looks at stores once more after use, and returns in words which are damaged.

    Args:
        used: data sets of the jobs that were run.
        full: whether to read all of them, and not only what was touched.

    """
    said = []
    for store in recorded_stores(steps):
        if store.dataset in used and not store.is_absent:
            began = datetime.now(UTC)
            others, is_whole = store.other_files(full)
            if others:
                said.append(
                    f"{store.stated(others)}: it was changed or damaged while jobs ran; the same command "
                    "builds it again, and makes anew what was made of it meanwhile"
                )
            elif is_whole:
                _note(store.dataset, began)
    return said


def _mended(
    store: RecordedStore, others: Sequence[Path], build: Sequence[str], is_alone: bool
) -> list[str]:
    """Builds a damaged store again; returns in words what was done."""
    what = store.stated(others)
    if not is_alone:
        raise LotusError(
            f"{what}; another workflow, or a job of one, is at work here: once it has ended, the same "
            "command builds the store again"
        )
    with _built_again(store, build, what) as draft:
        if all(_digest(draft / path.name) == _digest(path) for path in others):
            # No damage: its code changed, and Snakemake has yet to verify what it built by it.
            return []
        _refuse_another(store, draft, what)
        folder = made_since.new_folder()
        since = made_since.made_since(read_index(), store.dataset, store.last_sound)
        # First what rests on others, and the store last: who is killed before finds all that is left again.
        made_since.put_aside(made_since.begun_since(store.dataset, store.last_sound), folder)
        for record in reversed(since):
            made_since.put_aside(map(Path, (record.path, *record.outputs)), folder)
        for path in others:
            made_since.keep_copy(path, folder)
        _take_over(store, draft, others)
    _note(store.dataset, datetime.now(UTC))
    undone = f", and of what was made since it was seen sound {counted(len(since), 'step')}"
    return [f"{what}: it is built again; {folder} has what was damaged{undone if since else ''}"]


def _refuse_another(store: RecordedStore, draft: Path, what: str) -> None:
    """Refuses to put another store in place of the recorded one.

    Raises:
        LotusError: what was built has other bytes.

    """
    for path, digest in store.record.outputs.items():
        if _digest(draft / Path(path).name) != digest:
            raise LotusError(
                f"{what}, nor what its raw files give now{_other_images(store, draft)}: put back what was "
                f"there; or, if it is to be another one, delete {store.folder} and {store.record.path} and "
                f"run `snakemake` once with --forcerun {store.step.inputs['raw']}"
            )


def _other_images(store: RecordedStore, draft: Path) -> str:
    """Names images that have other bytes than those which the store was built of; '' if it has no names."""
    try:
        was, now = (read_names(open_store(folder)) for folder in (store.folder, draft))
    except LotusError:
        return ""
    if was is None or now is None:
        return ""
    known = dict(zip(was.names, was.sha256, strict=True))
    pairs = dict(zip(now.names, now.sha256, strict=True))
    others = [name for name, digest in pairs.items() if known.get(name) != digest]
    return f" ({first_of(others, 3)} changed)" if others else ""


@contextmanager
def _built_again(store: RecordedStore, build: Sequence[str], what: str) -> Iterator[Path]:
    """Gives a store that was built beside the one that is not as recorded.

    Raises:
        LotusError: it is another's, its raw files are not at hand, or a file cannot be written.

    """
    if is_given(store.folder) or store.folder.is_symlink():
        raise LotusError(
            f"{what}; it is shared and not built here: have it put back; or, if it is meant to be another "
            f"one, delete {store.record.path} and run `snakemake` once with --forcerun verify_store"
        )
    raw, told = Path(str(store.step.inputs["raw"])), store.step.told
    draft = layout.STORES / f".again-{store.dataset}"
    command = [*build, "--log", str(layout.log_of("build_store_again", store.dataset)), "store"]
    command += [store.dataset, "--options", told["options"], "--raw", str(raw)]
    command += ["--locked", told["locked"], "--out", str(draft)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            why = done.stderr.strip().rpartition("\n")[2].removeprefix("Error: ")
            raise LotusError(f"{what}, and it cannot be built again: {why}")
        yield draft
    except OSError as error:
        # A disk that is full, mostly.
        place = f"{shown(str(error.filename))}: " if error.filename else ""
        raise LotusError(
            f"{what}, and it cannot be built again: {place}{error.strerror or error}"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _take_over(store: RecordedStore, draft: Path, files: Iterable[Path]) -> None:
    """Moves files of a draft into the store, each in one step, as old as the record.

    New ones would have Snakemake verify them, and make all that rests on the record anew.
    """
    verified = os.stat(store.record.path).st_mtime_ns
    for path in files:
        os.utime(draft / path.name, ns=(verified, verified))
        os.replace(draft / path.name, path)


def _unrecorded(steps: Steps) -> list[str]:
    """Puts damaged stores aside that no job has verified yet, so that Snakemake builds them."""
    said = []
    for step in _verifying(steps):
        folder = layout.STORES / step.subject["dataset"]
        files = [path for path in map(Path, flat(step.inputs)) if path.parent == folder]
        if os.path.lexists(str(step.outputs["record"])) or folder.is_symlink():
            continue
        if not all(path.is_file() for path in files) or is_given(folder):
            continue
        if problem := _unsound(folder, step):
            aside = made_since.new_folder()
            made_since.put_aside([folder], aside)
            said.append(f"{folder}: {problem}: it is built anew; what was damaged lies in {aside}")
    return said


def _unsound(folder: Path, step: Step) -> str:
    """Returns what is wrong with a store that has no record; '' if nothing is."""
    try:
        store = open_store(folder)
        read_names(store)
    except LotusError:
        return "is damaged"
    if (locked := step.told["locked"]) != "any":
        return "" if dvc_digest(folder) == locked else f"is not the one that {layout.LOCK} locks"
    # With a limit the digest is that of the whole data set.
    is_whole = json.loads(step.told["options"]).get("limit") is None
    if is_whole and content.digest(store.images, store.labels) != store.source["content"]:
        return "has other images or labels than it was built with"
    return ""


def _is_out_of_sight(seen: Seen) -> bool:
    """Whether a file could not be looked at: nothing is known of it then."""
    return bool(seen.problem) and not seen.is_absent


def _digest(path: Path) -> str:
    return sha256(path) if path.is_file() else ""


def _noted() -> Mapping[str, str]:
    """Returns data set → when its store was last seen sound, as far as that was noted."""
    try:
        found = parse_json(read_file(SOUND))
        return {
            name: str(datetime.fromisoformat(moment).astimezone()) for name, moment in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _note(dataset: str, moment: datetime) -> None:
    write_json(SOUND, {**_noted(), dataset: moment.isoformat()})
