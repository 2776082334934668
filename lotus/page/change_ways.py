"""The ways of the numbers on what published behaviours cost: changes, and what is called JSD."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lotus import layout
from lotus.config.protocol import CORRECTED, Protocol
from lotus.metrics.base import registry
from lotus.page import chain, formulas
from lotus.page.measured_ways import stated
from lotus.page.ways import Cell, SeedValue, Way, seeds_by_row
from lotus.results.ablation import is_of_numbers
from lotus.results.conventions import StatedRuns
from lotus.results.experiment import Experiment
from lotus.results.metrics import load_metrics, needs_gold
from lotus.results.metrics_file import PLACE
from lotus.results.titles import benchmark_title, row_title

E4 = Protocol("corrected", frozenset({"E4"}))
TABLE = "tables", "ablation"
Key = tuple[str, ...]
"""A place, and the protocol of runs there."""


@dataclass(frozen=True)
class ChangeWays:
    """The ways of the table `ablation`.

    Attributes:
        sources: its metrics files.

    """

    read: Experiment
    sources: Sequence[Path]

    @cached_property
    def _frames(self) -> Mapping[Key, pd.DataFrame]:
        frame = load_metrics(self.sources)
        return {
            tuple(map(str, key)): part
            for key, part in frame.groupby([*PLACE, "protocol"], sort=False)
        }

    @cached_property
    def _stated(self) -> Callable[[Key, Protocol], StatedRuns]:
        """Place and protocol → its runs in the conventions of a protocol."""
        return cache(lambda key, protocol: StatedRuns(self._frames[key], protocol))

    @cached_property
    def _by_row(self) -> Callable[[Key, str, Protocol, bool], Mapping[str, tuple[SeedValue, ...]]]:
        """Returns the numbers of a metric by row; see `_seeds_by_row`."""
        return cache(self._seeds_by_row)

    def _seeds_by_row(
        self, key: Key, metric: str, protocol: Protocol, is_printed: bool
    ) -> Mapping[str, tuple[SeedValue, ...]]:
        """Returns row → the values of a metric, seed by seed, in the conventions of a protocol.

        Args:
            key: place and protocol of the runs.
            is_printed: whether they are scaled and rounded as tables print them.

        """
        stated = self._stated(key, protocol)
        form = stated.form(metric)
        scale, decimals = (form.scale, form.decimals) if is_printed else (1.0, 3)
        printed = stated.values(metric) * scale
        return seeds_by_row(stated.frame, printed, needs_gold(metric), decimals)

    def _cells(self, place: Sequence[str], protocols: Sequence[str]) -> list[Mapping[str, Any]]:
        """Described cells of a place under some protocols."""
        every = [*self.read.cells, *self.read.described["ablations"]]
        return [
            cell
            for name in protocols
            for cell in every
            if [cell[key] for key in PLACE] == [*place] and cell["protocol"] == name
        ][: len(protocols)]

    def of_change(self, line: Mapping[Any, Any], metric: str) -> Way:
        """Returns the way of the change of a metric.

        Args:
            line: as `lotus.results.ablation.ablate` gives them.

        """
        place, row, switch = (
            [str(line[key]) for key in PLACE],
            str(line["row"]),
            str(line["switch"]),
        )
        protocol = Protocol("corrected", frozenset(switch.split("+")))
        names = [CORRECTED.name, *([] if is_of_numbers(switch) else [protocol.name])]
        before = self._by_row((*place, names[0]), metric, CORRECTED, False)
        # A switch of numbers alone states the same runs otherwise.
        stated_by = protocol if len(names) == 1 else CORRECTED
        after = self._by_row((*place, names[-1]), metric, stated_by, False)
        seeds = _pairs(before.get(row, ()), after.get(row, ()))
        return Way(
            formula=formulas.of_change(registry.specs()[metric], switch),
            row=row_title(row),
            where=benchmark_title(*place),
            basis=chain.of_metric(
                self.read,
                self._cells(place, names),
                metric,
                row,
                layout.item_record(*TABLE, "table"),
            ),
            stated=_stated(seeds, metric, switch),
            seeds=seeds,
            cell=_cell(line, f"{metric}_change"),
        )

    def of_divergence(self, line: Mapping[Any, Any], column: str) -> Way:
        """Returns the way of what is called JSD.

        Args:
            column: `jsd_corrected`, `jsd_switched` or `jsd_switched_mean_ag`.

        """
        place, row = [str(line[key]) for key in PLACE], str(line["row"])
        key = (*place, CORRECTED.name)
        protocol = CORRECTED if column == "jsd_corrected" else E4
        form = self._stated(key, protocol).form("jsd")
        seeds = self._by_row(key, "jsd", protocol, True).get(row, ())
        return Way(
            formula=formulas.MEAN_AG if column.endswith("_mean_ag") else formulas.of_form(form),
            row=row_title(row),
            where=f"{benchmark_title(*place)}, {CORRECTED.name}",
            basis=chain.of_metric(
                self.read,
                self._cells(place, [CORRECTED.name]),
                "jsd",
                row,
                layout.item_record(*TABLE, "table"),
            ),
            stated=stated(seeds, of_means=False),
            seeds=seeds,
            cell=_cell(line, column),
        )


def _pairs(without: Sequence[SeedValue], switched: Sequence[SeedValue]) -> tuple[SeedValue, ...]:
    """Values without and with the switch, of the seeds that both have."""
    before, after = ({each.seed: each for each in of} for of in (without, switched))
    return tuple(
        SeedValue(
            seed,
            f"{before[seed].text} → {after[seed].text}",
            before[seed].left_out or after[seed].left_out,
        )
        for seed in sorted({*before} & {*after})
    )


def _stated(seeds: Sequence[SeedValue], metric: str, switch: str) -> str:
    if any(each.left_out for each in seeds):
        return stated(seeds, of_means=False).replace("mean", "change")
    if switch == "E3" and metric == "avg_gap":
        return "E3 states one gap of means, which the mean of the gaps without it is taken from."
    return "Mean of the differences, seed by seed."


def _cell(line: Mapping[Any, Any], column: str) -> Cell:
    keys = (*PLACE, "switch")
    where = ":".join(f"{key}={line[key]}" for key in keys if line.get(key))
    return Cell(layout.item_file(*TABLE, "csv").as_posix(), str(line["row"]), column, where)
