"""Builds a tree: the nodes that the records name, compared with the bytes on disk."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lotus import layout
from lotus.data.store import md5
from lotus.lineage.plan_nodes import KeptInputs, PlannedNode, plan_nodes
from lotus.lineage.raw_folders import CheckedFolder, folders_of
from lotus.lineage.tree import NOT_IN_DVC, Node, Tree, is_raw_list, is_store
from lotus.records.files import sha256
from lotus.records.index import Index
from lotus.records.places import VARIABLE, is_named_outside, leads_out, on_this_machine
from lotus.records.seal import identity
from lotus.tracking.tracked_files import DvcEntry, dvc_entries, entry_of

NOT_AT_HAND = "not at hand"
NOT_READ = f"outside the project, and not read ({VARIABLE})"
NOT_STATED = "no digest of it is stated; the store's content stands for it"


def build_tree(
    index: Index, artifact: str, kept: KeptInputs | None = None, depth: int | None = None
) -> Tree:
    """The tree of an artifact of the project in the present folder.

    Args:
        artifact: path of a node; see `node_path`.
        kept: to what the tree is restricted.
        depth: levels below the artifact; None for all.

    Raises:
        LotusError: a DVC file of the project is none.

    """
    plans = plan_nodes(index, artifact, kept or {}, depth)
    stated: dict[str, dict[str, str]] = {}
    for file, by, digest in [*_stated_by_readers(index, plans[artifact]), *_stated_by_nodes(plans)]:
        stated.setdefault(file, {})[by] = digest
    lists = [path for path in plans if is_raw_list(path)]
    folders = {path: found for name in lists for path, found in folders_of(name, index).items()}
    evidence = _Evidence(stated, folders, dvc_entries(), cache(_digest_on_disk), _identities(plans))
    return Tree(artifact, {path: _checked_node(plan, evidence) for path, plan in plans.items()})


def _identities(plans: Mapping[str, PlannedNode]) -> dict[str, dict[str, str]]:
    """Record → reader → identity, as the records chain them."""
    found: dict[str, dict[str, str]] = {}
    records = {plan.record.path: plan.record for plan in plans.values() if plan.record is not None}
    for record in records.values():
        for path, of in record.content.get("records", {}).items():
            found.setdefault(path, {})[record.path] = of
    return found


def _stated_by_nodes(plans: Mapping[str, PlannedNode]) -> Iterator[tuple[str, str, str]]:
    """Collects what steps state of what they wrote, then what others state of what they read."""
    for plan in plans.values():
        yield from plan.stated_of_outputs()
    for plan in plans.values():
        yield from plan.stated_of_inputs()


def _stated_by_readers(index: Index, plan: PlannedNode) -> Iterator[tuple[str, str, str]]:
    """Collects what the steps that read an artifact state of it, where no step wrote it."""
    if plan.record is None:
        for record in index.records.values():
            if plan.path in record.inputs:
                yield plan.path, record.path, record.inputs[plan.path]


@dataclass(frozen=True)
class _Evidence:
    """The evidence that nodes are held against.

    Attributes:
        stated: file → who states a digest of it → sha256.
        folders: of the publisher's files.
        entries: of DVC.
        digest_of: sha256 of a file on disk.
        identities: record → who read what it states → its identity then.

    """

    stated: Mapping[str, Mapping[str, str]]
    folders: Mapping[str, CheckedFolder]
    entries: Mapping[str, DvcEntry]
    digest_of: Callable[[str], str]
    identities: Mapping[str, Mapping[str, str]]

    def digest(self, file: str) -> str:
        """sha256 on disk; '' where it is absent or a folder with a digest of another kind."""
        return self.folders[file].sha256 if file in self.folders else self.digest_of(file)


def _checked_node(plan: PlannedNode, evidence: _Evidence) -> Node:
    """The node with what its bytes, records and readers say."""
    stated, entries = evidence.stated, evidence.entries
    files = {file: next(iter(stated.get(file, {}).values()), "") for file in plan.files}
    found = {file: evidence.digest(file) for file in plan.files}
    compared = [
        _bytes_problem(file, found[file], stated.get(file, {}), entries, file in evidence.folders)
        for file in plan.files
    ]
    folder = evidence.folders.get(plan.path)
    in_folder = folder.problem if folder is not None else ""
    problems = [
        *_record_problems(plan, evidence),
        *compared,
        in_folder,
        *_lock_problems(plan, entries),
    ]
    return Node(
        path=plan.path,
        record=plan.record,
        files=files,
        found=found,
        inputs=plan.inputs,
        problems=[problem for problem in problems if problem],
        note=folder.note if folder is not None else _why_not_compared(plan, files, found),
        dvc=_place_in_dvc(plan, entries),
    )


def _digest_on_disk(file: str) -> str:
    if leads_out(file):
        return ""
    try:
        place = on_this_machine(file)
        return sha256(place) if place.is_file() else ""
    except (OSError, ValueError):
        return ""


def _bytes_problem(
    file: str,
    found: str,
    statements: Mapping[str, str],
    entries: Mapping[str, DvcEntry],
    is_of_publisher: bool = False,
) -> str:
    """Returns what is wrong with a file's bytes; '' if nothing is.

    Args:
        is_of_publisher: whether it is a folder that images were read from; its members are compared apart.

    """
    if not found:
        # Of another folder no bytes are stated; one in the place of a file does not pass for it.
        is_folder = os.path.isdir(file) and (is_of_publisher or not any(statements.values()))
        if may_be_elsewhere(file) or is_folder:
            return ""
        if how := leads_out(file):
            return f"{file}: not read: it {how}"
        if os.path.exists(file):
            return f"{file}: cannot be read as a file"
        place = entry_of(file, entries)
        return f"{file}: absent" + (f"; DVC holds it ({place.place})" if place else "")
    for by, digest in statements.items():
        if digest and digest != found:
            return f"{file}: its bytes are {found[:12]}…, but {by} states {digest[:12]}…"
    return ""


def may_be_elsewhere(file: str) -> bool:
    """Whether a file lies outside the project, or in its folder of downloads, which is not kept."""
    return is_named_outside(file) or Path(file).is_relative_to(layout.RAW)


def _record_problems(plan: PlannedNode, evidence: _Evidence) -> Iterator[str]:
    """Returns what is wrong with the record, or that there is none."""
    record = plan.record
    if record is None:
        place = Path(plan.path)
        made = place.is_relative_to(layout.RESULTS) or place.is_relative_to(layout.STORES)
        if made and not layout.is_record(place):
            yield f"{plan.path}: no record states how it was made{_where_expected(place)}"
        return
    if record.problem:
        yield f"{record.path}: {record.problem}"
    yield _bytes_problem(record.path, record.sha256, evidence.stated.get(record.path, {}), {})
    for by, expected in evidence.identities.get(record.path, {}).items():
        if record.content and identity(record.content) != expected:
            yield f"{record.path}: describes another step than the one whose files {by} read"


def _where_expected(place: Path) -> str:
    record = layout.store_record(place.name) if is_store(str(place)) else layout.record_of(place)
    return "" if record is None else f" ({record.as_posix()} is absent, or does not list it)"


def _lock_problems(plan: PlannedNode, entries: Mapping[str, DvcEntry]) -> Iterator[str]:
    """Whether `data.dvc` locks other images than the record verified."""
    if plan.record is not None and plan.record.kind == "store" and plan.path in entries:
        locked = entries[plan.path]
        verified = plan.record.content.get("notes", {}).get("dvc", "")
        if verified != locked.md5:
            yield f"{locked.file}: locks {locked.md5}, but {plan.record.path} verified {verified}"


def _why_not_compared(plan: PlannedNode, files: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Returns why nothing was compared."""
    absent = [file for file in plan.files if not found[file]]
    if not absent or plan.record is not None:
        return ""
    if leads_out(absent[0]) and os.path.lexists(on_this_machine(absent[0])):
        return NOT_READ
    return NOT_AT_HAND if files[absent[0]] else NOT_STATED


def _place_in_dvc(plan: PlannedNode, entries: Mapping[str, DvcEntry]) -> str:
    entry = entry_of(plan.path, entries)
    if entry is None:
        return NOT_IN_DVC
    path = Path(plan.path)
    is_there = os.path.isfile(path) and not leads_out(path)
    if plan.path in entries and is_there and md5(path) != entry.md5:
        return f"{entry.file} has other bytes: md5 {entry.md5}"
    return entry.place
