"""From what a user names to a node of the tree: a file, the folder of a run, the folder of a store."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.lineage.tree import node_path
from lotus.names import shown
from lotus.records.files import relative
from lotus.records.forms import LONGEST_PATH
from lotus.records.index import Index
from lotus.records.places import HOW_TO_ALLOW, is_named_outside, leads_out

MOST_NEAR = 3
"""Near matches that a message names."""


def find_node(given: str, index: Index) -> str:
    """The node that a path means; the file may be gone, as long as a record knows it.

    A table or figure that is not where it is looked for, but is the only one of its name in the other
    folders of `layout.MADE`, is that one.

    Raises:
        LotusError: not in a project, outside it, or a path that no record knows.

    """
    if not layout.RESULTS.is_dir():
        raise LotusError(
            f"there is no folder '{layout.RESULTS}' here: run this in a project with results"
        )
    path = in_project(given)
    if os.path.isdir(path):
        return _node_of_folder(path, index)
    known = _recorded_paths(index)
    if path.as_posix() in known or (os.path.isfile(path) and path.is_relative_to(layout.RESULTS)):
        return node_path(path.as_posix())
    if len(namesakes := list(_namesakes(path))) == 1:
        return namesakes[0]
    raise LotusError(f"{shown(given)}: {_why_unknown(path)}{_suggestion(path, known)}")


def in_project(given: str) -> Path:
    """A path relative to the project, without `.` and `..`.

    Raises:
        LotusError: it lies outside.

    """
    path = Path(relative(Path(os.path.normpath(given))))
    if is_named_outside(path):
        raise LotusError(f"{shown(given)}: is outside the project in {Path.cwd()}")
    if how := leads_out(path):
        raise LotusError(f"{shown(given)}: {how}; {HOW_TO_ALLOW}")
    return path


def _node_of_folder(path: Path, index: Index) -> str:
    if path.is_relative_to(layout.STORES) and node_path((path / "x").as_posix()) == path.as_posix():
        return path.as_posix()
    run = (path / layout.RUN_RECORD).as_posix()
    if run in index.records:
        return run
    raise LotusError(
        f"{shown(path)}: is neither the folder of a run nor the folder of a "
        f"store{_suggestion(path, _recorded_paths(index))}"
    )


def _recorded_paths(index: Index) -> set[str]:
    """All paths that records name, and their own."""
    named = {
        file for record in index.records.values() for file in (*record.inputs, *record.outputs)
    }
    return named | set(index.records)


def _namesakes(path: Path) -> Iterator[str]:
    """Files of the same name in the other folders of tables and figures."""
    if path.parent.parent == layout.RESULTS and path.parent.name in layout.MADE:
        for folder in layout.MADE:
            other = layout.RESULTS / folder / path.name
            if os.path.isfile(other):
                yield other.as_posix()


def _why_unknown(path: Path) -> str:
    return (
        "no record names it"
        if os.path.exists(path)
        else "there is no such file, and no record names it"
    )


def _suggestion(path: Path, known: set[str]) -> str:
    """Known paths like this one: of its name, then of its spelling."""
    same_name = sorted(name for name in known if Path(name).name == path.name)
    # What is longer than any path is like none, and takes long to compare.
    is_path = len(path.as_posix()) <= LONGEST_PATH
    spelt = get_close_matches(path.as_posix(), sorted(known), n=MOST_NEAR) if is_path else []
    near = list(dict.fromkeys([*spelt, *same_name]))[:MOST_NEAR]
    return f"; did you mean {' or '.join(map(shown, near))}?" if near else ""
