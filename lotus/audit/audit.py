"""The audit: every artifact of a project is verified, stale, changed, missing or an orphan, and why.

What is *changed* is a disagreement between bytes and the record that states them; what is *stale* is one
between a record and the present code, parameters or inputs. Both are decided by digests alone:
modification times may lie.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lotus import layout
from lotus.audit import collapses, contained, mixtures, restated, splits_again
from lotus.audit.attested import AttestationFindings, attested
from lotus.audit.changes import code_changes, differences
from lotus.audit.committed import remarks_on_code, remarks_on_results
from lotus.audit.open_stores import store_opener
from lotus.audit.said_by_models import PredictionsFiles
from lotus.audit.unrecorded_files import RawFileOfStore, raw_files, remarks_on_folders, strays
from lotus.plan.step import ExpectedRecord
from lotus.records.digests import ABSENT, Seen, digests
from lotus.records.index import Index
from lotus.records.left_out import left_out
from lotus.records.places import HOW_TO_ALLOW, is_named_outside, leads_out, on_this_machine
from lotus.records.reading import Record
from lotus.records.seal import FORMAT, identity
from lotus.tracking.tracked_files import uncommitted
from lotus.wording import first_of

VERIFIED, LEFT_OUT, STALE, ORPHAN = "verified", "left out", "stale", "orphan"
MISSING, CHANGED = "missing", "changed"
STATUSES = (VERIFIED, LEFT_OUT, STALE, ORPHAN, MISSING, CHANGED)
"""In the order in which one hides another."""
NOT_COMPARED = f"{layout.LEFT_OUT} leaves it out of this copy; its bytes are compared with nothing"
SAID = 3
"""Reasons that are given of many: one damage can show in many places."""


@dataclass(frozen=True)
class Artifact:
    """One file of a project, and what the audit says of it.

    Attributes:
        path: relative to the project.
        status: one of `STATUSES`.
        reason: why, in words; '' of what is verified.

    """

    path: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Audit:
    """All artifacts in the order of their paths, and remarks that are no fault of an artifact.

    Attributes:
        held_against: names the configuration that said what is wanted, and why it was this one; '' of an
            audit that was given its steps.
        remembered: number of files that were not read again, since an earlier audit had.

    """

    artifacts: Sequence[Artifact]
    notes: Sequence[str]
    held_against: str = ""
    remembered: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything that is here, or should be, is verified."""
        return all(artifact.status in (VERIFIED, LEFT_OUT) for artifact in self.artifacts)

    def by_status(self, status: str) -> list[Artifact]:
        """Artifacts of one status."""
        return [artifact for artifact in self.artifacts if artifact.status == status]


def audit(
    index: Index,
    expected_records: Iterable[ExpectedRecord],
    full: bool = False,
    plugin_folders: tuple[Path, ...] = (),
) -> Audit:
    """Audits the artifacts in the present folder.

    Args:
        index: its records.
        expected_records: what the present configuration expects; records of other experiments are
            only compared with their own inputs and the present code.
        full: see `digests`.
        plugin_folders: see `code_changes`.

    """
    expected = {record.path: record for record in expected_records}
    raw = raw_files()
    seen = digests(_all_paths(index, expected.values(), raw), full=full)
    found = _Findings()
    told = _Records(index, seen, found, plugin_folders, left_out())
    for record in index.records.values():
        told.judge(record, expected.get(record.path))
    _not_made(index, expected.values(), seen, found)
    _raw(raw, seen, found)
    beside = attested(index, seen)
    _attested(beside, found)
    known = {*index.producers, *index.records, *beside.sound, *(file.path for file in raw)}
    known.add(str(layout.LEFT_OUT))
    for path in strays(known):
        found.add(path, ORPHAN, _why_stray(path, index))
    sound = frozenset(path for path in found.paths if not found.of(path))
    opened, files = store_opener(sound), PredictionsFiles()
    of_splits = splits_again.compute_again(index, sound, opened, full)
    for path, reason in (
        *contained.problems(index, sound, opened, files, full),
        *of_splits.changed,
        *splits_again.noted_otherwise(index),
        *restated.problems(index, sound, opened, files, full),
    ):
        found.add(path, CHANGED, reason)
    for path, reason in (*of_splits.stale, *mixtures.problems(index)):
        found.add(path, STALE, reason)
    notes = [
        *_of_older_formats(index),
        *_not_read(seen),
        *remarks_on_folders(raw),
        *contained.look_alikes(index, sound),
        *collapses.remarks(index, sound),
        *beside.notes,
        *remarks_on_code(index),
        *uncommitted(),
        *remarks_on_results(),
    ]
    return Audit(found.artifacts(), notes, remembered=sum(it.is_remembered for it in seen.values()))


