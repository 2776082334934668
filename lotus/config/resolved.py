"""The settings of one cell of the grid, overrides applied."""

from dataclasses import dataclass
from itertools import product
from typing import Any

from lotus.config import protocol
from lotus.config.architectures import Training
from lotus.config.cells import Benchmark
from lotus.config.grid import Block
from lotus.config.images import Dataset
from lotus.config.overrides import Chosen
from lotus.config.settings import Settings


@dataclass(frozen=True)
class Extent:
    """The part of a cell that is run.

    Attributes:
        seeds, rows: in the order of the file.
        gold: whether a gold model is retrained.

    """

    seeds: tuple[int, ...]
    rows: tuple[str, ...]
    gold: bool


def benchmarks(settings: Settings) -> dict[Benchmark, Extent]:
    """The grid, in the order of the file: each cell once, with what all blocks want of it.

    A gold model that one study wants is there for all.
    """
    wanted: dict[Benchmark, list[Block]] = {}
    for block in settings.grid:
        axes = (block.datasets, block.architectures, block.scenarios, block.protocols)
        for place in product(*axes):
            wanted.setdefault(Benchmark(*place, block.study or ""), []).append(block)
    retrained = {
        cell.outside_study for cell, blocks in wanted.items() if any(b.gold for b in blocks)
    }
    return {
        cell: Extent(
            tuple(
                s for s in settings.seeds if any(s in (b.seeds or settings.seeds) for b in blocks)
            ),
            tuple(
                row
                for row in settings.methods
                if any(row in (b.methods or settings.methods) for b in blocks)
            ),
            cell.outside_study in retrained,
        )
        for cell, blocks in wanted.items()
    }


def cells_of_power(settings: Settings) -> list[Benchmark]:
    """The benchmark on which measures are tried, under each protocol in whose conventions they are.

    Unless it names some, these are the two whole ones, as far as the benchmark is run with a gold model.
    """
    power = settings.power
    if power is None:
        return []
    place = power.dataset, power.architecture, power.scenario
    if power.protocols is not None:
        return [Benchmark(*place, name) for name in power.protocols]
    grid = benchmarks(settings)
    cells = [Benchmark(*place, name) for name in protocol.BASES]
    return [cell for cell in cells if cell in grid and grid[cell].gold]


def training_of(settings: Settings, dataset: str, architecture: str) -> Training:
    """The recipe of one data set and architecture, overrides applied."""
    recipe = settings.architectures[architecture].training.model_dump()
    for override in settings.overrides:
        if override.where.covers(dataset, architecture, None, None):
            recipe |= override.training
    return Training(**recipe)


def images_of(settings: Settings, dataset: str, architecture: str) -> Dataset:
    """Returns how one architecture is shown a data set, overrides applied."""
    use = settings.datasets[dataset].model_dump()
    for override in settings.overrides:
        if override.where.covers(dataset, architecture, None, None):
            use |= override.images
    return Dataset(**use)


def chosen_for(settings: Settings, cell: Benchmark, row: str) -> Chosen | None:
    """Returns what tuning found of a corrected row's values; None where none states it.

    Nor where a later override gives the row one of these values anew.
    """
    found: Chosen | None = None
    keys: set[str] = set()
    for override in settings.overrides:
        covers = override.where.covers(cell.dataset, cell.architecture, cell.scenario, "corrected")
        given = override.methods.get(row, {}) if covers else {}
        if row in override.tuned and covers:
            found, keys = override.tuned[row], {*given}
        elif keys & {*given}:
            found, keys = None, set()
    return found


def hyperparameters_of(
    settings: Settings, cell: Benchmark, row: str, column: protocol.Base
) -> dict[str, Any]:
    """Returns what the file gives for a row of one benchmark, overrides applied, defaults not filled in.

    Args:
        column: whether the row stands as its own paper has it or as the published code has it.

    """
    values = settings.methods[row].hyperparameters
    for override in settings.overrides:
        where = override.where
        if where.covers(cell.dataset, cell.architecture, cell.scenario, column):
            values |= override.methods.get(row, {})
    return values
