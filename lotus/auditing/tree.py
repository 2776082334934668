"""What an artifact was made of, down to source files: a tree of files, each hashed as it lies on disk.

A node is a file, a store (one folder, four files) or a record that was asked for (a step with all that it
wrote). Sub-trees are shared: nodes name their inputs by path.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from lotus import layout
from lotus.auditing.index import Index, Record
from lotus.auditing.published import Held, held, holding
from lotus.auditing.raw_folders import Folder, folders_of
from lotus.provenance import sha256

MODEL, PREDICTIONS = "model.safetensors", "predictions.npz"
NOT_AT_HAND = "not at hand"
NOT_STATED = "no digest of it is stated; the store's content stands for it"
NOT_IN_DVC = "not in DVC"


@dataclass(frozen=True)
class Node:
    """A file, store or step of the tree.

    Attributes:
        path: relative to the project where it lies in it; of a store its folder.
        record: of the step that wrote it; None for a source file.
        files: file → sha256 that is stated of it, '' where none is.
        found: file → sha256 on disk, '' where it is absent or a folder.
        inputs: paths of the nodes that it was made of.
        problems: what is missing or other than recorded, each with the file that it concerns.
        note: why bytes were not compared; else ''.
        dvc: where DVC holds it.

    """

    path: str
    record: Record | None
    files: Mapping[str, str]
    found: Mapping[str, str]
    inputs: Sequence[str]
    problems: Sequence[str]
    note: str
    dvc: str

    @property
    def state(self) -> str:
        """`sound`, or what is wrong, or why nothing can be said."""
        return "; ".join(self.problems) or self.note or "sound"

    @property
    def digest(self) -> str:
        """Of a file its stated sha256, of a store that of its images' content."""
        if self.stage == "store" and self.record is not None:
            source = self.record.content.get("notes", {}).get("source", {})
            return str(source.get("content", ""))
        return self.files.get(self.path, "")

    @property
    def stage(self) -> str:
        """Which part of the way it belongs to; see `STAGES`."""
        if self.record is None:
            return _stage_of_source(self.path)
        if PurePosixPath(self.path).name == PREDICTIONS:
            return "predictions"
        return STAGE_OF_KIND.get(self.record.kind, "made")


STAGES = ("source", "raw", "store", "split", "original", "model", "predictions", "measured", "made")
"""From source files to tables and figures; `measured`: metrics, maps and audits."""
STAGE_OF_KIND = {
    "store": "store",
    "held-out": "split",
    "forget-set": "split",
    "original": "original",
    "gold": "model",
    "unlearned": "model",
    "metrics": "measured",
    "audit": "measured",
    "gradcam": "measured",
    "trials": "measured",
    "experiment": "measured",
}


def _stage_of_source(path: str) -> str:
    if _is_raw_list(path):
        return "raw"
    if len(Path(path).parts) == 3 and Path(path).is_relative_to(layout.STORES):
        return "store"
    return "source"


@dataclass(frozen=True)
class Tree:
    """All nodes by path, those near the artifact first."""

    artifact: str
    nodes: Mapping[str, Node]

    @property
    def problems(self) -> list[str]:
        """Of all nodes, each once."""
        found = (problem for node in self.nodes.values() for problem in node.problems)
        return list(dict.fromkeys(found))


Kept = Mapping[str, Sequence[str]]
"""Record → those of its inputs that are looked at; all of the records that are not named."""


def grow(index: Index, artifact: str, kept: Kept | None = None, depth: int | None = None) -> Tree:
    """The tree of an artifact of the project in the present folder.

    Args:
        artifact: path of a node; see `node_path`.
        kept: to what the tree is restricted.
        depth: levels below the artifact; None for all.

    Raises:
        LotusError: a DVC file of the project is none.

    """
    plans = _plans(index, artifact, kept or {}, depth)
    stated: dict[str, dict[str, str]] = {}
    for file, by, digest in [*_by_readers(index, plans[artifact]), *_by_plans(plans)]:
        stated.setdefault(file, {})[by] = digest
    lists = [path for path in plans if _is_raw_list(path)]
    folders = {path: found for name in lists for path, found in folders_of(name, index).items()}
    seen = _Seen(stated, folders, held(), cache(_digest))
    return Tree(artifact, {path: _checked(plan, seen) for path, plan in plans.items()})


def node_path(path: str) -> str:
    """The node that a file belongs to: a store's files and record are one node, its folder."""
    place = Path(path)
    if place.is_relative_to(layout.STORES) and len(place.parts) > len(layout.STORES.parts) + 1:
        return Path(*place.parts[: len(layout.STORES.parts) + 1]).as_posix()
    if place == layout.store_record(place.parent.name):
        return (layout.STORES / place.parent.name).as_posix()
    return path


