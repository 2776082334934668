"""The tables and figures that an experiment comes to, and what each is made of.

The workflow makes what stands here, and the report shows it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from lotus import layout
from lotus.attacks.base.klom import FEWEST
from lotus.config.cells import Benchmark
from lotus.config.protocol import CORRECTED, parse
from lotus.config.resolved import cells_of_power, chosen_for
from lotus.errors import LotusError
from lotus.figures.registry import FIGURES
from lotus.plan.description import description as description_of_plan
from lotus.plan.plan import Plan
from lotus.plan.rows import rows_of_means
from lotus.plan.shadows import shadowed_cells
from lotus.plugin_files import modules_of
from lotus.records.files import write_json
from lotus.records.record import write_record
from lotus.results.power import power_file, power_name
from lotus.tables.discovery import Registry, refuse_shared_targets
from lotus.tables.registry import PAPER_TABLES, TABLES
from lotus.tables.spec import Cells, Spec


@dataclass(frozen=True)
class PlannedItem:
    """A table or figure.

    Attributes:
        folder, name: where it lies under `results`, without its ending.
        kind: name of its function.
        sources: files that it is made from.
        module: that makes it: the entry of its code identity.
        about: data set, architecture, scenario, protocol and study, as far as it is about one.

    """

    folder: str
    name: str
    kind: str
    sources: tuple[str, ...]
    module: str
    about: Mapping[str, str] = field(default_factory=dict)


T = TypeVar("T")


def _of_seeds(plan: Plan, place: Callable[[Benchmark, int], Path], cells: Cells) -> list[str]:
    return [str(place(cell, seed)) for cell in cells for seed in plan.seeds_of(cell)]


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
    def apart(self) -> tuple[Benchmark, ...]:
        """Cells with seeds whose kinds of randomness are seeded each for itself."""
        apart = self.plan.settings.apart
        return tuple(cell for cell in self.cells if any(map(apart, self.plan.seeds_of(cell))))

    @cached_property
    def of_several_rules(self) -> tuple[Benchmark, ...]:
        """Cells in which as many images are forgotten as in others, chosen by another rule."""
        by_place: dict[tuple[Any, ...], list[Benchmark]] = {}
        for cell in self.cells:
            scenario = self.plan.settings.scenarios[cell.scenario]
            if scenario.has_rule:
                share = scenario.forget_fraction, scenario.forget_per_class
                place = (cell.dataset, cell.architecture, cell.protocol, cell.study, *share)
                by_place.setdefault(place, []).append(cell)
        return tuple(cell for cells in by_place.values() if len(cells) > 1 for cell in cells)

    @cached_property
    def with_gold(self) -> tuple[Benchmark, ...]:
        """Cells with a gold model."""
        return tuple(cell for cell in self.cells if self.plan.has_gold(cell))

    @cached_property
    def of_images(self) -> tuple[Benchmark, ...]:
        """Cells in which RF-JSD can be held against JSD."""
        return tuple(
            cell
            for cell in self.with_gold
            if not self._forgets_a_class(cell) and cell.protocol == CORRECTED.name
        )

    @cached_property
    def explained(self) -> tuple[Benchmark, ...]:
        """Cells with Grad-CAM maps: one scenario of single images tells as much as all."""
        first = next(iter(self.plan.settings.scenarios))
        return tuple(
            cell
            for cell in self.with_gold
            if not cell.study and (self._forgets_a_class(cell) or cell.scenario == first)
        )

    @cached_property
    def of_many_models(self) -> tuple[Benchmark, ...]:
        """Cells with shadow models, or with golds enough to compare how models are spread."""
        shadowed = {*shadowed_cells(self.plan)}
        return tuple(
            cell
            for cell in self.cells
            if cell in shadowed
            or (cell in self.with_gold and len(self.plan.seeds_of(cell)) >= FEWEST)
        )

    @cached_property
    def of_lotus(self) -> tuple[Benchmark, ...]:
        """Cells with a row of LoTUS."""
        return tuple(cell for cell in self.cells if any(self._lotus_rows(cell)))

    @cached_property
    def tuned(self) -> tuple[Benchmark, ...]:
        """Cells of no study with rows of which an override states what tuning found."""
        return tuple(
            cell
            for cell in self.cells
            if cell.protocol == CORRECTED.name
            and not cell.study
            and any(chosen_for(self.plan.settings, cell, row) for row in self.plan.rows_of(cell))
        )

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
        return self.run_files(layout.RUN_RECORD, cells)

    def metrics(self, cells: Cells) -> list[str]:
        """Metrics files of cells."""
        return _of_seeds(self.plan, layout.metrics_file, cells)

    def entropies(self, cells: Cells) -> list[str]:
        """Files of entropies of cells, one beside each metrics file."""
        return _of_seeds(self.plan, layout.entropies_file, cells)

    def forget_sets(self, cells: Cells) -> list[str]:
        """Forget sets of cells, of their first seeds."""
        return list(
            _each_once(
                layout.split_file(
                    cell.dataset, self.plan.seeds_of(cell)[0], cell.scenario
                ).as_posix()
                for cell in cells
            )
        )

    def attacks(self, cells: Cells) -> list[str]:
        """Files of what membership attacks find in cells."""
        shadowed = {*shadowed_cells(self.plan)}
        return [
            str(path)
            for cell in cells
            for path in (
                layout.attacks_file(cell),
                *((layout.shadows_file(cell),) if cell in shadowed else ()),
            )
        ]

    def audits(self, datasets: Iterable[str]) -> list[str]:
        """Audits of data sets, in the parts of each of their scenarios."""
        places = dict.fromkeys((cell.dataset, cell.scenario) for cell in self.cells)
        return [str(layout.audit_file(*place)) for place in places if place[0] in datasets]

    def lotus_records(self, cells: Cells) -> list[str]:
        """Records of the runs of LoTUS in cells."""
        return list(
            _each_once(
                f"{self.plan.run_folders(cell, seed)[row]}/{layout.RUN_RECORD}"
                for cell in cells
                for seed in self.plan.seeds_of(cell)
                for row in self._lotus_rows(cell)
            )
        )

    def maps(self, cells: Cells) -> list[str]:
        """Grad-CAM maps of cells, of their first seeds."""
        return [str(layout.gradcam_file(cell, self.plan.seeds_of(cell)[0])) for cell in cells]

    def means(self, cell: Benchmark) -> list[str]:
        """Files of a cell's means, one for each row."""
        rows = rows_of_means(self.plan, cell)
        return [f"{layout.MEANS}/{cell.name}/{row}.json" for row in rows]

    def item_sources(self, label: str) -> list[str]:
        """Returns what a table of the paper is measured from: metrics and records of the cells for it."""
        cells = [cell for cell in self.plan.labelled.get(label, ()) if cell in self.cells]
        measured = [self.plan.measured(cell) for cell in cells]
        return [*self.metrics(measured), *self.records(measured)]

    @cached_property
    def tables(self) -> tuple[PlannedItem, ...]:
        """Tables of the experiment."""
        return self._made(TABLES)

    @cached_property
    def figures(self) -> tuple[PlannedItem, ...]:
        """Figures of the experiment."""
        return self._made(FIGURES)

    @property
    def on_request(self) -> tuple[PlannedItem, ...]:
        """Tables and figures that a target alone asks for: those of `snakemake power`, where it is set."""
        protocols = [cell.protocol for cell in cells_of_power(self.plan.settings)]
        sources = {power_name(name): (str(power_file(name)),) for name in protocols}
        return tuple(
            PlannedItem(folder, name, "power", sources[name], registry.module_of("power"))
            for name in sources
            for folder, registry in (("tables", TABLES), ("figures", FIGURES))
        )

    @cached_property
    def paper_tables(self) -> tuple[PlannedItem, ...]:
        """The paper's tables beside what was measured."""
        return tuple(
            PlannedItem(
                "paper", name, name, tuple(self.item_sources(name)), PAPER_TABLES.module_of(name)
            )
            for name in PAPER_TABLES.specs
        )

    def _made(self, registry: Registry[Any]) -> tuple[PlannedItem, ...]:
        """All that the specs of a registry come to.

        Raises:
            LotusError: two specs come to files of one name.

        """
        found: list[tuple[int, int, PlannedItem]] = []
        for spec in registry.specs.values():
            for place, (subject, about, cells) in enumerate(self._subjects(spec)):
                sources = tuple(spec.sources(self, cells))
                module = registry.module_of(spec.name)
                name = spec.file_name(subject)
                made = PlannedItem(spec.folder, name, spec.name, sources, module, about)
                found.append((spec.order, place, made))
        # Where specs share a place, what is of one subject stands together.
        every = [made for *_, made in sorted(found, key=lambda of: of[:2])]
        owners: dict[tuple[str, str], PlannedItem] = {}
        for made in every:
            other = owners.setdefault((made.folder, made.name), made)
            if other is not made:
                raise LotusError(
                    f"{other.module} and {made.module} both make {made.folder}/{made.name}; give the "
                    "SPEC of one another stem"
                )
        return tuple(every)

    def _subjects(self, spec: Spec) -> Iterator[tuple[str, Mapping[str, str], Cells]]:
        """Yields each subject that a spec is made for: in file names, in words, and its cells."""
        cells = spec.cells(self)
        if spec.each == "cell":
            yield from ((cell.name, cell.labels, [cell]) for cell in cells)
        elif spec.each == "study":
            for study, here in _grouped(cells, lambda cell: cell.study).items():
                # Those that the configuration names for this spec, if it names any.
                named = self.plan.labelled.get(spec.name)
                if meant := [cell for cell in here if cell in named] if named else here:
                    yield study, {"study": study} if study else {}, meant
        elif spec.each == "data set":
            for dataset, here in _grouped(cells, lambda cell: cell.dataset).items():
                yield dataset, {"dataset": dataset}, here
        elif cells:
            yield "", {}, cells


