"""What a configuration will run, every cell of it checked before a job starts."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from pydantic import TypeAdapter

from lotus import layout
from lotus.config import protocol
from lotus.config.protocol import Protocol
from lotus.config.settings import (
    Benchmark,
    Dataset,
    Extent,
    Origin,
    Settings,
    benchmarks,
    complain,
    hyperparameters_of,
    images_of,
    load,
    training_of,
)
from lotus.data import sources
from lotus.data.calibration import class_problem
from lotus.data.splits import class_label
from lotus.errors import LotusError, choices
from lotus.layout import GOLD, ORIGINAL
from lotus.methods import base
from lotus.methods.plugins import load_plugins
from lotus.names import composed
from lotus.published.counterparts import counterpart

EVALUATION = protocol.of_stage("evaluation")
OF_RUNS = protocol.of_stage("training", "method", "evaluation")

SIDE_BY_SIDE = 6
"""Methods that are shown side by side without a choice among them."""
EXPLAINED = ("lotus", "random-labeling", "finetune", "bad-teacher")


@dataclass(frozen=True)
class Plan:
    """A checked configuration, and what each job has to be told."""

    settings: Settings

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
        """Rows of all tables: doing nothing, retraining if there is such, and the methods."""
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
        own = base.entry_of(name).own_switches
        column = ("released" if own <= wanted.on else "corrected") if own else wanted.base
        given = hyperparameters_of(self.settings, cell, row, column)
        return base.hyperparameters(base.make(name, base.constants(name, wanted) | given))

    def home(self, cell: Benchmark, row: str) -> Benchmark:
        """Where the run of a row is filed: under the protocol as far as it concerns this run.

        So protocols that differ in what does not touch a run share it, and all studies do.
        """
        cell = cell.outside_study
        wanted = protocol.parse(cell.protocol)
        relevant = self._relevant[cell.dataset, cell.architecture, row]
        if row in (ORIGINAL, GOLD):
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
            relevant |= base.entry_of(self.method_of(row)).switches
            if self.settings.architectures[architecture].batch_norm:
                relevant.add("E1")
            if use.resize is not None:
                relevant.add("R2")
        return frozenset(relevant)

    def weights_home(self, cell: Benchmark, row: str) -> Benchmark | None:
        """Another planned run with the same weights, from which only the predictions differ."""
        here = self.home(cell, row)
        filed = protocol.parse(here.protocol)
        if filed == protocol.RELEASED and row in (ORIGINAL, GOLD):
            relevant = self._relevant[cell.dataset, cell.architecture, row]
            filed = Protocol("corrected", filed.on & relevant)
        there = here.under(Protocol(filed.base, filed.deviations - EVALUATION).name)
        return there if there != here and (there, row) in self._homes else None

    @cached_property
    def _homes(self) -> frozenset[tuple[Benchmark, str]]:
        return frozenset(
            (self.home(cell, row), row) for cell in self.cells for row in self._run_rows(cell)
        )

    def _run_rows(self, cell: Benchmark) -> tuple[str, ...]:
        gold = (GOLD,) if self.has_gold(cell) else ()
        return (ORIGINAL, *gold, *self.rows_of(cell))

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
        return {
            row: layout.run_folder(self.home(cell, row), seed, row).as_posix()
            for row in self._run_rows(cell)
        }

    def explained_runs(self, cell: Benchmark, seed: int) -> dict[str, str]:
        """Row → folder of its run, for the models whose Grad-CAM maps are shown side by side.

        Original, gold and the methods of the cell; of many methods the first row of each of `EXPLAINED`,
        or the first rows where none is one of these.
        """
        folders = self.run_folders(cell, seed)
        methods = [row for row in folders if row not in (ORIGINAL, GOLD)]
        if len(methods) > SIDE_BY_SIDE:
            by_method = {self.method_of(row): row for row in reversed(methods)}
            named = [by_method[name] for name in EXPLAINED if name in by_method]
            methods = named or methods[:SIDE_BY_SIDE]
        references = [row for row in (ORIGINAL, GOLD) if row in folders]
        return {row: folders[row] for row in [*references, *methods]}

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
        """A scenario's section, without the keys that do not apply."""
        section = self.settings.scenarios[name].model_dump(exclude_none=True)
        if not self.settings.scenarios[name].has_rule:
            del section["forget_rule"]
        return section

    def description(self) -> dict[str, Any]:
        """What the report is about: the settings, and each cell with its runs and resolved rows."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "rows": list(self.rows),
            "benchmarks": [self._described(cell) for cell in self.benchmarks],
            "ablations": [self._described(cell) for cell in self.ablations],
        }

    def _described(self, cell: Benchmark) -> dict[str, Any]:
        measured = self.measured(cell)
        return {
            "dataset": cell.dataset,
            "architecture": cell.architecture,
            "scenario": cell.scenario,
            "protocol": cell.protocol,
            "study": cell.study,
            "measured": measured.protocol,
            "items": [label for label, cells in self.labelled.items() if cell in cells],
            "published": counterpart(self.settings, cell),
            "training": self.architecture(cell.dataset, cell.architecture)["training"],
            "runs": {seed: self.run_folders(measured, seed) for seed in self.seeds_of(measured)},
            "methods": {
                row: {
                    "method": self.method_of(row),
                    "calibration": self.calibration_of(row),
                    "hyperparameters": self.hyperparameters(self.home(cell, row), row),
                }
                for row in self.rows_of(measured)
            },
        }

    def tuned_cells(self) -> tuple[Benchmark, ...]:
        """Cells that hyper-parameters are tuned for: those of the corrected protocol."""
        cells = (cell.outside_study for cell in self.benchmarks if cell.protocol == "corrected")
        return tuple(dict.fromkeys(cells))

    def tuned_rows(self, cell: Benchmark) -> tuple[str, ...]:
        """Rows with a space that the cell has, in whichever study."""
        spaces = self.settings.tuning.spaces if self.settings.tuning is not None else {}
        here = {
            row
            for other in self.cells
            if other.outside_study == cell
            for row in self.rows_of(other)
        }
        return tuple(row for row in spaces if row in here)

    def candidates(self, cell: Benchmark, row: str) -> list[dict[str, Any]]:
        """What tuning tries for a row: its own hyper-parameters with combinations of its space.

        At most the budget; the draw depends on row and benchmark alone.
        """
        tuning = self.settings.tuning
        if tuning is None or row not in tuning.spaces:
            return []
        space = tuning.spaces[row]
        own, name = self.settings.methods[row].hyperparameters, self.method_of(row)
        every = [
            _as_read(name, own | dict(zip(space, values, strict=True)))
            for values in product(*space.values())
        ]
        if len(every) > tuning.budget:
            every = random.Random(f"{cell.name}/{row}").sample(every, tuning.budget)
        return every

    def run_count(self) -> int:
        """Number of models, each counted once."""
        return self._count(self.cells)

    def _count(self, cells: Iterable[Benchmark]) -> int:
        return len(
            {
                folder
                for cell in cells
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
        """What can be made alone: the tables that blocks are for, and `architecture-dataset`."""
        found = {name: dict.fromkeys(cells) for name, cells in self.labelled.items()}
        for cell in self.cells:
            found.setdefault(f"{cell.architecture}-{cell.dataset}", {})[cell] = None
        return {name: tuple(cells) for name, cells in found.items()}

    def part_counts(self) -> str:
        """Models of each part, for a person."""
        width = max(len(name) for name in self.parts)
        counted = {name: self._count(cells) for name, cells in self.parts.items()}
        lines = [f"  {name:<{width}}  {count:>5}" for name, count in counted.items()]
        return "\n".join(
            [f"Models of each part ({self.run_count()} in all; parts share some):", *lines]
        )

    def summary(self) -> str:
        """What would be run, for a person."""
        seeds = ", ".join(str(seed) for seed in self.settings.seeds)
        concerned = {cell: self.rows_of(cell) for cell in self.ablations}
        return "\n".join(
            [
                self.settings.title,
                *(f"  {cell.name}{self._special(cell)}" for cell in self.benchmarks),
                *(
                    f"  {cell.name}: {', '.join(rows) or 'no other runs'}"
                    for cell, rows in concerned.items()
                ),
                f"  rows: {', '.join(self.rows)}",
                f"  seeds: {seeds}",
                f"  models: {self.run_count()}",
            ]
        )

    def _special(self, cell: Benchmark) -> str:
        """In what a cell is not like all others."""
        rows = self.rows_of(cell)
        some = ", ".join(rows) if rows != tuple(self.settings.methods) else ""
        said = [part for part in (some, "" if self.has_gold(cell) else "no gold model") if part]
        return f": {'; '.join(said)}" if said else ""


def _as_read(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters as the method reads them: `1e-3` is a number."""
    read = base.hyperparameters(base.make(name, given))
    return {key: read[key] for key in given}


