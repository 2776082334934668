"""Answers what a user asks of a project's records: the tree of an artifact, or of a number."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lotus.lineage.artifacts import find_node, in_project
from lotus.lineage.build_tree import build_tree
from lotus.lineage.cells import AskedCell, Line, inputs_of, parse_cell, read_cell
from lotus.lineage.tree import Tree
from lotus.names import shown
from lotus.records.index import read_index


@dataclass(frozen=True)
class LookedUp:
    """A tree, and of a cell the lines of the table.

    Attributes:
        notice: says that another file was taken than was asked for; else ''.

    """

    tree: Tree
    cell: AskedCell | None
    lines: Sequence[Line]
    notice: str

    @property
    def title(self) -> str:
        """Returns what was asked for."""
        if self.cell is None:
            return self.tree.artifact
        where = [f"{key}={value}" for key, value in self.cell.where.items()]
        return ":".join([self.cell.path, self.cell.row, self.cell.column, *where])

    @property
    def heading(self) -> str:
        """The same, with the value where it is one."""
        if len(self.lines) != 1 or len(self.lines[0].values) != 1:
            return self.title
        (value,) = self.lines[0].values.values()
        return f"{self.title} = {value or 'none'}"

    @property
    def values(self) -> list[dict[str, Any]] | None:
        """Keys and values of each line of a cell; None for a whole artifact."""
        if self.cell is None:
            return None
        return [{"keys": line.keys, "values": dict(line.values)} for line in self.lines]

    def value_lines(self) -> Iterator[str]:
        """The same as text, and an empty line after it."""
        for line in self.lines:
            stated = ", ".join(_assignment(name, value) for name, value in line.values.items())
            yield shown(f"{self.title}  {_keys_in_words(line.keys)}".rstrip())
            yield shown(f"  {stated}")
        if self.lines:
            yield ""


def _assignment(name: str, value: str) -> str:
    return f"{name} = {value or 'none'}"


def _keys_in_words(keys: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in keys.items())


def look_up(given: str, depth: int | None = None) -> LookedUp:
    """The tree of an artifact, or of the number that a cell names.

    Args:
        given: a path in the project of the present folder, or a cell (see `lotus.lineage.cells`).
        depth: levels below the artifact; None for all.

    Raises:
        LotusError: no project, unknown path, or no such cell.

    """
    cell = parse_cell(given)
    asked = given if cell is None else cell.path
    index = read_index()
    path = find_node(asked, index)
    is_namesake = Path(path).name == in_project(asked).name and not os.path.exists(asked)
    taken = f"{shown(asked)} is not there: {shown(path)} is taken instead"
    notice = taken if is_namesake and path != asked else ""
    if cell is None:
        return LookedUp(build_tree(index, path, depth=depth), None, (), notice)
    cell = replace(cell, path=path)
    lines = read_cell(cell)
    return LookedUp(
        build_tree(index, path, inputs_of(cell, lines, index), depth), cell, lines, notice
    )
