"""Mistakes of a configuration that concern several keys at once."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import (
    ValidationError,
)

from lotus.config import protocol
from lotus.config.cells import Benchmark
from lotus.config.fields import Section
from lotus.config.mistakes import worded
from lotus.config.overrides import Override
from lotus.config.power import Power
from lotus.config.privacy import FIRST_SHADOW
from lotus.config.resolved import benchmarks, cells_of_power
from lotus.config.settings import Settings
from lotus.config.tuning import FEWEST_SEEDS, Tuning
from lotus.errors import choices

Problem = tuple[list[str | int], Any, str]


def inconsistencies(settings: Settings) -> Iterator[Problem]:
    """Mistakes that concern several keys at once."""
    for position, seed in enumerate(settings.seeds):
        if seed in settings.seeds[:position]:
            yield ["seeds", position], seed, "duplicate seed; each seed may be given once"
    apart = [each.seed for each in settings.seeds_apart]
    for position, seed in enumerate(apart):
        if seed in apart[:position]:
            yield ["seeds_apart", position, "seed"], seed, "duplicate seed; each may be given once"
        elif seed not in settings.seeds:
            accepted = ", ".join(map(str, settings.seeds))
            what = f"is not among the file's seeds; accepted: {accepted}"
            yield ["seeds_apart", position, "seed"], seed, what
    for name, scenario in settings.scenarios.items():
        if not scenario.is_called(name):
            what = f"a scenario with these values must be called '{scenario.canonical_name}'"
            if scenario.is_listed:
                what += ", or a name that ends in '-listed'"
            yield ["scenarios", name], None, what
        ranks = scenario.ranked_by
        if ranks is not None and ranks not in settings.architectures:
            what = (
                f"is not declared under 'architectures'; {choices(ranks, settings.architectures)}"
            )
            yield ["scenarios", name, "ranked_by"], ranks, what
    declared: dict[str, Mapping[str, Any]] = {
        "datasets": settings.datasets,
        "architectures": settings.architectures,
        "scenarios": settings.scenarios,
        "methods": settings.methods,
    }
    for row, entry in settings.methods.items():
        if entry.calibration is not None and entry.calibration not in settings.datasets:
            what = (
                f"is not declared under 'datasets'; {choices(entry.calibration, settings.datasets)}"
            )
            yield ["methods", row, "calibration"], entry.calibration, what
    for position, block in enumerate(settings.grid):
        if (block.study or "").split("-")[0] in (
            *protocol.BASES,
            *map(str.lower, protocol.SWITCHES),
        ):
            what = "begins like a protocol or one of its switches; give the study another name"
            yield ["grid", position, "study"], block.study, what
        for axis, names in declared.items():
            for place, name in enumerate(getattr(block, axis) or ()):
                if name not in names:
                    what = f"is not declared under '{axis}'; {choices(name, names)}"
                    yield ["grid", position, axis, place], name, what
        for place, seed in enumerate(block.seeds or ()):
            if seed not in settings.seeds:
                what = f"is not among the file's seeds; accepted: {', '.join(map(str, settings.seeds))}"
                yield ["grid", position, "seeds", place], seed, what
    yield from _taken_names(settings)
    yield from _rival_protocols(settings)
    for position, override in enumerate(settings.overrides):
        yield from _override_problems(settings, position, override)
    yield from _seeds_of_shadows(settings)
    if settings.tuning is not None:
        yield from _tuning_problems(settings, settings.tuning)
    if settings.power is not None:
        yield from _power_problems(settings, settings.power)


def _seeds_of_shadows(settings: Settings) -> Iterator[Problem]:
    """Seeds whose models would be taken for those of shadows."""
    taken = {
        "privacy": settings.privacy.seeds if settings.privacy is not None else (),
        "power": settings.power.shadow_seeds if settings.power is not None else (),
    }
    tuned = settings.tuning.seeds if settings.tuning is not None else ()
    for place, seeds in ((["seeds"], settings.seeds), (["tuning", "seeds"], tuned)):
        for position, seed in enumerate(seeds):
            if of := [section for section, shadows in taken.items() if seed in shadows]:
                what = f"is the seed of a shadow of `{of[0]}`; accepted: any below {FIRST_SHADOW}"
                yield [*place, position], seed, what


TAKEN: Mapping[str, frozenset[str]] = {
    "datasets": frozenset(
        ("figures", "metrics", "paper", "power", "records", "report", "tables", "timings", "tuning")
    ),
    "architectures": frozenset(("audit", "splits")),
    "tables": frozenset(
        ("all", "claims", "evaluate", "lookalikes", "power", "publish", "tune", "unlearn")
    ),
}
"""Names that stand for something else where these have theirs: folders of results, targets."""
ENDINGS = (".json", ".npz", ".csv", ".tex", ".svg", ".pdf", ".png", ".yaml", ".dvc", ".safetensors")


def _taken_names(settings: Settings) -> Iterator[Problem]:
    """Names that would share a file or a target with something else."""
    for axis in ("datasets", "architectures", "scenarios", "methods"):
        for name in getattr(settings, axis):
            if name in TAKEN.get(axis, ()) or name.endswith(ENDINGS):
                yield (
                    [axis, name],
                    None,
                    "files of the results already use this name; choose another",
                )
    for position, block in enumerate(settings.grid):
        for place, table in enumerate(block.tables):
            if table in TAKEN["tables"]:
                taken = ", ".join(sorted(TAKEN["tables"]))
                what = f"is already the name of a target; accepted: any name but {taken}"
                yield ["grid", position, "tables", place], table, what
    owners: dict[str, Benchmark] = {}
    for cell in benchmarks(settings):
        other = owners.setdefault(cell.name, cell)
        if other != cell:
            parts = (" / ".join(filter(None, asdict(it).values())) for it in (other, cell))
            what = f"{' and '.join(parts)} would share the files {cell.name}; rename one of their parts"
            yield ["grid"], None, what


def _rival_protocols(settings: Settings) -> Iterator[Problem]:
    """Protocols that would stand for the same base in one benchmark, and so in one line of a table."""
    standing: dict[Benchmark, str] = {}
    grid = benchmarks(settings)
    for cell in grid:
        base = cell.under(protocol.parse(cell.protocol).base)
        if base in grid:
            # What deviates is then an ablation, which has lines of its own.
            continue
        other = standing.setdefault(base, cell.protocol)
        if other != cell.protocol:
            place = " / ".join(
                filter(None, (base.dataset, base.architecture, base.scenario, base.study))
            )
            what = (
                f"{other} and {cell.protocol} would both stand for {base.protocol} in {place}; give one "
                f"of them, or {base.protocol} too, beside which they are shown as ablations"
            )
            yield ["grid"], None, what


def _power_problems(settings: Settings, power: Power) -> Iterator[Problem]:
    declared: dict[str, Mapping[str, Any]] = {
        "dataset": settings.datasets,
        "architecture": settings.architectures,
        "scenario": settings.scenarios,
    }
    unknown = False
    for axis, names in declared.items():
        name = getattr(power, axis)
        if name not in names:
            unknown = True
            yield ["power", axis], name, f"is not declared under '{axis}s'; {choices(name, names)}"
    if unknown:
        return
    grid = benchmarks(settings)
    cells = cells_of_power(settings)
    if not cells:
        yield ["power"], None, "its benchmark is not in the grid with a gold model, in no study"
    for cell in cells:
        if cell not in grid or not grid[cell].gold:
            under = f"under '{cell.protocol}' and in no study"
            what = f"its benchmark is not in the grid with a gold model, {under}"
            yield ["power", "protocols"], cell.protocol, what
        elif power.seed is not None and power.seed not in grid[cell].seeds:
            seeds = ", ".join(map(str, grid[cell].seeds))
            what = f"its benchmark has no such seed under '{cell.protocol}'; accepted: {seeds}"
            yield ["power", "seed"], power.seed, what


def _tuning_problems(settings: Settings, tuning: Tuning) -> Iterator[Problem]:
    if len({*tuning.seeds}) < FEWEST_SEEDS:
        what = f"needs {FEWEST_SEEDS} different seeds at least, to tell the spread of the objective"
        yield ["tuning", "seeds"], list(tuning.seeds), what
    for position, seed in enumerate(tuning.seeds):
        if seed in settings.seeds:
            what = "is one of the report's own seeds; choose other seeds for tuning"
            yield ["tuning", "seeds", position], seed, what
    for row in tuning.spaces:
        if row not in settings.methods:
            what = f"is not declared under 'methods'; {choices(row, settings.methods)}"
            yield ["tuning", "spaces", row], None, what
        elif settings.methods[row].calibration is not None:
            what = "tuning cannot use a calibration set; tune a row without 'calibration'"
            yield ["tuning", "spaces", row], None, what


def _override_problems(settings: Settings, position: int, override: Override) -> Iterator[Problem]:
    root: list[str | int] = ["overrides", position]
    axes: list[tuple[str, Mapping[str, Any]]] = [
        ("dataset", settings.datasets),
        ("architecture", settings.architectures),
        ("scenario", settings.scenarios),
    ]
    for axis, names in axes:
        name = getattr(override.where, axis)
        if name is not None and name not in names:
            what = f"is not declared under '{axis}s'; {choices(name, names)}"
            yield [*root, "where", axis], name, what
    for row in override.methods:
        if row not in settings.methods:
            what = f"is not declared under 'methods'; {choices(row, settings.methods)}"
            yield [*root, "methods", row], None, what
    for row in override.tuned:
        if row not in override.methods:
            what = f"is no row of this override's 'methods'; {choices(row, override.methods)}"
            yield [*root, "tuned", row], None, what
    if override.tuned and override.where.protocol != "corrected":
        what = "only corrected rows are tuned; give 'where' the protocol corrected"
        yield [*root, "tuned"], None, what
    for section in ("training", "images"):
        for key in ("scenario", "protocol"):
            if getattr(override, section) and getattr(override.where, key) is not None:
                what = f"all {key}s share one original model; remove '{section}' or 'where.{key}'"
                yield [*root, section], None, what
    if "store" in override.images:
        what = "all architectures share one store; declare another data set"
        yield [*root, "images", "store"], None, what
    places: list[tuple[str, Mapping[str, Any], Any]] = [
        ("architecture", settings.architectures, lambda it: (it.training, override.training)),
        ("dataset", settings.datasets, lambda it: (it, override.images)),
    ]
    for section, (axis, declared, parts) in zip(("training", "images"), places, strict=True):
        for name, it in declared.items():
            if getattr(override.where, axis) in (None, name):
                base, given = parts(it)
                yield from _refused([*root, section], base, given)
    for name, architecture in settings.architectures.items():
        here = override.where.architecture in (None, name)
        if here and override.training.get("epochs") == 0 and architecture.weights is None:
            what = f"needs pretrained `weights`; architecture '{name}' has none"
            yield [*root, "training", "epochs"], 0, what
            return


def _refused(root: list[str | int], base: Section, given: dict[str, Any]) -> Iterator[Problem]:
    """Yields the problems of keys that are given over a section's own."""
    fields = type(base).model_fields
    try:
        type(base)(**(base.model_dump() | given))
    except ValidationError as error:
        for details in error.errors():
            path = [part for part in details["loc"] if isinstance(part, str)]
            if details["type"] == "extra_forbidden" and len(path) == 1:
                what, value = f"unknown key; {choices(path[0], fields)}", None
            else:
                what = worded(details["msg"])
                value = given.get(path[0]) if path else None
            yield [*root, *path], value, what