def make_plan(content: Mapping[str, Any], origins: Sequence[Origin]) -> Plan:
    """Checks a configuration completely.

    Args:
        content: as merged from all origins.
        origins: for the messages only.

    Raises:
        LotusError: one line per mistake: file, key path, value, what is accepted.

    """
    settings = load(content, origins)
    try:
        load_plugins(settings.plugins)
    except LotusError as error:
        raise LotusError(complain(origins, ["plugins"], None, str(error))) from None
    problems = [
        complain(origins, path, value, what)
        for check in (_datasets, _methods, _calibrations)
        for path, value, what in check(settings)
    ]
    if problems:
        raise LotusError("\n".join(dict.fromkeys(problems)))
    return Plan(settings)


def source_name(settings: Settings, dataset: str) -> str:
    """Registered name of a data set of the configuration."""
    return settings.datasets[dataset].store.source or dataset


Problem = tuple[list[str | int], Any, str]


def _datasets(settings: Settings) -> Iterator[Problem]:
    """Data sets that do not exist, classes that a data set of the grid lacks."""
    known = sources.available()
    for name, dataset in settings.datasets.items():
        given = dataset.store.source
        if (given or name) not in known:
            place: list[str | int] = ["datasets", name, *(["store", "source"] if given else [])]
            yield place, given, f"unknown data set; {choices(given or name, known)}"
    for cell in dict.fromkeys(cell.under("") for cell in benchmarks(settings)):
        wanted = settings.scenarios[cell.scenario].forget_class
        classes = _classes(settings, cell.dataset)
        if wanted is None or classes is None:
            continue
        try:
            class_label(classes, wanted)
        except LotusError as error:
            what = f"data set {cell.dataset}: {error}"
            yield ["scenarios", cell.scenario, "forget_class"], wanted, what


