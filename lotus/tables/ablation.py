"""The table of what each published behaviour changes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.metrics.base import registry
from lotus.results.ablation import CHANGES, ablate
from lotus.results.collapsed import COLLAPSED_SEEDS, titled_by_seed
from lotus.results.metrics_file import PLACE
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import signed
from lotus.tables.latex import latex_table
from lotus.tables.spec import BEHAVIOURS, Table, TableSpec


def ablation(sources: Sequence[Path]) -> Table:
    """Returns what single published behaviours change against `corrected`; see `results.ablation`."""
    numbers = ablate(sources)
    body = [
        [
            benchmark_title(*(line[key] for key in PLACE)),
            line["switch"],
            titled_by_seed(line["row"], line["collapsed"], line["n"], line[COLLAPSED_SEEDS]),
            *(_change(line, metric) for metric in CHANGES),
        ]
        for line in numbers.to_dict("records")
    ]
    heads = ["Benchmark", "Switch", "", *(registry.labels()[metric] for metric in CHANGES)]
    caption = (
        "Change against corrected, mean ± standard deviation of paired differences. E4: the "
        "released JSD ×10⁴, and the mean AG that it stands for."
    )
    return numbers, latex_table(caption, heads, body)


SPEC = TableSpec(
    name="ablation",
    make=ablation,
    each="experiment",
    cells=lambda planned: planned.ablated,
    order=30,
    label="What each published behaviour changes",
    category=BEHAVIOURS,
    summary="One published behaviour at a time, all else corrected: change against the same "
    "method, data and seed.",
    has_entry=False,
)


def _change(line: Mapping[Any, Any], metric: str) -> str:
    if line["collapsed"]:
        return "collapsed"
    if metric == "jsd" and line["switch"] == "E4":
        known = line["jsd_switched_mean_ag"]
        nats = "" if pd.isna(known) else f" (AG {known:.3f})"
        return f"{1e4 * line['jsd_switched']:.2f}{nats}"
    return signed(line.get(f"{metric}_change", np.nan), line.get(f"{metric}_change_std", np.nan))
