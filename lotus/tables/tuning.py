"""The table of what tuning chose: its objective on tuning's own models, and on those of the report."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown
from lotus.results.collapsed import COLLAPSED_SEEDS, in_words, titled_by_seed
from lotus.results.experiment import read_experiment
from lotus.results.metrics_file import MODELS, read_metrics
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import plus_minus
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec

NOTABLE = 2.0
"""Times the objective of tuning from which on a row is marked."""


@dataclass(frozen=True)
class OnReport:
    """One of the report's models of a tuned row."""

    seed: int
    objective: float
    has_collapsed: bool


Found = Mapping[tuple[str, ...], Mapping[str, list[OnReport]]]
"""Data set, architecture, scenario → row → its models of the report."""


def tuning(sources: Sequence[Path]) -> Table:
    """Returns for each tuned row the objective by which it was chosen, beside that on the report's models.

    Columns: data set, architecture, scenario, row; candidates, tuning_seeds, tuned_objective, tuned_spread
    as the configuration states them; objective, objective_std, n over the report's seeds; ratio of the two
    objectives, and whether it is above 2. A row with a collapsed model has no mean and no ratio, and is not
    said to be above: `collapsed` counts its models that did, `collapsed_seeds` names them.

    Args:
        sources: what `lotus describe` wrote, and the metrics files of the tuned cells.

    Raises:
        LotusError: the metrics state no objective of a tuned row: other images are needed, or other code
            wrote them.

    """
    experiment, *metrics = sources
    read = read_experiment(experiment)
    found = _objectives(metrics, read.tuned)
    lines = [
        _line(place, row, chosen, found[place][row])
        for place, chosen_rows in read.tuned.items()
        for row, chosen in chosen_rows.items()
        if row in found.get(place, {})
    ]
    numbers = pd.DataFrame(lines, columns=COLUMNS)
    body = [
        [
            benchmark_title(*(line[key] for key in MODELS)),
            titled_by_seed(line["row"], line["collapsed"], line["n"], line[COLLAPSED_SEEDS]),
            plus_minus(line["tuned_objective"], line["tuned_spread"]),
            plus_minus(line["objective"], line["objective_std"]),
            "yes" if line["above_twice"] else "",
        ]
        for line in lines
    ]
    heads = ["Benchmark", "Method", "On tuning's models", "On the report's", "More than twice"]
    return numbers, latex_table("The objective of tuning; lower is better.", heads, body)


COLUMNS = [
    *(*MODELS, "row", "candidates", "tuning_seeds", "tuned_objective", "tuned_spread"),
    *("objective", "objective_std", "n", "ratio", "above_twice", "collapsed", COLLAPSED_SEEDS),
]


def _line(
    place: tuple[str, ...], row: str, chosen: Mapping[str, Any], found: Sequence[OnReport]
) -> dict[str, Any]:
    n, before = len(found), float(chosen["objective"])
    fallen = [each.seed for each in found if each.has_collapsed]
    objectives = np.array([np.nan if fallen else each.objective for each in found])
    mean = float(objectives.mean())
    return {
        **dict(zip(MODELS, place, strict=True)),
        "row": row,
        "candidates": chosen["candidates"],
        "tuning_seeds": chosen["seeds"],
        "tuned_objective": before,
        "tuned_spread": float("nan") if chosen.get("spread") is None else chosen["spread"],
        "objective": mean,
        "objective_std": float(objectives.std(ddof=1)) if n > 1 else float("nan"),
        "n": n,
        "ratio": mean / before if before else float("nan"),
        "above_twice": mean > NOTABLE * before,
        "collapsed": len(fallen),
        COLLAPSED_SEEDS: in_words(fallen),
    }


def _objectives(metrics: Sequence[Path], tuned: Mapping[tuple[str, ...], Collection[str]]) -> Found:
    """From the metrics files, which state the objective of each row."""
    found: dict[tuple[str, ...], dict[str, list[OnReport]]] = {}
    for path in metrics:
        content = read_metrics(path)
        place, stated = tuple(str(content[key]) for key in MODELS), content.get("objectives", {})
        for row in (row for row in tuned.get(place, ()) if row in content["rows"]):
            if stated.get(row) is None:
                raise LotusError(f"{shown(path)}: states no objective of the row {shown(row)}")
            has_collapsed = content["rows"][row]["collapsed"] != ""
            model = OnReport(content["seed"], stated[row], has_collapsed)
            found.setdefault(place, {}).setdefault(row, []).append(model)
    return found


SPEC = TableSpec(
    name="tuning",
    make=tuning,
    each="experiment",
    cells=lambda planned: planned.tuned,
    sources=lambda planned, cells: [str(layout.EXPERIMENT), *planned.metrics(cells)],
    order=60,
    label="The objective of tuning, on its own models and on the report's",
    absent="The configuration states of no row what tuning found.",
    summary="For each tuned row the mean objective by which its hyper-parameters were chosen, and the same "
    "objective on the models of this report, whose seeds tuning did not see.",
)
