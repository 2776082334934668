"""What a configuration will run, every cell of it checked before a job starts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from lotus.data import sources
from lotus.data.splits import class_label
from lotus.errors import LotusError, choices
from lotus.layout import GOLD, ORIGINAL
from lotus.methods import base
from lotus.settings import (
    Benchmark,
    Origin,
    Settings,
    benchmarks,
    complain,
    hyperparameters_of,
    load,
    training_of,
)


@dataclass(frozen=True)
class Plan:
    """A checked configuration, and what each job has to be told."""

    settings: Settings

    @property
    def benchmarks(self) -> tuple[Benchmark, ...]:
        """Cells of the grid, in the order of the file."""
        return benchmarks(self.settings)

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows of every table: doing nothing, retraining, and the methods."""
        return (ORIGINAL, GOLD, *self.settings.methods)

    def method_of(self, row: str) -> str:
        """Registered method of a row."""
        return self.settings.methods[row].method or row

    def hyperparameters(self, cell: Benchmark, row: str) -> dict[str, Any]:
        """All hyper-parameters of a row in one benchmark, defaults filled in."""
        given = hyperparameters_of(self.settings, cell, row)
        return base.hyperparameters(base.make(self.method_of(row), given))

    def architecture(self, dataset: str, architecture: str) -> dict[str, Any]:
        """The architecture's section with the data set's own recipe."""
        section = self.settings.architectures[architecture].model_dump()
        section["training"] = training_of(self.settings, dataset, architecture).model_dump()
        return section

    def augmentation(self, dataset: str) -> dict[str, Any]:
        """How training images of a data set are augmented."""
        return self.settings.datasets[dataset].augmentation.model_dump()

    def scenario(self, name: str) -> dict[str, Any]:
        """A scenario's section, without the keys that do not apply."""
        section = self.settings.scenarios[name].model_dump(exclude_none=True)
        if "forget_class" in section:
            del section["forget_rule"]
        return section

    def description(self) -> dict[str, Any]:
        """What the report is about: the settings, and each benchmark with its resolved rows."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "rows": list(self.rows),
            "benchmarks": [
                {
                    "dataset": cell.dataset,
                    "architecture": cell.architecture,
                    "scenario": cell.scenario,
                    "training": self.architecture(cell.dataset, cell.architecture)["training"],
                    "methods": {
                        row: {
                            "method": self.method_of(row),
                            "hyperparameters": self.hyperparameters(cell, row),
                        }
                        for row in self.settings.methods
                    },
                }
                for cell in self.benchmarks
            ],
        }

    def summary(self) -> str:
        """What would be run, for a person."""
        cells = self.benchmarks
        originals = len({(c.dataset, c.architecture) for c in cells}) * len(self.settings.seeds)
        others = len(cells) * (len(self.rows) - 1) * len(self.settings.seeds)
        seeds = ", ".join(str(seed) for seed in self.settings.seeds)
        return "\n".join(
            [
                f"{self.settings.title} ({self.settings.protocol} protocol)",
                *(f"  {cell.name}" for cell in cells),
                f"  rows: {', '.join(self.rows)}",
                f"  seeds: {seeds}",
                f"  models: {originals} originals, {others} gold and unlearned",
            ]
        )


def make_plan(content: Mapping[str, Any], origins: Sequence[Origin]) -> Plan:
    """Checks a configuration completely.

    Args:
        content: as merged from all origins.
        origins: for the messages only.

    Raises:
        LotusError: one line per mistake: file, key path, value, what is accepted.

    """
    settings = load(content, origins)
    problems = [
        complain(origins, path, value, what)
        for check in (_datasets, _methods)
        for path, value, what in check(settings)
    ]
    if problems:
        raise LotusError("\n".join(dict.fromkeys(problems)))
    return Plan(settings)


Problem = tuple[list[str | int], Any, str]


def _datasets(settings: Settings) -> Iterator[Problem]:
    """Data sets that do not exist, classes that a data set of the grid lacks."""
    known = sources.available()
    for name in settings.datasets:
        if name not in known:
            yield ["datasets", name], None, f"unknown data set; {choices(name, known)}"
    for cell in benchmarks(settings):
        wanted = settings.scenarios[cell.scenario].forget_class
        if wanted is None or cell.dataset not in known:
            continue
        try:
            class_label(sources.source(cell.dataset).classes, wanted)
        except LotusError as error:
            what = f"data set {cell.dataset}: {error}"
            yield ["scenarios", cell.scenario, "forget_class"], wanted, what


def _methods(settings: Settings) -> Iterator[Problem]:
    """Methods that do not exist, hyper-parameters that they refuse."""
    known = base.available()
    for row, entry in settings.methods.items():
        name = entry.method or row
        if name not in known:
            place = ["methods", row] + (["method"] if entry.method else [])
            yield [*place], entry.method, f"unknown method; {choices(name, known)}"
            continue
        if row in (ORIGINAL, GOLD):
            yield ["methods", row], None, "this name is taken; call the row otherwise"
        for key, value, what in base.problems(name, entry.hyperparameters):
            yield ["methods", row, key], value, what
        for position, override in enumerate(settings.overrides):
            for key, value, what in base.problems(name, override.methods.get(row, {})):
                yield ["overrides", position, "methods", row, key], value, what


def json_schema() -> dict[str, Any]:
    """Schema of configuration files, with the hyper-parameters of all methods."""
    schema = Settings.model_json_schema()
    schema["properties"]["methods"]["properties"] = {
        name: {
            "description": (base.method_class(name).__doc__ or "").strip().splitlines()[0],
            **TypeAdapter(base.method_class(name)).json_schema(),
        }
        for name in base.available()
    }
    return schema
