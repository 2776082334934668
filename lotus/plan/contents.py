"""The tables and figures that an experiment comes to, and what each is made of.

The workflow makes what stands here, and the report shows it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.protocol import CORRECTED, parse
from lotus.plan.description import description as description_of_plan
from lotus.plan.plan import Plan
from lotus.records.files import write_json
from lotus.records.record import write_record


@dataclass(frozen=True)
class Made:
    """A table or figure.

    Attributes:
        folder, name: where it lies under `results`, without its ending.
        kind: name of its function.
        sources: files that it is made from.
        about: data set, architecture, scenario, protocol and study, as far as it is about one.

    """

    folder: str
    name: str
    kind: str
    sources: tuple[str, ...]
    about: Mapping[str, str] = field(default_factory=dict)


T = TypeVar("T")
Cells = Sequence[Benchmark]
FilesOf = Callable[[Cells], Sequence[str]]


@dataclass(frozen=True)
class Contents:
    """Everything that is made of the runs of a plan."""

    plan: Plan

    @cached_property
    def cells(self) -> tuple[Benchmark, ...]:
        """Cells with tables and figures of their own."""
        return self.plan.benchmarks

    @cached_property
    def ablated(self) -> tuple[Benchmark, ...]:
        """Cells of single switches, and what they are compared with, as they are measured."""
        return _each_once(
            self.plan.measured(cell)
            for wanted in self.plan.ablations
            for cell in (wanted.under(parse(wanted.protocol).base), wanted)
        )

    @cached_property
    def measured(self) -> tuple[Benchmark, ...]:
        """All cells with metrics."""
        return _each_once([*self.cells, *self.ablated])

    @cached_property
    def _with_gold(self) -> tuple[Benchmark, ...]:
        return tuple(cell for cell in self.cells if self.plan.has_gold(cell))

    @cached_property
    def _of_images(self) -> tuple[Benchmark, ...]:
        """Cells in which RF-JSD can be held against JSD."""
        return tuple(
            cell
            for cell in self._with_gold
            if not self._forgets_a_class(cell) and cell.protocol == CORRECTED.name
        )

    @cached_property
    def _explained(self) -> tuple[Benchmark, ...]:
        """Cells with Grad-CAM maps: one scenario of single images tells as much as all."""
        first = next(iter(self.plan.settings.scenarios))
        return tuple(
            cell
            for cell in self._with_gold
            if not cell.study and (self._forgets_a_class(cell) or cell.scenario == first)
        )

    @property
    def _of_lotus(self) -> tuple[Benchmark, ...]:
        return tuple(cell for cell in self.cells if any(self._lotus_rows(cell)))

    def _forgets_a_class(self, cell: Benchmark) -> bool:
        return self.plan.settings.scenarios[cell.scenario].forgets_a_class

    def _lotus_rows(self, cell: Benchmark) -> Iterator[str]:
        return (row for row in self.plan.rows_of(cell) if self.plan.method_of(row) == "lotus")

    def run_files(self, name: str, cells: Cells) -> list[str]:
        """One file of every run of cells, each once."""
        return list(
            _each_once(
                f"{folder}/{name}"
                for cell in cells
                for seed in self.plan.seeds_of(cell)
                for folder in self.plan.run_folders(cell, seed).values()
            )
        )

    def records(self, cells: Cells) -> list[str]:
        """Records of the runs of cells."""
        return self.run_files("run.json", cells)

    def metrics(self, cells: Cells) -> list[str]:
        """Metrics files of cells."""
        return [
            str(layout.metrics_file(cell, seed))
            for cell in cells
            for seed in self.plan.seeds_of(cell)
        ]

    def audits(self, datasets: Iterable[str]) -> list[str]:
        """Audits of data sets, in the parts of each of their scenarios."""
        places = dict.fromkeys((cell.dataset, cell.scenario) for cell in self.cells)
        return [str(layout.audit_file(*place)) for place in places if place[0] in datasets]

    def _lotus_records(self, cells: Cells) -> list[str]:
        return list(
            _each_once(
                f"{self.plan.run_folders(cell, seed)[row]}/run.json"
                for cell in cells
                for seed in self.plan.seeds_of(cell)
                for row in self._lotus_rows(cell)
            )
        )

    def _metrics_and_records(self, cells: Cells) -> list[str]:
        return [*self.metrics(cells), *self.records(cells)]

    def means(self, cell: Benchmark) -> list[str]:
        """Files of a cell's means, one for each row."""
        return [f"{layout.MEANS}/{cell.name}/{row}.json" for row in self.plan.run_folders(cell, 0)]

    def item_sources(self, label: str) -> list[str]:
        """What a table of the paper is measured from: metrics and records of the cells that are for it."""
        cells = [cell for cell in self.plan.labelled.get(label, ()) if cell in self.cells]
        return self._metrics_and_records([self.plan.measured(cell) for cell in cells])

    @cached_property
    def tables(self) -> tuple[Made, ...]:
        """Tables of the experiment."""
        return (
            *(self._of_cell("tables", cell.name, "benchmark", cell) for cell in self.cells),
            Made("tables", "per-seed", "per-seed", tuple(self.metrics(self.measured))),
            *self._changes("tables"),
            *self._across("tables", "summary", self.metrics, self.cells),
            *self._across("tables", "correlation", self.metrics, self._of_images),
            *self._across("timings", "times", self.records, self.cells),
            *self._across("timings", "cost", self.records, self.cells),
        )

    @cached_property
    def figures(self) -> tuple[Made, ...]:
        """Figures of the experiment."""
        across = self._across
        return (
            *(
                self._of_cell("figures", f"streisand-{cell.name}", "streisand", cell)
                for cell in self.cells
            ),
            *self._changes("figures"),
            *across("figures", "avg-gap", self.metrics, self._with_gold),
            *across("figures", "rf-jsd", self.metrics, self._of_images),
            *across("figures", "jsd-bars", self.metrics, self._with_gold),
            *across("figures", "temperature", self._lotus_records, self._of_lotus),
            *across("timings", "times", self.records, self.cells),
            *across("timings", "time-bars", self.records, self.cells),
            *across("timings", "cost", self.records, self.cells),
            *across("timings", "pareto", self._metrics_and_records, self._with_gold),
            *(self._maps(cell) for cell in self._explained),
            *self._of_data(),
        )

    def _of_cell(self, folder: str, name: str, kind: str, cell: Benchmark) -> Made:
        return Made(folder, name, kind, tuple(self.metrics([cell])), cell.labels)

    def _changes(self, folder: str) -> Iterator[Made]:
        """What single switches change, if any was tried."""
        if self.ablated:
            yield Made(folder, "ablation", "ablation", tuple(self.metrics(self.ablated)))

    def _across(self, folder: str, kind: str, files: FilesOf, cells: Cells) -> Iterator[Made]:
        """One for each study; of the cells that the configuration names for this kind, if it names any."""
        named = self.plan.labelled.get(kind)
        for study in dict.fromkeys(cell.study for cell in cells):
            here = [cell for cell in cells if cell.study == study]
            meant = [cell for cell in here if cell in named] if named else here
            if meant:
                about = {"study": study} if study else {}
                yield Made(folder, layout.in_study(kind, study), kind, tuple(files(meant)), about)

    def _maps(self, cell: Benchmark) -> Made:
        source = layout.gradcam_file(cell, self.plan.seeds_of(cell)[0])
        return Made("figures", f"gradcam-{cell.name}", "gradcam", (str(source),), cell.labels)

    def _of_data(self) -> Iterator[Made]:
        datasets = list(dict.fromkeys(cell.dataset for cell in self.cells))
        for dataset in datasets:
            audited = tuple(self.audits([dataset]))
            about = {"dataset": dataset}
            yield Made("figures", f"data-classes-{dataset}", "classes", audited, about)
            # Which images are alike depends little on the scenario.
            yield Made("figures", f"data-duplicates-{dataset}", "duplicates", audited[:1], about)
        yield Made("figures", "data-similarity", "similarity", tuple(self.audits(datasets)))


def description(plan: Plan) -> dict[str, Any]:
    """What a report is about: `Plan.description`, and which tables and figures there are."""
    contents = Contents(plan)
    described = {
        form: [
            {key: getattr(made, key) for key in ("folder", "name", "kind", "about")}
            for made in list_of
        ]
        for form, list_of in (("tables", contents.tables), ("figures", contents.figures))
    }
    return {**description_of_plan(plan), **described}


def write_description(plan: Plan, origins: Mapping[str, Any], out: Path, record: Path) -> None:
    """Writes the description of an experiment, and its record.

    Args:
        origins: `files` of the configuration and what was `given` besides: where the settings come from.

    """
    write_json(out, description(plan))
    write_record(
        record,
        kind="experiment",
        modules=[__name__],
        about={"title": plan.settings.title},
        settings=dict(origins),
        inputs=[],
        outputs=[out],
    )


def _each_once(things: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(things))
