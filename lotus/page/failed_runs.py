"""Runs whose method made no model: why, and which claims miss it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lotus import layout
from lotus.config.protocol import parse
from lotus.predictions.collapse import FAILED, is_failed
from lotus.results.metrics_file import PLACE
from lotus.results.titles import benchmark_title, row_title


@dataclass(frozen=True)
class FailedRuns:
    """Runs of a row of a benchmark that failed for the same reason.

    Attributes:
        row: the method in words.
        where: benchmark and protocol in words.
        why: in one line.
        seeds: of the runs, each with the file that holds all that was said.
        claims: claims that miss them, each its place on the page and its words.

    """

    row: str
    where: str
    why: str
    seeds: Sequence[tuple[int, str]]
    claims: Sequence[tuple[str, str]]


def failed_runs(frame: pd.DataFrame, claims: Mapping[str, Any]) -> list[FailedRuns]:
    """The runs of an experiment that failed, each once.

    Args:
        frame: metrics of all its cells, as `load_metrics` gives them.
        claims: what `read_verdicts` gives.

    """
    lines = frame[frame["collapsed"].map(is_failed).astype(bool)]
    keys = [*PLACE, "protocol", "row", "collapsed"]
    found = []
    for key, seeds in lines.groupby(keys, sort=False)["seed"]:
        dataset, architecture, scenario, study, name, row, why = map(str, key)
        where, protocol = benchmark_title(dataset, architecture, scenario, study), parse(name)
        # As claims name it: see `Evidence.title`.
        deviating = protocol.name if protocol.deviations else ""
        benchmark = benchmark_title(dataset, architecture, scenario, study, deviating)
        found.append(
            FailedRuns(
                row=row_title(row),
                where=f"{where}, {protocol.name}",
                why=why.removeprefix(FAILED),
                seeds=[
                    (int(seed), _log(dataset, architecture, f"seed{seed}", scenario, name, row))
                    for seed in seeds
                ],
                claims=[
                    (f"claim-{claim['id']}", claim["says"])
                    for claim in claims["claims"]
                    if _misses(claim, benchmark, protocol.base, row)
                ],
            )
        )
    return found


def _log(*model: str) -> str:
    return layout.log_of("unlearn", *model).as_posix()


def _misses(claim: Mapping[str, Any], benchmark: str, protocol: str, row: str) -> bool:
    """Whether a claim speaks of a row, in a benchmark of which runs of it failed."""
    return any(
        ruling["protocol"] == protocol
        and finding["benchmark"] == benchmark
        and row in finding["failed"]
        for ruling in claim["rulings"]
        for finding in ruling["findings"]
    )