@dataclass(frozen=True)
class _Findings:
    """Path → what was found at it: status → reasons."""

    paths: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)

    def add(self, path: str, status: str, reason: str) -> None:
        self.paths.setdefault(path, {}).setdefault(status, {})[reason] = None

    def sound(self, path: str) -> None:
        self.paths.setdefault(path, {})

    def of(self, path: str) -> Mapping[str, Mapping[str, None]]:
        return self.paths.get(path, {})

    def artifacts(self) -> list[Artifact]:
        return [_artifact(path, found) for path, found in sorted(self.paths.items())]


def _artifact(path: str, found: Mapping[str, Mapping[str, None]]) -> Artifact:
    """The gravest status with its reasons."""
    status = max(found, key=STATUSES.index, default=VERIFIED)
    reasons = list(found.get(status, ()))
    more = f"; and {len(reasons) - SAID} reasons more" if len(reasons) > SAID else ""
    return Artifact(path, status, "; ".join(reasons[:SAID]) + more)


def _all_paths(
    index: Index, expected: Iterable[ExpectedRecord], raw: Iterable[RawFileOfStore]
) -> Iterator[str]:
    """Files whose bytes are compared with what is stated of them."""
    for record in index.records.values():
        yield from record.outputs
        yield from (path for path in record.inputs if path not in index.records)
    for wanted in expected:
        yield from wanted.outputs
    yield from (file.path for file in raw)


@dataclass(frozen=True)
class _Records:
    """Judges records, and through them their artifacts."""

    index: Index
    seen: Mapping[str, Seen]
    found: _Findings
    plugin_folders: tuple[Path, ...]
    left_out: Set[str]

    @cached_property
    def _code(self) -> Callable[[Record], str]:
        changes = code_changes(self.plugin_folders)

        def told(record: Record) -> str:
            try:
                return changes(record)
            except (ImportError, SyntaxError, ValueError, AttributeError) as error:
                # Modules that a record names, or the present ones, can be anything.
                entry = ", ".join(record.content["code"]["entry"])
                return f"code: {entry} cannot be compared: {error}"

        return told

    def judge(self, record: Record, expected: ExpectedRecord | None) -> None:
        """Adds what is found of a record, of its outputs, and of what it read."""
        self.found.sound(record.path)
        if record.problem:
            self.found.add(record.path, CHANGED, record.problem)
        for output in self._own_outputs(record):
            self._compare(output, record.outputs[output], record)
        if record.problem:
            return
        stale = [
            *filter(None, [self._code(record)]),
            *(differences(record, expected) if expected is not None else ()),
            *self._inputs(record),
            *self._links(record),
        ]
        for path in record.outputs or [record.path]:
            for reason in stale:
                self.found.add(path, STALE, reason)
        if record.path == str(layout.LEDGER):
            self._unlisted(record)

    def _own_outputs(self, record: Record) -> list[str]:
        """Outputs whose record this is; others are stated by somebody who is not asked."""
        own = [path for path in record.outputs if self.index.producers.get(path) is record]
        if len(own) < len(record.outputs) and not record.problem:
            other = next(path for path in record.outputs if path not in own)
            self.found.add(record.path, CHANGED, f"it states {other}, which another record states")
        return own

    def _compare(self, path: str, stated: str, record: Record) -> None:
        self.found.sound(path)
        now = self.seen[path]
        if now.is_absent:
            self._absent(path, f"{record.path} states it")
        elif now.problem:
            self.found.add(path, CHANGED, now.problem)
        elif now.sha256 != stated:
            self.found.add(path, CHANGED, _other_bytes(now.sha256, stated, record.path))

    def _absent(self, path: str, why_wanted: str) -> None:
        if path in self.left_out:
            self.found.add(path, LEFT_OUT, NOT_COMPARED)
        else:
            self.found.add(path, MISSING, why_wanted)

    def _inputs(self, record: Record) -> Iterator[str]:
        """Yields why a step is stale by what it read; an input that was changed is told of by itself."""
        for path, stated in record.inputs.items():
            maker = self.index.records.get(path) or self.index.producers.get(path)
            if maker is None:
                yield from self._unrecorded(path, stated, record)
                continue
            is_record = maker.path == path
            told = maker.sha256 if is_record else maker.outputs[path]
            if told == stated or maker.problem:
                continue
            if maker.started > record.started:
                yield f"{path} was made again since"
            elif is_record:
                self.found.add(path, CHANGED, f"it is not the record that {record.path} read")
            else:
                reason = f"it states other bytes of {path} than {record.path} read"
                self.found.add(maker.path, CHANGED, reason)

    def _unrecorded(self, path: str, stated: str, record: Record) -> Iterator[str]:
        """Inputs that no record states: source files, and what lost its record."""
        now = self.seen.get(path, Seen("", ABSENT))
        is_made = Path(path).is_relative_to(layout.RESULTS) or Path(path).is_relative_to(
            layout.DATA
        )
        if now.is_absent:
            if is_made:
                self._absent(path, f"{record.path} read it")
            elif not is_named_outside(path):
                yield f"{path}, which it read, is absent"
        elif not now.sha256 and is_named_outside(path):
            # Others can name any file of this machine; a remark says that it was not read.
            return
        elif now.sha256 != stated:
            if is_made:
                reason = now.problem or _other_bytes(now.sha256, stated, record.path)
                self.found.add(path, CHANGED, reason)
            else:
                yield f"{path} changed since"
        elif is_made:
            self.found.sound(path)

    def _links(self, record: Record) -> Iterator[str]:
        """The chain: records that this one was built on."""
        for path, stated in record.content["records"].items():
            other = self.index.records.get(path)
            if other is None:
                self.found.add(path, MISSING, f"{record.path} builds on it")
            elif not other.problem and identity(other.content) != stated:
                if other.started > record.started:
                    yield f"{path} was written again since"
                else:
                    reason = f"it is not the record that {record.path} builds on"
                    self.found.add(path, CHANGED, reason)

    def _unlisted(self, ledger: Record) -> None:
        """Records that the ledger does not list: made since, or put there by somebody."""
        for record in self.index.records.values():
            if record is ledger or record.path in ledger.inputs:
                continue
            if record.started > ledger.started:
                self.found.add(ledger.path, STALE, f"{record.path} was made since")
            else:
                self.found.add(
                    record.path, ORPHAN, f"it is older than {ledger.path}, which does not list it"
                )


