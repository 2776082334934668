"""Plans the nodes of a tree, and who states which digest of their files; reads the records alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lotus import layout
from lotus.audit.unrecorded_files import listed
from lotus.lineage.tree import MODEL, PREDICTIONS, is_raw_list, is_store, node_path
from lotus.records.index import Index
from lotus.records.reading import Record

KeptInputs = Mapping[str, Sequence[str]]
"""Record → those of its inputs that are looked at; all of the records that are not named."""


@dataclass(frozen=True)
class PlannedNode:
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

    def stated_of_outputs(self) -> Iterator[tuple[str, str, str]]:
        """(file, who says it, sha256), of what its step wrote."""
        if self.record is not None:
            for file, digest in self.record.outputs.items():
                yield file, self.record.path, digest

    def stated_of_inputs(self) -> Iterator[tuple[str, str, str]]:
        """The same of what its step read, or the list names."""
        if self.record is not None:
            for file, digest in self.record.inputs.items():
                yield file, self.record.path, digest
        for file, digest in self.lists.items():
            yield file, self.path, digest


def plan_nodes(
    index: Index, artifact: str, kept: KeptInputs, depth: int | None
) -> dict[str, PlannedNode]:
    """All nodes by path, level by level.

    Args:
        artifact: path of a node.
        depth: levels below the artifact; None for all.

    """
    plans: dict[str, PlannedNode] = {}
    level, below = [artifact], 0
    while level and (depth is None or below <= depth):
        for path in level:
            plans[path] = _plan(index, path, kept)
        above = (path for parent in level for path in plans[parent].inputs)
        level, below = [path for path in dict.fromkeys(above) if path not in plans], below + 1
    return plans


def _plan(index: Index, path: str, kept: KeptInputs) -> PlannedNode:
    if is_store(path):
        return _plan_store(index, path)
    if is_raw_list(path):
        listed = _listed_files(index, path)
        return PlannedNode(path, None, [path], list(listed), listed)
    record = index.producer(path) or _distrusted_record(index, path)
    if record is None:
        return PlannedNode(path, None, [path], ())
    if record.path == path:
        return PlannedNode(path, record, [path, *record.outputs], _nodes_read(index, record, kept))
    model = Path(path).with_name(MODEL).as_posix()
    if Path(path).name == PREDICTIONS and model in record.outputs:
        return PlannedNode(path, record, [path], [model])
    return PlannedNode(path, record, [path], _nodes_read(index, record, kept))


def _distrusted_record(index: Index, path: str) -> Record | None:
    """The record that should state how a file was made, if it is there but cannot be trusted."""
    place = layout.record_of(Path(path))
    record = index.records.get(place.as_posix()) if place is not None else None
    return record if record is not None and record.problem else None


def _nodes_read(index: Index, record: Record, kept: KeptInputs) -> list[str]:
    """Nodes that a step read; the record of a run stands for its model, whose facts it states."""
    read = (_model_of(index, path) or path for path in kept.get(record.path, list(record.inputs)))
    return list(dict.fromkeys(map(node_path, read)))


def _model_of(index: Index, path: str) -> str:
    """The model of the run whose record a path is; '' if it is none."""
    model = Path(path).with_name(MODEL).as_posix()
    return model if path in index.records and model in index.records[path].outputs else ""


def _plan_store(index: Index, path: str) -> PlannedNode:
    record = index.records.get(layout.store_record(Path(path).name).as_posix())
    if record is None:
        return PlannedNode(path, None, [path], ())
    named = _published_files(record) if not record.inputs else {}
    return PlannedNode(path, record, list(record.outputs), [*record.inputs, *named], named)


def _published_files(record: Record) -> dict[str, str]:
    """Publisher's files that a store was built from, where downloads lie → sha256."""
    cache = layout.RAW / str(record.about.get("dataset", ""))
    files = record.content.get("notes", {}).get("source", {}).get("files", ())
    return {(cache / file["name"]).as_posix(): str(file.get("sha256") or "") for file in files}


def _listed_files(index: Index, path: str) -> dict[str, str]:
    """File → sha256 in a list of raw files; where the list is not at hand, names by the store's source."""
    files = listed(Path(path))
    if files is not None:
        return {file.path: file.sha256 or "" for file in files}
    store = index.records.get(layout.store_record(Path(path).stem).as_posix())
    return _published_files(store) if store is not None else {}
