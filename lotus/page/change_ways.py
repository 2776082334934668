"""The ways of the numbers on what published behaviours cost: changes, and what is called JSD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lotus import layout
from lotus.config.protocol import CORRECTED, Protocol
from lotus.metrics.base import registry
from lotus.page import chain, formulas
from lotus.page.measured_ways import stated
from lotus.page.ways import Cell, Formula, SeedValue, Way, of_seeds, why_left_out
from lotus.results.ablation import is_of_numbers
from lotus.results.conventions import form_of, values
from lotus.results.experiment import Experiment
from lotus.results.metrics import PLACE, benchmark_title, load_metrics, needs_gold, row_title

E4 = Protocol("corrected", frozenset({"E4"}))
TABLE = "tables", "ablation"


@dataclass(frozen=True)
class ChangeWays:
    """The ways of the table `ablation`.

    Attributes:
        sources: its metrics files.

    """

    read: Experiment
    sources: Sequence[Path]

    @cached_property
    def _frames(self) -> Mapping[tuple[str, ...], pd.DataFrame]:
        """Place and protocol → metrics."""
        frame = load_metrics(self.sources)
        return {
            tuple(map(str, key)): part
            for key, part in frame.groupby([*PLACE, "protocol"], sort=False)
        }

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
        frames = [self._frames[*place, name] for name in names]
        seeds = _pairs(frames, row, metric, protocol)
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
        frame = self._frames[*place, CORRECTED.name]
        protocol = CORRECTED if column == "jsd_corrected" else E4
        form = form_of("jsd", protocol, frame)
        lines = frame[frame["row"] == row]
        formula: Formula = formulas.of_form(form)
        seeds = of_seeds(
            lines["seed"],
            values(frame, "jsd", protocol)[1][lines.index] * form.scale,
            why_left_out(lines, frame, against_gold=True),
            form.decimals,
        )
        return Way(
            formula=formulas.MEAN_AG if column.endswith("_mean_ag") else formula,
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


def _pairs(
    frames: Sequence[pd.DataFrame], row: str, metric: str, protocol: Protocol
) -> tuple[SeedValue, ...]:
    """Values without and with the switch, of the seeds that both have."""
    before = _by_seed(frames[0], row, metric, CORRECTED)
    # A switch of numbers alone states the same runs otherwise.
    after = _by_seed(frames[-1], row, metric, protocol if len(frames) == 1 else CORRECTED)
    return tuple(
        SeedValue(
            seed,
            f"{before[seed].text} → {after[seed].text}",
            before[seed].left_out or after[seed].left_out,
        )
        for seed in sorted({*before} & {*after})
    )


def _by_seed(
    frame: pd.DataFrame, row: str, metric: str, protocol: Protocol
) -> dict[int, SeedValue]:
    lines = frame[frame["row"] == row]
    found = of_seeds(
        lines["seed"],
        values(frame, metric, protocol)[1][lines.index],
        why_left_out(lines, frame, needs_gold(metric)),
        3,
    )
    return {each.seed: each for each in found}


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