def _other_bytes(now: str, stated: str, record: str) -> str:
    return f"its sha256 is {now[:12]}…, {record} states {stated[:12]}…"


def _not_made(
    index: Index, expected: Iterable[ExpectedRecord], seen: Mapping[str, Seen], found: _Findings
) -> None:
    """Adds the artifacts that the configuration asks for and no record states."""
    for wanted in expected:
        if wanted.path not in index.records:
            found.add(wanted.path, MISSING, "the configuration wants it")
            for path in wanted.outputs:
                if seen[path].is_absent:
                    found.add(path, MISSING, "the configuration wants it")


def _raw(raw: Iterable[RawFileOfStore], seen: Mapping[str, Seen], found: _Findings) -> None:
    """Source files, as far as they are at hand; those elsewhere are no artifacts of this project."""
    for file in raw:
        now = seen[file.path]
        if CHANGED in found.of(file.listed_by) or os.path.isdir(file.path):
            continue
        if file.is_elsewhere:
            if now.sha256 and now.sha256 != file.sha256:
                found.add(file.listed_by, STALE, f"{file.path} changed since")
        elif now.is_absent:
            if file.is_in_repository:
                found.add(file.path, MISSING, f"{file.listed_by} lists it")
        elif now.problem:
            found.add(file.path, CHANGED, now.problem)
        elif now.sha256 != file.sha256:
            found.add(file.path, CHANGED, _other_bytes(now.sha256, file.sha256, file.listed_by))
        else:
            found.sound(file.path)


def _attested(beside: AttestationFindings, found: _Findings) -> None:
    """Adds attestations, and what they say of results."""
    for path in beside.sound:
        found.sound(path)
    for status, pairs in ((CHANGED, beside.changed), (STALE, beside.stale)):
        for path, reason in pairs:
            found.add(path, status, reason)


def _of_older_formats(index: Index) -> Iterator[str]:
    """A remark for each older format that records have."""
    older = Counter(
        record.content["format"] for record in index.records.values() if record.is_of_older_format
    )
    for number, count in sorted(older.items()):
        yield (
            f"{count} of {len(index.records)} records are of format {number}, written by an older version "
            f"of the package (now: {FORMAT}); they are read, but their code identity cannot be compared "
            "with the present code: audit them with the version that wrote them, or run their steps again"
        )


def _not_read(seen: Mapping[str, Seen]) -> Iterator[str]:
    """A remark on files outside the project that records name: they are there, and were not read."""
    outside = [path for path, now in seen.items() if is_named_outside(path) and leads_out(path)]
    if there := [path for path in outside if os.path.lexists(on_this_machine(path))]:
        yield (
            f"{first_of(there, 1)}: named by records, outside the project, and not read: what lies there "
            f"is compared with nothing ({HOW_TO_ALLOW})"
        )


def _why_stray(path: str, index: Index) -> str:
    """Returns why a file is an orphan."""
    place = layout.record_of(Path(path))
    if place is None or Path(path).is_relative_to(layout.RECORDS):
        return "no step writes it"
    record = index.records.get(place.as_posix())
    if record is None:
        return f"its record {place} is absent"
    return f"its record {place} does not state it" + (
        f" ({record.problem})" if record.problem else ""
    )
