"""The table of what membership attacks find: one line for each benchmark, protocol, row and attack."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.attacks.base.registry import specs
from lotus.results.attacks import load_attacks
from lotus.results.metrics import KEYS, benchmark_title, row_title
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def attacks(sources: Sequence[Path]) -> Table:
    """Returns AUC and TPR at 1 % FPR of every attack on every row, with intervals over images.

    What the columns mean: `lotus.results.attacks.load_attacks`. LaTeX has the AUCs alone.
    """
    frame = load_attacks(sources)
    labels = {name: spec.label for name, spec in specs().items() if name in {*frame["attack"]}}
    body = [
        [
            benchmark_title(*key[: len(KEYS)]),
            row_title(key[-1]),
            *(_stated(of_row, attack) for attack in labels),
        ]
        for key, of_row in (
            (place, lines.set_index("attack"))
            for place, lines in frame.groupby([*KEYS, "row"], sort=False)
        )
    ]
    caption = (
        "AUC of membership attacks on forgotten images, with 95 percent intervals over images; seeds "
        "are averaged."
    )
    return frame, latex_table(caption, ["Benchmark", "", *labels.values()], body)


def _stated(of_row: pd.DataFrame, attack: str) -> str:
    if attack not in of_row.index:
        return "--"
    auc, low, high = (of_row.at[attack, name] for name in ("auc", "auc_low", "auc_high"))
    return f"{auc:.3f} ({low:.3f} to {high:.3f})"


SPEC = TableSpec(
    name="attacks",
    make=attacks,
    each="experiment",
    sources=lambda planned, cells: planned.attacks(cells),
    order=60,
    label="Membership attacks",
    summary="How well each membership attack tells the forgotten images, for every model: AUC, and TPR at "
    "1 % FPR, each with its interval over images.",
    has_entry=False,
)