@dataclass(frozen=True)
class _Plan:
    """A node before its bytes are looked at.

    Attributes:
        files: of the node.
        lists: file → sha256, as a list of raw files or a store's source states them of its inputs.

    """

    path: str
    record: Record | None
    files: Sequence[str]
    inputs: Sequence[str]
    lists: Mapping[str, str] = field(default_factory=dict)

    def statements(self) -> Iterator[tuple[str, str, str]]:
        """(file, who says it, sha256)."""
        if self.record is not None:
            for file, digest in {**self.record.inputs, **self.record.outputs}.items():
                yield file, self.record.path, digest
        for file, digest in self.lists.items():
            yield file, self.path, digest


def _by_plans(plans: Mapping[str, _Plan]) -> Iterator[tuple[str, str, str]]:
    return (statement for plan in plans.values() for statement in plan.statements())


def _by_readers(index: Index, plan: _Plan) -> Iterator[tuple[str, str, str]]:
    """Of an artifact that no step wrote: what the steps that read it state of it."""
    if plan.record is None:
        for record in index.records.values():
            if plan.path in record.inputs:
                yield plan.path, record.path, record.inputs[plan.path]


def _plans(index: Index, artifact: str, kept: Kept, depth: int | None) -> dict[str, _Plan]:
    """All nodes, level by level."""
    plans: dict[str, _Plan] = {}
    level, below = [artifact], 0
    while level and (depth is None or below <= depth):
        for path in level:
            plans[path] = _plan(index, path, kept)
        above = (path for parent in level for path in plans[parent].inputs)
        level, below = [path for path in dict.fromkeys(above) if path not in plans], below + 1
    return plans


def _plan(index: Index, path: str, kept: Kept) -> _Plan:
    if _is_store(path):
        return _store(index, path)
    if _is_raw_list(path):
        listed = _listed(index, path)
        return _Plan(path, None, [path], list(listed), listed)
    record = index.producer(path) or _broken(index, path)
    if record is None:
        return _Plan(path, None, [path], ())
    if record.path == path:
        return _Plan(path, record, [path, *record.outputs], _read(index, record, kept))
    model = Path(path).with_name(MODEL).as_posix()
    if Path(path).name == PREDICTIONS and model in record.outputs:
        return _Plan(path, record, [path], [model])
    return _Plan(path, record, [path], _read(index, record, kept))


def _broken(index: Index, path: str) -> Record | None:
    """The record that should state how a file was made, if it is there but cannot be trusted."""
    place = layout.record_of(Path(path))
    record = index.records.get(place.as_posix()) if place is not None else None
    return record if record is not None and record.problem else None


def _read(index: Index, record: Record, kept: Kept) -> list[str]:
    """Nodes that a step read; the record of a run stands for its model, whose facts it states."""
    read = (_model_of(index, path) or path for path in kept.get(record.path, list(record.inputs)))
    return list(dict.fromkeys(map(node_path, read)))


def _model_of(index: Index, path: str) -> str:
    """The model of the run whose record a path is; '' if it is none."""
    model = Path(path).with_name(MODEL).as_posix()
    return model if path in index.records and model in index.records[path].outputs else ""


def _is_store(path: str) -> bool:
    place = Path(path)
    inner = len(place.parts) == len(layout.STORES.parts) + 1
    return place.is_relative_to(layout.STORES) and inner and place != layout.CACHED


def _store(index: Index, path: str) -> _Plan:
    record = index.records.get(layout.store_record(Path(path).name).as_posix())
    if record is None:
        return _Plan(path, None, [path], ())
    named = _named(record) if not record.inputs else {}
    return _Plan(path, record, list(record.outputs), [*record.inputs, *named], named)


def _named(record: Record) -> dict[str, str]:
    """Publisher's files that a store was built from, where downloads lie → sha256."""
    cache = layout.RAW / str(record.about.get("dataset", ""))
    files = record.content.get("notes", {}).get("source", {}).get("files", ())
    return {(cache / file["name"]).as_posix(): str(file.get("sha256", "")) for file in files}


def _is_raw_list(path: str) -> bool:
    place = Path(path)
    return place.parent == layout.RAW and place.suffix == ".json"


