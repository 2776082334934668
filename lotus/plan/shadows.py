"""Shadow models: the runs that `privacy` asks for, and what they take, told before they start."""

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.protocol import CORRECTED
from lotus.config.resolved import cells_of_power
from lotus.layout import ORIGINAL
from lotus.plan.plan import Plan
from lotus.plan.power import shadow_seeds_of_power
from lotus.records.reading import find_record
from lotus.wording import counted


def shadowed_cells(plan: Plan) -> tuple[Benchmark, ...]:
    """Cells with shadow models."""
    if plan.settings.privacy is None:
        return ()
    return tuple(
        cell for cell in plan.benchmarks if cell.protocol == CORRECTED.name and not cell.study
    )


def shadow_seeds(plan: Plan) -> tuple[int, ...]:
    """Seeds of the shadows; none where there is no `privacy`."""
    return () if plan.settings.privacy is None else plan.settings.privacy.seeds


def splits_of_shadows(plan: Plan) -> dict[tuple[str, int, str], bool]:
    """Data set, seed and scenario of the forget sets of shadows, and whether they are made by default.

    Those of `power` are made where its target asks for them.
    """
    of_power = {
        (cell.dataset, seed, cell.scenario): False
        for cell in cells_of_power(plan.settings)
        for seed in shadow_seeds_of_power(plan)
    }
    return of_power | {
        (cell.dataset, seed, cell.scenario): True
        for cell in shadowed_cells(plan)
        for seed in shadow_seeds(plan)
    }


def shadow_rows(plan: Plan, cell: Benchmark) -> tuple[str, ...]:
    """Rows of each shadow of a cell."""
    return (ORIGINAL, *plan.rows_of(cell))


def shadow_runs(plan: Plan) -> list[tuple[Benchmark, int, str]]:
    """Home, seed and row of every model of a shadow."""
    return [
        (plan.home(cell, row), seed, row)
        for cell in shadowed_cells(plan)
        for seed in shadow_seeds(plan)
        for row in shadow_rows(plan, cell)
    ]


def shadow_folder(plan: Plan, cell: Benchmark, seed: int, row: str) -> Path:
    """Folder of a run of a shadow."""
    return layout.run_folder(plan.home(cell, row), seed, row)


def shadow_files(plan: Plan, names: Iterable[str]) -> list[str]:
    """Files of all models of shadows, by their names in the folder of a run."""
    folders = dict.fromkeys(layout.run_folder(*run) for run in shadow_runs(plan))
    return [(folder / name).as_posix() for folder in folders for name in names]


def cost(plan: Plan) -> list[str]:
    """Returns in words how many models the shadows are, and how long they take, as far as records tell."""
    found = []
    for cell in shadowed_cells(plan):
        rows, seeds = shadow_rows(plan, cell), shadow_seeds(plan)
        said = (
            f"privacy: {counted(len(seeds), 'shadow')} of {cell.name}, each an original on half of the "
            f"training images and {counted(len(rows) - 1, 'unlearned model')}: "
            f"{counted(len(seeds) * len(rows), 'model')}; the originals take as much training "
            f"as {len(seeds) // 2} on all images"
        )
        found.append(f"{said}; {_time(plan, cell, rows, len(seeds))}")
    return found


def _time(plan: Plan, cell: Benchmark, rows: Iterable[str], shadows: int) -> str:
    """Time of one core by records: of shadows if there are some, else of models of all images."""
    total = 0.0
    for row in rows:
        seconds = _seconds(plan, cell, row, shadow_seeds(plan))
        if not seconds:
            # On half of the images most takes half as long, and nothing takes longer.
            seconds = _seconds(plan, cell, row, plan.seeds_of(cell))
        if not seconds:
            return f"how long all of it takes is not known before a model of {row} is recorded here"
        total += fmean(seconds)
    return f"at most {total * shadows / 60:.0f} minutes of one core in all, by the models recorded here"


def _seconds(plan: Plan, cell: Benchmark, row: str, seeds: Iterable[int]) -> list[float]:
    records = (
        find_record(layout.run_files(shadow_folder(plan, cell, seed, row))["record"])
        for seed in seeds
    )
    return [float(it.content["time"]["total"]) for it in records if not it.problem]
