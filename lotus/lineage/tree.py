"""The tree of what an artifact was made of, down to source files, each hashed as it lies on disk.

A node is a file, a store (one folder, four files) or a record that was asked for (a step with all that it
wrote). Sub-trees are shared: nodes name their inputs by path.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lotus import layout
from lotus.records.reading import Record

MODEL, PREDICTIONS = layout.MODEL_FILE, layout.PREDICTIONS_FILE
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
        """The stated sha256 of a file, or of the content of a store's images."""
        if self.stage == "store" and self.record is not None:
            source = self.record.content.get("notes", {}).get("source", {})
            return str(source.get("content", ""))
        return self.files.get(self.path, "")

    @property
    def stage(self) -> str:
        """The part of the way that it belongs to; see `STAGES`."""
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
    "half": "split",
    "image-losses": "split",
    "image-hashes": "split",
    "forget-set": "split",
    "forget-sheet": "measured",
    "original": "original",
    "gold": "model",
    "unlearned": "model",
    "metrics": "measured",
    "attacks": "measured",
    "shadow-attacks": "measured",
    "audit": "measured",
    "gradcam": "measured",
    "trials": "measured",
    "experiment": "measured",
}


def _stage_of_source(path: str) -> str:
    if is_raw_list(path):
        return "raw"
    return "store" if is_store(path) else "source"


@dataclass(frozen=True)
class Tree:
    """All nodes by path, those near the artifact first."""

    artifact: str
    nodes: Mapping[str, Node]

    @property
    def problems(self) -> list[str]:
        """Problems of all nodes, each once."""
        found = (problem for node in self.nodes.values() for problem in node.problems)
        return list(dict.fromkeys(found))


def node_path(path: str) -> str:
    """The node that a file belongs to: a store's files and record are one node, its folder."""
    place = Path(path)
    if place.is_relative_to(layout.STORES) and len(place.parts) > len(layout.STORES.parts) + 1:
        return Path(*place.parts[: len(layout.STORES.parts) + 1]).as_posix()
    if place == layout.store_record(place.parent.name):
        return (layout.STORES / place.parent.name).as_posix()
    return path


def is_store(path: str) -> bool:
    """Whether a path is that of a store's folder."""
    place = Path(path)
    inner = len(place.parts) == len(layout.STORES.parts) + 1
    return place.is_relative_to(layout.STORES) and inner and place != layout.CACHED


def is_raw_list(path: str) -> bool:
    """Whether a path is that of a list of a data set's raw files."""
    place = Path(path)
    return place.parent == layout.RAW and place.suffix == ".json"