def _listed(index: Index, path: str) -> dict[str, str]:
    """File → sha256 in a list of raw files; where the list is not at hand, names by the store's source."""
    try:
        files: list[dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))["files"]
        return {str(file["path"]): str(file["sha256"]) for file in files}
    except (OSError, ValueError, KeyError, TypeError):
        store = index.records.get(layout.store_record(Path(path).stem).as_posix())
        return _named(store) if store is not None else {}


@dataclass(frozen=True)
class _Seen:
    """What nodes are held against.

    Attributes:
        stated: file → who states a digest of it → sha256.
        folders: of the publisher's files.
        entries: of DVC.
        digest_of: sha256 of a file on disk.

    """

    stated: Mapping[str, Mapping[str, str]]
    folders: Mapping[str, Folder]
    entries: Mapping[str, Held]
    digest_of: Callable[[str], str]

    def digest(self, file: str) -> str:
        """sha256 on disk; '' where it is absent or a folder with a digest of another kind."""
        return self.folders[file].sha256 if file in self.folders else self.digest_of(file)


def _checked(plan: _Plan, seen: _Seen) -> Node:
    """The node with what its bytes, records and readers say."""
    stated, entries = seen.stated, seen.entries
    files = {file: next(iter(stated.get(file, {}).values()), "") for file in plan.files}
    found = {file: seen.digest(file) for file in plan.files}
    compared = [_problem(file, found[file], stated.get(file, {}), entries) for file in plan.files]
    folder = seen.folders.get(plan.path)
    in_folder = folder.problem if folder is not None else ""
    problems = [*_of_record(plan, stated), *compared, in_folder, *_of_lock(plan, entries)]
    return Node(
        path=plan.path,
        record=plan.record,
        files=files,
        found=found,
        inputs=plan.inputs,
        problems=[problem for problem in problems if problem],
        note=folder.note if folder is not None else _note(plan, files, found),
        dvc=_dvc(plan, entries),
    )


def _digest(file: str) -> str:
    path = Path(file)
    return sha256(path) if path.is_file() else ""


def _problem(
    file: str, found: str, statements: Mapping[str, str], entries: Mapping[str, Held]
) -> str:
    """What is wrong with a file's bytes; '' if nothing is."""
    if not found:
        if _may_be_elsewhere(file) or Path(file).is_dir():
            return ""
        place = holding(file, entries)
        return f"{file}: absent" + (f"; DVC holds it ({place.place})" if place else "")
    for by, digest in statements.items():
        if digest and digest != found:
            return f"{file}: its bytes are {found[:12]}…, but {by} states {digest[:12]}…"
    return ""


def _may_be_elsewhere(file: str) -> bool:
    """Whether a file lies outside the project, or in its folder of downloads, which is not kept."""
    path = Path(file)
    return path.is_absolute() or ".." in path.parts or path.is_relative_to(layout.RAW)


def _of_record(plan: _Plan, stated: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What is wrong with the record, or that there is none."""
    record = plan.record
    if record is None:
        place = Path(plan.path)
        made = place.is_relative_to(layout.RESULTS) or place.is_relative_to(layout.STORES)
        if made and not layout.is_record(place):
            yield f"{plan.path}: no record states how it was made{_expected(place)}"
        return
    if record.problem:
        yield f"{record.path}: {record.problem}"
    yield _problem(record.path, record.sha256, stated.get(record.path, {}), {})


def _expected(place: Path) -> str:
    record = layout.store_record(place.name) if _is_store(str(place)) else layout.record_of(place)
    return "" if record is None else f" ({record.as_posix()} is absent or does not list it)"


def _of_lock(plan: _Plan, entries: Mapping[str, Held]) -> Iterator[str]:
    """Whether `data.dvc` locks other images than the record verified."""
    if plan.record is not None and plan.record.kind == "store" and plan.path in entries:
        locked = entries[plan.path]
        verified = plan.record.content.get("notes", {}).get("dvc", "")
        if verified != locked.md5:
            yield f"{locked.file}: locks {locked.md5}, but {plan.record.path} verified {verified}"


def _note(plan: _Plan, files: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Why nothing was compared."""
    absent = [file for file in plan.files if not found[file]]
    if not absent or plan.record is not None:
        return ""
    return NOT_AT_HAND if files[absent[0]] else NOT_STATED


def _dvc(plan: _Plan, entries: Mapping[str, Held]) -> str:
    entry = holding(plan.path, entries)
    if entry is None:
        return NOT_IN_DVC
    path = Path(plan.path)
    if path.is_file() and plan.path in entries and _md5(path) != entry.md5:
        return f"{entry.file} holds other bytes: md5 {entry.md5}"
    return entry.place


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
