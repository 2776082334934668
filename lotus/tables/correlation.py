"""The table of how well RF-JSD agrees with JSD."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.results.correlation import jsd_agreement
from lotus.results.metrics import KEYS, benchmark_title, load_metrics, with_gold
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def correlation(sources: Sequence[Path]) -> Table:
    """Returns the correlation of RF-JSD with JSD over methods and seeds, by benchmark of single images.

    Of benchmarks with a gold model.
    """
    frame = with_gold(load_metrics(sources))
    lines = []
    for key, part in frame.groupby(KEYS, sort=False):
        if part["rf_jsd"].isna().all():
            continue
        found = jsd_agreement(part)[1]
        numbers_found = (found.pearson, found.low, found.high, found.spearman)
        lines.append([*key, found.points, found.groups, *numbers_found])
    columns = [*KEYS, "points", "rows", "pearson", "pearson_low", "pearson_high", "spearman"]
    numbers = pd.DataFrame(lines, columns=columns)
    body = [
        [benchmark_title(*line[:5]), *map(str, line[5:7]), *(f"{value:.2f}" for value in line[7:])]
        for line in lines
    ]
    heads = ["Benchmark", "Models", "Rows", "Pearson", "low", "high", "Spearman"]
    return numbers, latex_table("RF-JSD against JSD.", heads, body)


SPEC = TableSpec(
    name="correlation",
    make=correlation,
    cells=lambda planned: planned.of_images,
    order=50,
    label="Correlation of RF-JSD with JSD",
    summary="How well RF-JSD, which needs no gold model, agrees with JSD to gold: correlation "
    "over methods and seeds, with a bootstrap interval that resamples whole rows.",
    has_entry=False,
)
