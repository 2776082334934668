"""The ways of the numbers in the paper's tables: those that are printed, and those that were measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from lotus import layout
from lotus.config.protocol import RELEASED, parse
from lotus.metrics.base import registry
from lotus.page import chain, formulas
from lotus.page.measured_ways import stated
from lotus.page.ways import Basis, Cell, Formula, SeedValue, Way, seeds_by_row
from lotus.published.numbers import DECIMALS
from lotus.records.files import relative
from lotus.results.conventions import form_of
from lotus.results.experiment import Experiment
from lotus.results.metrics import load_metrics, needs_gold
from lotus.results.metrics_file import PLACE
from lotus.results.quantities import CORRELATION, DIVERGENCES, TERM_OF_GAP, seed_by_seed
from lotus.results.run_records import load_times
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.printed import METRIC_TITLES, PUBLISHED, ROWS

Place = tuple[str, ...]


@dataclass(frozen=True)
class PaperWays:
    """The ways of one table of the paper.

    Attributes:
        name: of the table.
        published: folder of the published reference.

    """

    read: Experiment
    name: str
    published: Path

    def of_number(self, line: Mapping[Any, Any], column: str) -> Way | None:
        """Returns the way of a number; None where nothing is printed, or nothing ran.

        Args:
            line: of the table, as `lotus.published.side_by_side.compare` gives it.
            column: `published` or a base protocol.

        """
        if column == PUBLISHED:
            return self._of_printed(line) if pd.notna(line[PUBLISHED]) else None
        place = tuple(str(line[key]) for key in PLACE)
        cell = self._cells.get((place, column))
        if cell is None or line[f"{column}_status"] == "not run":
            return None
        row, metric = str(line["row"]), str(line["metric"])
        seeds = () if metric == CORRELATION else self._by_row(place, column, metric).get(row, ())
        record = layout.item_record(layout.PAPER, self.name, "table")
        basis = (
            chain.of_runs([cell], row, record)
            if metric == "time_min"
            else chain.of_metric(
                self.read, [cell], DIVERGENCES.get(metric, metric), row if seeds else "", record
            )
        )
        return Way(
            formula=_formula(metric, self._frames[place, column]),
            row=ROWS.get(row, row_title(row)),
            where=f"{benchmark_title(*place)}, {column}",
            basis=basis,
            stated=_stated(metric, seeds),
            seeds=seeds,
            cell=self._cell(line, column),
        )

    def _of_printed(self, line: Mapping[Any, Any]) -> Way:
        metric, row = str(line["metric"]), str(line["row"])
        source = "; ".join(filter(None, [str(line["source"] or ""), str(line["note"] or "")]))
        return Way(
            formula=Formula(
                f"{_title(metric)}, as printed", formulas.PRINTED, notes=(source,) if source else ()
            ),
            row=ROWS.get(row, row_title(row)),
            where=benchmark_title(*(str(line[key]) for key in PLACE)),
            basis=self._printed,
            cell=self._cell(line, PUBLISHED),
        )

    @cached_property
    def _printed(self) -> Basis:
        """The files that the numbers in print rest on."""
        files = sorted(map(relative, self.published.glob("*.csv")))
        record = layout.item_record(layout.PAPER, self.name, "table")
        return Basis((record.as_posix(),), tuple(files))

    @cached_property
    def _cells(self) -> Mapping[tuple[Place, str], Mapping[str, Any]]:
        """Place and base protocol → cell that the table shows."""
        return {
            (tuple(str(cell[key]) for key in PLACE), parse(str(cell["protocol"])).base): cell
            for cell in self.read.labelled(self.name)
        }

    @cached_property
    def _frames(self) -> Mapping[tuple[Place, str], pd.DataFrame]:
        return {key: load_metrics(self.read.metrics(cell)) for key, cell in self._cells.items()}

    @cached_property
    def _runs(self) -> Mapping[tuple[Place, str], Callable[[str], pd.DataFrame]]:
        """Place and base protocol → metric → numbers of single runs."""
        times = {key: load_times(self.read.records(cell)) for key, cell in self._cells.items()}
        return {
            key: seed_by_seed(frame, times[key], key[1] == RELEASED.base)
            for key, frame in self._frames.items()
        }

    @cached_property
    def _by_row(self) -> Callable[[Place, str, str], Mapping[str, tuple[SeedValue, ...]]]:
        """Place, base protocol and metric → row → its values seed by seed."""
        return cache(self._seeds_by_row)

    def _seeds_by_row(
        self, place: Place, column: str, metric: str
    ) -> Mapping[str, tuple[SeedValue, ...]]:
        frame, found = self._frames[place, column], self._runs[place, column](metric).to_dict()
        models = zip(frame["row"].tolist(), frame["seed"].tolist(), strict=True)
        values = [found.get(row, {}).get(seed, nan) for row, seed in models]
        plain = TERM_OF_GAP.get(metric, DIVERGENCES.get(metric, metric))
        against_gold = metric in TERM_OF_GAP or needs_gold(plain)
        by_row = seeds_by_row(frame, values, against_gold, DECIMALS.get(metric, 2))
        return {row: seeds for row, seeds in by_row.items() if row in found}

    def _cell(self, line: Mapping[Any, Any], column: str) -> Cell:
        keys = [f"{key}={line[key]}" for key in PLACE if line[key]]
        path = layout.item_file(layout.PAPER, self.name, "csv").as_posix()
        where = ":".join([*keys, f"protocol={column}"])
        return Cell(path, str(line["row"]), str(line["metric"]), where)


def _title(metric: str) -> str:
    return METRIC_TITLES.get(metric) or registry.labels()[metric]


def _formula(metric: str, frame: pd.DataFrame) -> Formula:
    """The formula of a metric, by its name in the published reference."""
    if metric == CORRELATION:
        return formulas.CORRELATION
    if metric == "time_min":
        protocol = parse(str(frame["protocol"].iloc[0])).base
        return formulas.MINUTES if protocol == RELEASED.base else formulas.MINUTES_TAKEN
    if metric in TERM_OF_GAP:
        return formulas.of_gap(_title(metric), form_of(TERM_OF_GAP[metric], RELEASED, frame))
    return formulas.of_form(form_of(DIVERGENCES.get(metric, metric), RELEASED, frame))


def _stated(metric: str, seeds: Sequence[SeedValue]) -> str:
    if metric == CORRELATION:
        return "Of the means of all rows."
    is_of_means = metric == "avg_gap" or metric in TERM_OF_GAP
    if is_of_means and not any(each.left_out for each in seeds):
        return (
            "Between means over the seeds that are rounded to 2 decimals. The values of single seeds "
            "have the sign that makes their mean positive; their standard deviation stands behind ±."
        )
    return stated(seeds, of_means=False)
