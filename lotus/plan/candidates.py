"""The candidates of tuning: rows with a space, and combinations of it that differ in what plays a part."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from lotus.config.cells import Benchmark
from lotus.config.consistency import Problem
from lotus.config.protocol import CORRECTED
from lotus.config.resolved import hyperparameters_of
from lotus.plan.plan import Plan
from lotus.wording import counted

DRAWS = 1000
"""After so many the last is taken: a budget of one candidate has no two values of anything."""


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
    """Returns what tuning tries for a row: what the configuration gives it, with combinations of its space.

    At most the budget; the draw depends on row and benchmark alone. What has several values in the space
    has several among those drawn too: one that all candidates shared would not be chosen but given.
    """
    tuning = plan.settings.tuning
    if tuning is None or row not in tuning.spaces:
        return []
    every = distinct(plan, cell, row)
    if len(every) <= tuning.budget:
        return every
    chance = random.Random(f"{cell.name}/{row}")
    drawn = chance.sample(every, tuning.budget)
    for _ in range(DRAWS):
        if _varied(drawn) == _varied(every):
            break
        drawn = chance.sample(every, tuning.budget)
    return drawn


def _varied(tried: Sequence[Mapping[str, Any]]) -> list[str]:
    """Hyper-parameters with several values."""
    return [key for key in tried[0] if len({json.dumps(each[key]) for each in tried}) > 1]


def distinct(plan: Plan, cell: Benchmark, row: str) -> list[dict[str, Any]]:
    """Returns the combinations of a row's space, of those that come to the same model the first."""
    tuning = plan.settings.tuning
    space = tuning.spaces[row] if tuning is not None else {}
    own = hyperparameters_of(plan.settings, cell, row, "corrected")
    name, of_a_class = plan.method_of(row), plan.settings.scenarios[cell.scenario].forgets_a_class
    found: dict[str, dict[str, Any]] = {}
    for values in product(*space.values()):
        given = plan.methods.as_read(name, own | dict(zip(space, values, strict=True)))
        effective = plan.methods.effective(name, CORRECTED, given, of_a_class)
        found.setdefault(json.dumps(effective, sort_keys=True, default=str), given)
    return list(found.values())


def too_small_spaces(plan: Plan) -> Iterator[Problem]:
    """Yields spaces with fewer candidates than the budget: their rows would get fewer tries than others."""
    tuning = plan.settings.tuning
    if tuning is None:
        return
    for cell in tuned_cells(plan):
        for row in tuned_rows(plan, cell):
            found = len(distinct(plan, cell, row))
            if found < tuning.budget:
                yield (
                    ["tuning", "spaces", row],
                    None,
                    f"comes to {counted(found, 'distinct candidate')} in {cell.name}, fewer than the "
                    f"budget of {tuning.budget}, which every row is to have; give more values (of "
                    "hyper-parameters that play a part there), or lower 'budget'",
                )
