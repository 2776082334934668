"""The ways of the numbers of a cell of the grid: each metric and time of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lotus import layout
from lotus.layout import GOLD_AGAIN
from lotus.page import chain, formulas
from lotus.page.ways import MEAN, Cell, Formula, SeedValue, Way, of_seeds, seeds_by_row
from lotus.results.conventions import StatedRuns
from lotus.results.experiment import Experiment
from lotus.results.metrics import needs_gold
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title, row_title, title_of_run
from lotus.wording import counted


@dataclass(frozen=True)
class GridCell:
    """The cell of the grid whose numbers are asked for.

    Attributes:
        described: what `lotus describe` says of it.
        stated: its runs, all seeds, in the conventions in which their numbers are asked for.
        item: folder and name of the table that states them; None where they are in none.

    """

    read: Experiment
    described: Mapping[str, Any]
    stated: StatedRuns
    item: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """The benchmark in words."""
        return benchmark_title(*(str(self.described[key]) for key in KEYS))


def of_metric(asked: GridCell, metric: str) -> dict[str, Way]:
    """Returns row → way of a metric."""
    form = asked.stated.form(metric)
    printed = asked.stated.values(metric) * form.scale
    by_row = seeds_by_row(asked.stated.frame, printed, needs_gold(metric), form.decimals)
    record = layout.item_record(*asked.item, "table") if asked.item is not None else None
    found, formula = {}, formulas.of_form(form)
    for row, seeds in by_row.items():
        found[row] = Way(
            formula=formulas.of_floor(formula) if row == GOLD_AGAIN else formula,
            row=row_title(row),
            where=asked.title,
            basis=chain.of_metric(asked.read, [asked.described], form.name, row, record),
            stated=stated(seeds, form.of_means),
            seeds=seeds,
            cell=_cell(asked.item, row, form.name),
        )
    return found


def of_times(
    asked: GridCell, times: pd.DataFrame, column: str, decimals: int, formula: Formula
) -> dict[str, Way]:
    """Returns row → way of its seconds or minutes.

    Args:
        times: as `load_times` gives them, of the runs of the cell.
        column: of these.

    """
    found = {}
    for row, lines in times.groupby("row", sort=False):
        seeds = of_seeds(lines["seed"], lines[column], [""] * len(lines), decimals)
        basis = chain.of_runs([asked.described], str(row))
        found[str(row)] = Way(
            formula=formula,
            row=row_title(str(row)),
            where=asked.title,
            basis=basis,
            stated=stated(seeds, of_means=False),
            seeds=seeds,
            cell=Cell(basis.records[0]),
        )
    return found


def stated(seeds: Sequence[SeedValue], of_means: bool) -> str:
    """Returns in words how a number is made of the values of its seeds."""
    out = sum(bool(each.left_out) for each in seeds)
    if out:
        named = counted(len(seeds), "seed")
        return f"No mean is stated: {out} of {named} left out, and a mean over fewer could not be compared."
    if of_means:
        return "Made of means over the seeds, as the formula says; single seeds have these values."
    return MEAN if len(seeds) > 1 else "The value of the only seed."


def _cell(item: tuple[str, str] | None, row: str, column: str) -> Cell | None:
    if item is None:
        return None
    return Cell(layout.item_file(*item, layout.ENDINGS["table"][0]).as_posix(), row, column)


def of_one_run(path: str, about: Mapping[str, Any], seconds: float) -> Way:
    """Returns the way of the seconds that one run took.

    Args:
        path: of its record.

    """
    return Way(
        formula=formulas.JOB,
        row=row_title(str(about["row"])),
        where=title_of_run(about),
        basis=chain.of_one_run(Path(path).parent.as_posix(), about),
        seeds=(SeedValue(int(about["seed"]), f"{seconds:.1f}"),),
        cell=Cell(path),
    )
