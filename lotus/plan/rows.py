"""Rows chosen among the runs of a plan: golds of the floor, rows with means, rows that are explained."""

from collections.abc import Mapping, Sequence

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.layout import GOLD, ORIGINAL, is_further_gold
from lotus.plan.plan import Plan

SIDE_BY_SIDE = 6
"""Methods that are shown side by side without a choice among them."""
EXPLAINED = ("lotus", "random-labeling", "finetune", "bad-teacher")


def further_golds(plan: Plan, cell: Benchmark, seed: int) -> dict[str, str]:
    """Name → folder of the golds that a seed's gold is held against: what gold is from gold.

    Those that `gold_seeds` adds, and the golds of the other seeds where these forget the same images.
    """
    folders = plan.run_folders(cell, seed)
    if GOLD not in folders:
        return {}
    added = {row: folder for row, folder in folders.items() if is_further_gold(row)}
    if plan.settings.scenarios[cell.scenario].depends_on_seed:
        return added
    others = (other for other in plan.seeds_of(cell) if other != seed)
    return added | {
        layout.gold_of_seed(other): plan.run_folders(cell, other)[GOLD] for other in others
    }


def rows_of_means(plan: Plan, cell: Benchmark) -> tuple[str, ...]:
    """Rows of a cell's metrics: those of its runs, and the further golds of a seed as one row."""
    seeds = plan.seeds_of(cell)
    rows = [row for row in plan.run_folders(cell, seeds[0]) if not is_further_gold(row)]
    if any(further_golds(plan, cell, seed) for seed in seeds):
        rows.insert(rows.index(GOLD) + 1, layout.GOLD_AGAIN)
    return tuple(rows)


def explained_runs(plan: Plan, cell: Benchmark, seed: int) -> dict[str, str]:
    """Row → folder of its run, for the models whose Grad-CAM maps are shown side by side.

    Original, gold and the methods of the cell; of many methods the first row of each of `EXPLAINED`,
    or the first rows where none is one of these.
    """
    folders = plan.run_folders(cell, seed)
    others = [row for row in folders if row not in (ORIGINAL, GOLD) and not is_further_gold(row)]
    references = [row for row in (ORIGINAL, GOLD) if row in folders]
    shown = _side_by_side({row: plan.method_of(row) for row in others})
    return {row: folders[row] for row in [*references, *shown]}


def _side_by_side(methods: Mapping[str, str]) -> Sequence[str]:
    """Returns the rows that are shown side by side, of row → method."""
    rows = [*methods]
    if len(rows) <= SIDE_BY_SIDE:
        return rows
    by_method = {methods[row]: row for row in reversed(rows)}
    return [by_method[name] for name in EXPLAINED if name in by_method] or rows[:SIDE_BY_SIDE]
