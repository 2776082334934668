"""What a model and its numbers were made of: trees down to the source files, all of it as recorded."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from lotus import layout
from lotus.certificate.certified_run import CertifiedRun
from lotus.certificate.numbers import Numbers, read_numbers
from lotus.errors import LotusError
from lotus.lineage.build_tree import build_tree
from lotus.lineage.tree import Tree
from lotus.names import shown
from lotus.records.index import Index
from lotus.results.power import power_file
from lotus.wording import first_of

Trees = Callable[[str, int | None], Tree]
"""(artifact, levels below it or None) → its tree."""


def trees_of(index: Index) -> Trees:
    """Returns the trees of a project, each built once however many models rest on it."""
    return cache(lambda path, depth: build_tree(index, path, depth=depth))


def further_files(index: Index, run: CertifiedRun) -> list[Path]:
    """Returns what was measured of a model besides its metrics: files that are there, or should be."""
    files = (layout.attacks_file(run.cell), power_file(run.cell.protocol))
    return [
        path
        for path in files
        if os.path.lexists(path) or index.producer(path.as_posix()) is not None
    ]


def read_sources(trees: Trees, run: CertifiedRun, further: list[Path]) -> tuple[Tree, Numbers]:
    """Returns all that a model and its numbers were made of, and these numbers.

    Args:
        further: files of what was measured besides metrics, as `further_files` has them.

    Raises:
        LotusError: nothing was measured of the model, something is absent or has other bytes than its
            record states, or it was measured of another model.

    """
    if not run.metrics.is_file():
        raise LotusError(
            f"{run.metrics}: is absent, so nothing was measured of {shown(run.folder)}; "
            "`snakemake --cores all` measures it"
        )
    power = power_file(run.cell.protocol)
    depths: dict[str, int | None] = {run.model: None, run.metrics.as_posix(): None}
    # What it was tried on matters only where that is the benchmark of this model.
    depths |= {path.as_posix(): 0 if path == power else None for path in further}
    sources = _sound(trees, run, depths)
    numbers = read_numbers(run, further)
    if numbers.tried is not None and numbers.is_tried_on(run.cell):
        sources = _sound(trees, run, depths | {power.as_posix(): None})
    return sources, numbers


def _sound(trees: Trees, run: CertifiedRun, depths: Mapping[str, int | None]) -> Tree:
    found = [trees(path, depth) for path, depth in depths.items()]
    problems = list(dict.fromkeys(problem for tree in found for problem in tree.problems))
    if problems:
        raise LotusError(
            f"{shown(run.folder)}: is not certified, since not all that it was made of is as "
            f"recorded: {first_of(problems, 3)} (`lotus audit` lists it all)"
        )
    nodes = {path: node for tree in reversed(found) for path, node in tree.nodes.items()}
    return Tree(run.model, nodes)
