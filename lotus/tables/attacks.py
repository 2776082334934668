"""The table of what membership attacks find: one line for each benchmark, protocol, row and attack."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.attacks.base.registry import specs
from lotus.results.attack_lines import every_attack
from lotus.results.collapsed import COLLAPSED_SEEDS, titled_without
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def attacks(sources: Sequence[Path]) -> Table:
    """Returns AUC and TPR at 1 % FPR of every attack on every row, with intervals over images.

    What the columns mean: `lotus.results.attacks.load_attacks` and `lotus.results.attack_lines`. LaTeX has
    the AUCs alone.
    """
    frame = every_attack(sources)
    labels = {name: spec.label for name, spec in specs().items() if name in {*frame["attack"]}}
    body = [
        [
            benchmark_title(*key[: len(KEYS)]),
            titled_without(str(key[-1]), of_row.iloc[0][COLLAPSED_SEEDS]),
            *(_stated(of_row, attack) for attack in labels),
        ]
        for key, of_row in (
            (place, lines.set_index("attack"))
            for place, lines in frame.groupby([*KEYS, "row"], sort=False)
        )
    ]
    caption = (
        "AUC of membership attacks on forgotten images, with 95 percent intervals over images; seeds "
        "are averaged, without those whose model collapsed."
    )
    return frame, latex_table(caption, ["Benchmark", "", *labels.values()], body)


def _stated(of_row: pd.DataFrame, attack: str) -> str:
    if attack not in of_row.index or pd.isna(of_row.at[attack, "auc"]):
        return "–"
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
    "1 % FPR, each with its interval over images; without a number, the reason.",
    has_entry=False,
)
