"""The candidates of tuning: rows with a space, and combinations of it."""

import random
from itertools import product
from typing import Any

from lotus.config.cells import Benchmark
from lotus.plan.plan import Plan


def tuned_cells(plan: Plan) -> tuple[Benchmark, ...]:
    """Cells that hyper-parameters are tuned for: those of the corrected protocol."""
    cells = (cell.outside_study for cell in plan.benchmarks if cell.protocol == "corrected")
    return tuple(dict.fromkeys(cells))


def tuned_rows(plan: Plan, cell: Benchmark) -> tuple[str, ...]:
    """Rows with a space that the cell has, in whichever study."""
    spaces = plan.settings.tuning.spaces if plan.settings.tuning is not None else {}
    here = {
        row for other in plan.cells if other.outside_study == cell for row in plan.rows_of(other)
    }
    return tuple(row for row in spaces if row in here)


def trials(plan: Plan) -> list[tuple[Benchmark, int, str]]:
    """Cell, seed and row of all that is tuned: every row with a space, on every tuning seed."""
    seeds = plan.settings.tuning.seeds if plan.settings.tuning is not None else ()
    return [
        (cell, seed, row)
        for cell in tuned_cells(plan)
        for row in tuned_rows(plan, cell)
        for seed in seeds
    ]


def candidates(plan: Plan, cell: Benchmark, row: str) -> list[dict[str, Any]]:
    """Returns what tuning tries for a row: its own hyper-parameters with combinations of its space.

    At most the budget; the draw depends on row and benchmark alone.
    """
    tuning = plan.settings.tuning
    if tuning is None or row not in tuning.spaces:
        return []
    space = tuning.spaces[row]
    own, name = plan.settings.methods[row].hyperparameters, plan.method_of(row)
    every = [
        plan.methods.as_read(name, own | dict(zip(space, values, strict=True)))
        for values in product(*space.values())
    ]
    if len(every) > tuning.budget:
        every = random.Random(f"{cell.name}/{row}").sample(every, tuning.budget)
    return every
