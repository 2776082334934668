"""What a configuration comes to: the cells of the grid, their runs, and what each job is told."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.config import protocol
from lotus.config.cells import Benchmark
from lotus.config.images import Dataset
from lotus.config.protocol import Protocol
from lotus.config.resolved import Extent, benchmarks, hyperparameters_of, images_of, training_of
from lotus.config.settings import Settings
from lotus.layout import GOLD, ORIGINAL
from lotus.methods.base.catalogue import IMPORTED, Catalogue
from lotus.methods.base.registry import own_switches_of, switches_of
from lotus.names import composed
from lotus.records.reading import find_record

EVALUATION = protocol.of_stage("evaluation")
OF_RUNS = protocol.of_stage("training", "method", "evaluation")


@dataclass(frozen=True)
class Plan:
    """A checked configuration, and what each job has to be told.

    Attributes:
        methods: tells what a method is; an inspection imports none of a plug-in.

    """

    settings: Settings
    methods: Catalogue = IMPORTED

    @cached_property
    def _grid(self) -> Mapping[Benchmark, Extent]:
        return benchmarks(self.settings)

    @property
    def cells(self) -> tuple[Benchmark, ...]:
        """The grid, in the order of the file."""
        return tuple(self._grid)

    def seeds_of(self, cell: Benchmark) -> tuple[int, ...]:
        """Seeds that a cell is measured with, for itself or for cells that its metrics serve."""
        wanted = {seed for extent in self._served.get(cell, {}).values() for seed in extent.seeds}
        return tuple(seed for seed in self.settings.seeds if seed in wanted)

    def has_gold(self, cell: Benchmark) -> bool:
        """Whether a cell has a gold model; one that is run beside its base has what that has."""
        base = cell.under(protocol.parse(cell.protocol).base) if self._is_ablation(cell) else cell
        return any(
            extent.gold
            for served, extent in self._served.get(base, {}).items()
            if not self._is_ablation(served)
        )

    @cached_property
    def _served(self) -> Mapping[Benchmark, Mapping[Benchmark, Extent]]:
        """Cells that a cell's metrics serve, itself among them if it is in the grid, and what they want."""
        served: dict[Benchmark, dict[Benchmark, Extent]] = {}
        for cell, extent in self._grid.items():
            for there in {cell, self.measured(cell)}:
                served.setdefault(there, {})[cell] = extent
        return served

    @property
    def benchmarks(self) -> tuple[Benchmark, ...]:
        """Cells with tables and figures of their own."""
        return tuple(cell for cell in self.cells if not self._is_ablation(cell))

    @property
    def ablations(self) -> tuple[Benchmark, ...]:
        """Cells that are run beside their base protocol, to show what single switches do."""
        return tuple(cell for cell in self.cells if self._is_ablation(cell))

    def _is_ablation(self, cell: Benchmark) -> bool:
        wanted = protocol.parse(cell.protocol)
        return bool(wanted.deviations) and cell.under(wanted.base) in self._grid

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows of all models: doing nothing, retraining if there is such, and the methods."""
        gold = (GOLD,) if any(self.has_gold(cell) for cell in self.cells) else ()
        return (ORIGINAL, *gold, *self.settings.methods)

    def method_of(self, row: str) -> str:
        """Registered method of a row."""
        return composed(self.settings.methods[row].method or row)

    def calibration_of(self, row: str) -> str | None:
        """Data set whose images a row gets in place of validation images."""
        return self.settings.methods[row].calibration

    def hyperparameters(self, cell: Benchmark, row: str) -> dict[str, Any]:
        """All hyper-parameters of a row in one benchmark.

        The method's defaults, over them constants that switches of the protocol bring, over them the
        configuration.
        """
        name, wanted = self.method_of(row), protocol.parse(cell.protocol)
        given = hyperparameters_of(self.settings, cell, row, self.column_of(cell, row))
        runs = (layout.run_folder(cell, seed, row) for seed in self.settings.seeds)
        return self.methods.hyperparameters(name, wanted, given, lambda: _recorded(runs))

    def column_of(self, cell: Benchmark, row: str) -> protocol.Base:
        """Whether a row stands in a benchmark as its own paper has it or as the published code has it."""
        wanted = protocol.parse(cell.protocol)
        own = own_switches_of(self.methods.released(self.method_of(row)))
        if not own:
            return wanted.base
        return "released" if own <= wanted.on else "corrected"

    def home(self, cell: Benchmark, row: str) -> Benchmark:
        """Where the run of a row is filed: under the protocol as far as it concerns this run.

        So protocols that differ in what does not touch a run share it, and all studies do.
        """
        return self._home(cell, row)

    @cached_property
    def _home(self) -> Callable[[Benchmark, str], Benchmark]:
        """`home`, found once: every step asks for many."""
        return cache(self._find_home)

    def _find_home(self, cell: Benchmark, row: str) -> Benchmark:
        cell = cell.outside_study
        wanted = protocol.parse(cell.protocol)
        relevant = self._relevant[cell.dataset, cell.architecture, _kind(row)]
        if _kind(row) in (ORIGINAL, GOLD):
            on = wanted.on & relevant
            shared = protocol.RELEASED if on and on == relevant else Protocol("corrected", on)
            return cell.under(shared.name)
        return cell.under(wanted.limited_to(relevant).name)

    @cached_property
    def _relevant(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        """(data set, architecture, row) → switches that can change what is recorded of a run."""
        return {
            (dataset, architecture, row): self._relevant_to(dataset, architecture, row)
            for dataset in self.settings.datasets
            for architecture in self.settings.architectures
            for row in (ORIGINAL, GOLD, *self.settings.methods)
        }

    def _relevant_to(self, dataset: str, architecture: str, row: str) -> frozenset[str]:
        use, relevant = images_of(self.settings, dataset, architecture), set()
        if training_of(self.settings, dataset, architecture).patience is not None:
            relevant.add("T1")
        if use.augmentation.is_random:
            relevant.add("E2")
        if row not in (ORIGINAL, GOLD):
            relevant |= switches_of(self.methods.released(self.method_of(row)))
            if self.settings.architectures[architecture].batch_norm:
                relevant.add("E1")
            if use.resize is not None:
                relevant.add("R2")
        return frozenset(relevant)

    def weights_home(self, cell: Benchmark, row: str) -> Benchmark | None:
        """Another planned run with the same weights, from which only the predictions differ."""
        here = self.home(cell, row)
        filed = protocol.parse(here.protocol)
        if filed == protocol.RELEASED and _kind(row) in (ORIGINAL, GOLD):
            relevant = self._relevant[cell.dataset, cell.architecture, _kind(row)]
            filed = Protocol("corrected", filed.on & relevant)
        there = here.under(Protocol(filed.base, filed.deviations - EVALUATION).name)
        return there if there != here and (there, row) in self._homes else None

    @cached_property
    def _homes(self) -> frozenset[tuple[Benchmark, str]]:
        return frozenset(
            (self.home(cell, row), row) for cell in self.cells for row in self._run_rows(cell)
        )

    def _run_rows(self, cell: Benchmark) -> tuple[str, ...]:
        return (ORIGINAL, *self._gold_rows(cell), *self.rows_of(cell))

    def _gold_rows(self, cell: Benchmark) -> tuple[str, ...]:
        """Gold, and the further golds that are retrained beside it."""
        if not self.has_gold(cell):
            return ()
        numbers = range(1, 1 + self.settings.gold_seeds)
        return (GOLD, *(layout.further_gold(number) for number in numbers))

    def rows_of(self, cell: Benchmark) -> tuple[str, ...]:
        """Methods to be shown for a cell: its own, under single switches those that they concern."""
        if cell not in self._grid:
            wanted = {row for extent in self._served.get(cell, {}).values() for row in extent.rows}
            return tuple(row for row in self.settings.methods if row in wanted)
        rows = self._grid[cell].rows
        if not self._is_ablation(cell):
            return rows
        usual = cell.under(protocol.parse(cell.protocol).base)
        return tuple(
            row
            for row in rows
            if row in self._grid[usual].rows and self.home(cell, row) != self.home(usual, row)
        )

    def measured(self, cell: Benchmark) -> Benchmark:
        """The cell whose metrics file serves this one: switches of metrics alone need none of their own."""
        limited = protocol.parse(cell.protocol).limited_to(OF_RUNS)
        if self._is_ablation(cell) and not self.rows_of(cell):
            return cell.under(limited.base)
        return cell.under(limited.name)

    def run_folders(self, cell: Benchmark, seed: int) -> dict[str, str]:
        """Row → folder of its run, for the rows of a cell."""
        return dict(self._run_folders(cell, seed))

    @cached_property
    def _run_folders(self) -> Callable[[Benchmark, int], Mapping[str, str]]:
        """`run_folders`, found once: tables, figures and records are made of the same runs."""
        return cache(self._find_run_folders)

    def _find_run_folders(self, cell: Benchmark, seed: int) -> Mapping[str, str]:
        return {
            row: layout.run_folder(self.home(cell, row), seed, row).as_posix()
            for row in self._run_rows(cell)
        }

    def architecture(self, dataset: str, architecture: str) -> dict[str, Any]:
        """The architecture's section with the data set's own recipe."""
        section = self.settings.architectures[architecture].model_dump()
        section["training"] = training_of(self.settings, dataset, architecture).model_dump()
        return section

    def use_of(self, dataset: str, architecture: str) -> dict[str, Any]:
        """How an architecture is shown a data set: size of the images, augmentation."""
        return images_of(self.settings, dataset, architecture).model_dump(exclude={"store"})

    def store_of(self, dataset: str) -> dict[str, Any]:
        """How a data set's store is built; one that the file does not declare, as its source has it."""
        declared = self.settings.datasets.get(dataset, Dataset()).store
        options = declared.model_dump(mode="json", exclude_none=True)
        return {**options, "source": declared.source or dataset}

    def scenario(self, name: str) -> dict[str, Any]:
        """Returns what a step is told of a scenario; see `Scenario.told`."""
        return self.settings.scenarios[name].told(next(iter(self.settings.architectures)))

    def count_runs(self, cells: Iterable[Benchmark] | None = None) -> int:
        """Returns the number of models of some cells, of all unless given; each is counted once."""
        return len(
            {
                folder
                for cell in (self.cells if cells is None else cells)
                for seed in self.seeds_of(self.measured(cell))
                for folder in self.run_folders(self.measured(cell), seed).values()
            }
        )

    @cached_property
    def labelled(self) -> Mapping[str, tuple[Benchmark, ...]]:
        """Cells of each table that blocks are for."""
        found: dict[str, dict[Benchmark, None]] = {}
        for block in self.settings.grid:
            cells = benchmarks(self.settings.model_copy(update={"grid": (block,)}))
            for table in block.tables:
                found.setdefault(table, {}).update(dict.fromkeys(cells))
        return {name: tuple(cells) for name, cells in found.items()}

    @cached_property
    def parts(self) -> Mapping[str, tuple[Benchmark, ...]]:
        """The parts that can be made alone: the tables that blocks are for, and `architecture-dataset`."""
        found = {name: dict.fromkeys(cells) for name, cells in self.labelled.items()}
        for cell in self.cells:
            found.setdefault(f"{cell.architecture}-{cell.dataset}", {})[cell] = None
        return {name: tuple(cells) for name, cells in found.items()}


def _kind(row: str) -> str:
    """The row itself; `gold` of each further gold, which is made as gold is."""
    return GOLD if row.startswith(f"{layout.GOLD_AGAIN}-") else row


def _recorded(runs: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """Yields the hyper-parameters that sound records of runs state."""
    for folder in runs:
        record = find_record(layout.run_files(folder)["record"])
        stated = record.settings.get("hyperparameters")
        if not record.problem and isinstance(stated, Mapping):
            yield stated
