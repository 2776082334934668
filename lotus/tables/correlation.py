"""The table of how well RF-JSD agrees with JSD."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.results.collapsed import COLLAPSED_SEEDS, in_words
from lotus.results.correlation import jsd_agreement
from lotus.results.metrics import load_metrics, with_gold
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import plus_minus
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec

NUMBERS = ("pearson", "pearson_low", "pearson_high", "spearman")
COLUMNS = [*KEYS, "points", "rows", *NUMBERS, "collapsed", COLLAPSED_SEEDS]


def correlation(sources: Sequence[Path]) -> Table:
    """Returns the correlation of RF-JSD with JSD over methods and seeds, by benchmark of single images.

    Of benchmarks with a gold model. Collapsed models are no points: `collapsed` counts them,
    `collapsed_seeds` names them row by row.
    """
    frame = with_gold(load_metrics(sources))
    lines = []
    for key, part in frame.groupby(KEYS, sort=False):
        if part["rf_jsd"].isna().all():
            continue
        found = jsd_agreement(part)[1]
        fallen = part[part["collapsed"] != ""]
        by_row = {str(row): in_words(seeds) for row, seeds in fallen.groupby("row")["seed"]}
        lines.append(
            {
                **dict(zip(KEYS, key, strict=True)),
                **{"points": found.points, "rows": found.groups, "pearson": found.pearson},
                **{"pearson_low": found.low, "pearson_high": found.high},
                **{"spearman": found.spearman, "collapsed": len(fallen)},
                COLLAPSED_SEEDS: "; ".join(f"{row}: {seeds}" for row, seeds in by_row.items()),
            }
        )
    numbers = pd.DataFrame(lines, columns=COLUMNS)
    body = [
        [
            benchmark_title(*(line[key] for key in KEYS)),
            *(str(line[name]) for name in ("points", "rows")),
            *(plus_minus(line[name], float("nan"), 2) for name in NUMBERS),
            line[COLLAPSED_SEEDS],
        ]
        for line in lines
    ]
    heads = ["Benchmark", "Models", "Rows", "Pearson", "low", "high", "Spearman", "Collapsed"]
    return numbers, latex_table("RF-JSD against JSD.", heads, body)


SPEC = TableSpec(
    name="correlation",
    make=correlation,
    cells=lambda planned: planned.of_images,
    order=50,
    label="Correlation of RF-JSD with JSD",
    summary="How well RF-JSD, which needs no gold model, agrees with JSD to gold: correlation "
    "over methods and seeds, with an interval over whole rows.",
    has_entry=False,
)
