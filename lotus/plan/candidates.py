"""The candidates of tuning: rows with a space, and combinations of it that differ in what plays a part."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod
from typing import Any

from lotus.config.cells import Benchmark
from lotus.config.consistency import Problem
from lotus.config.protocol import CORRECTED
from lotus.config.resolved import hyperparameters_of
from lotus.plan.plan import Plan
from lotus.wording import counted

DRAWS = 1000
"""After so many the last is taken: a budget of one candidate has no two values of anything."""
MOST = 10_000
"""Combinations of a space that are all looked at. Of a larger space some are drawn: six hyper-parameters of
ten values have a million, which would fill the memory."""
DRAWN = 1_000
"""Combinations of a larger space that candidates are drawn from, where the budget is not larger still."""


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
    chance, varied = random.Random(f"{cell.name}/{row}"), _varied(every)
    drawn = chance.sample(every, tuning.budget)
    for _ in range(DRAWS):
        if _varied(drawn) == varied:
            break
        drawn = chance.sample(every, tuning.budget)
    return drawn


def _varied(tried: Sequence[Mapping[str, Any]]) -> list[str]:
    """Hyper-parameters with several values."""
    return [key for key in tried[0] if len({json.dumps(each[key]) for each in tried}) > 1]


def distinct(plan: Plan, cell: Benchmark, row: str) -> list[dict[str, Any]]:
    """Returns the combinations of a row's space, of those that come to the same model the first.

    Of a space with more than `MOST` combinations these are some that are drawn by row and benchmark.
    """
    return list(_distinct(plan, cell, row))


def _distinct(plan: Plan, cell: Benchmark, row: str) -> Iterator[dict[str, Any]]:
    """Yields what `distinct` returns, each as it is found."""
    tuning = plan.settings.tuning
    if tuning is None:
        return
    space = tuning.spaces[row]
    own = hyperparameters_of(plan.settings, cell, row, "corrected")
    name, of_a_class = plan.method_of(row), plan.settings.scenarios[cell.scenario].forgets_a_class
    found: set[str] = set()
    for values in _combinations([*space.values()], tuning.budget, f"{cell.name}/{row}: space"):
        given = plan.methods.as_read(name, own | dict(zip(space, values, strict=True)))
        effective = plan.methods.effective(name, CORRECTED, given, of_a_class)
        text = json.dumps(effective, sort_keys=True, default=str)
        if text not in found:
            found.add(text)
            yield given


def _combinations(
    axes: Sequence[Sequence[Any]], budget: int, drawn_by: str
) -> Iterator[tuple[Any, ...]]:
    """Yields all combinations, the last axis first; of more than `MOST` some, each once, at random."""
    size = prod(map(len, axes))
    if size <= MOST:
        yield from product(*axes)
        return
    chance, taken = random.Random(drawn_by), set[int]()
    while len(taken) < min(size, max(DRAWN, 10 * budget)):
        place = chance.randrange(size)
        if place not in taken:
            taken.add(place)
            yield _combination(axes, place)


def _combination(axes: Sequence[Sequence[Any]], place: int) -> tuple[Any, ...]:
    """The combination at a place among all, without the others: the place's digits, one an axis."""
    values = []
    for axis in reversed(axes):
        place, digit = divmod(place, len(axis))
        values.append(axis[digit])
    return tuple(reversed(values))


def too_small_spaces(plan: Plan) -> Iterator[Problem]:
    """Yields spaces with fewer candidates than the budget: their rows would get fewer tries than others."""
    tuning = plan.settings.tuning
    if tuning is None:
        return
    for cell in tuned_cells(plan):
        for row in tuned_rows(plan, cell):
            # No more are looked for than are needed: every command that reads a configuration asks.
            found = sum(1 for _ in islice(_distinct(plan, cell, row), tuning.budget))
            if found < tuning.budget:
                size = prod(map(len, tuning.spaces[row].values()))
                among = f" among those drawn of its {size} combinations" if size > MOST else ""
                yield (
                    ["tuning", "spaces", row],
                    None,
                    f"comes to {counted(found, 'distinct candidate')} in {cell.name}{among}, fewer than "
                    f"the budget of {tuning.budget}, which every row is to have; give more values (of "
                    "hyper-parameters that play a part there), or lower 'budget'",
                )