def _methods(settings: Settings) -> Iterator[Problem]:
    """Methods that do not exist, hyper-parameters that they refuse."""
    known = base.available()
    for row, entry in settings.methods.items():
        name = composed(entry.method or row)
        if name not in known:
            named = ["method"] if entry.method else []
            yield ["methods", row, *named], entry.method, f"unknown method; {choices(name, known)}"
            continue
        if row in (ORIGINAL, GOLD):
            yield ["methods", row], None, "this name is taken; call the row otherwise"
        for place, values in _given(settings, row):
            for key, value, what in base.problems(name, values):
                yield [*place, key], value, what


def _calibrations(settings: Settings) -> Iterator[Problem]:
    """Calibration sets of other classes than the data sets that their rows are run on."""
    for cell, extent in benchmarks(settings).items():
        for row in extent.rows:
            name = settings.methods[row].calibration
            if name is None:
                continue
            theirs, ours = (_classes(settings, dataset) for dataset in (name, cell.dataset))
            problem = class_problem(theirs, ours) if theirs and ours else ""
            if problem:
                what = f"for data set {cell.dataset}: {problem}"
                yield ["methods", row, "calibration"], name, what


def _classes(settings: Settings, dataset: str) -> tuple[str, ...] | None:
    """Classes of a data set of the configuration, where they are known before it is read."""
    source = source_name(settings, dataset)
    return sources.source(source).classes if source in sources.available() else None


def _given(settings: Settings, row: str) -> Iterator[tuple[list[str | int], Mapping[str, Any]]]:
    """Every place of a configuration that gives hyper-parameters of a row."""
    yield ["methods", row], settings.methods[row].hyperparameters
    for position, override in enumerate(settings.overrides):
        yield ["overrides", position, "methods", row], override.methods.get(row, {})
    space = settings.tuning.spaces.get(row, {}) if settings.tuning is not None else {}
    for key, values in space.items():
        for value in values:
            yield ["tuning", "spaces", row], {key: value}


def json_schema() -> dict[str, Any]:
    """Schema of configuration files, with the hyper-parameters of all methods."""
    schema = Settings.model_json_schema()
    of_rows = schema["$defs"]["Method"]["properties"]
    sections = {
        name: TypeAdapter(base.method_class(name)).json_schema() for name in base.available()
    }
    schema["properties"]["methods"]["properties"] = {
        name: {
            "description": base.describe(name).idea,
            **section,
            "properties": {**section["properties"], **of_rows},
        }
        for name, section in sections.items()
    }
    return schema