def check_specs() -> None:
    """Reads the specs of all tables and figures.

    Raises:
        LotusError: one cannot be used, or two have the same target; names the file.

    """
    refuse_shared_targets(TABLES, FIGURES, PAPER_TABLES)


def description(plan: Plan) -> dict[str, Any]:
    """Returns what a report is about: the plan's description, and which tables and figures there are."""
    contents = Contents(plan)
    described = {
        form: [
            {key: getattr(made, key) for key in ("folder", "name", "kind", "about")}
            for made in list_of
        ]
        for form, list_of in (("tables", contents.tables), ("figures", contents.figures))
    }
    return {**description_of_plan(plan), **described}


def describing_modules(plan: Plan) -> list[str]:
    """Returns where the code begins by which a plan is described: plug-ins say what can be set."""
    return [__name__, *modules_of(plan.settings.plugins)]


def write_description(plan: Plan, origins: Mapping[str, Any], out: Path, record: Path) -> None:
    """Writes the description of an experiment, and its record.

    Args:
        origins: `files` of the configuration and what was `given` besides: where the settings come from.

    """
    write_json(out, description(plan))
    write_record(
        record,
        kind="experiment",
        modules=describing_modules(plan),
        about={"title": plan.settings.title},
        settings=dict(origins),
        inputs=[],
        outputs=[out],
    )


def _each_once(things: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(things))


def _grouped(
    cells: Iterable[Benchmark], key: Callable[[Benchmark], str]
) -> dict[str, list[Benchmark]]:
    """Key → its cells, in the order of the first ones."""
    found: dict[str, list[Benchmark]] = {}
    for cell in cells:
        found.setdefault(key(cell), []).append(cell)
    return found
