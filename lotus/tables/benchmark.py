"""The table of one benchmark: all metrics of every model."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.results.collapsed import COLLAPSED_SEEDS, seeds_of, titled_by_seed
from lotus.results.floor import best_rows, with_floors
from lotus.results.metrics import load_metrics, needs_gold, rows_in_order, summarise
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import bold, forms_of, has_gold, stated
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def benchmark(sources: Sequence[Path]) -> Table:
    """Returns original, gold and every method of one benchmark; mean and deviation over the seeds.

    In the conventions of the benchmark's own protocol; without the metrics that need gold where there
    is none. `…_in_floors` is the mean distance to gold in units of the floor, the mean distance of another
    gold; NaN where that is not known, or is 0.
    """
    frame = load_metrics(sources)
    summary = summarise(frame)
    fallen = seeds_of(frame[frame["collapsed"] != ""], ["row"], summary.index)
    forms = forms_of(frame)
    best = {form.metric: best_rows(summary, form.metric, form.resolution) for form in forms}
    body = [
        [titled_by_seed(row, summary.loc[row, "collapsed"], summary.loc[row, "n"], fallen[row])]
        + [bold(stated(summary, row, form), row in best[form.metric]) for form in forms]
        for row in rows_in_order(frame)
    ]
    seeds = frame["seed"].nunique()
    spread = f"Mean ± standard deviation over {seeds} seeds" if seeds > 1 else "One seed"
    caption = f"{_benchmark_of(frame)}. {spread}."
    heads = ["", *(form.title for form in forms)]
    if has_gold(frame):
        numbers = with_floors(summary)
    else:
        numbers = summary[[name for name in summary if not needs_gold(str(name))]]
    numbers = numbers.drop(columns="why")
    numbers.insert(2, COLLAPSED_SEEDS, fallen)
    numbers = numbers.reset_index()
    return numbers, latex_table(caption, heads, body)


SPEC = TableSpec(
    name="benchmark",
    make=benchmark,
    each="cell",
    stem="",
    order=10,
    label="All metrics of every model",
    summary="Original, gold and every method of one benchmark: mean and standard deviation over "
    "the seeds, in the conventions of its protocol.",
    has_entry=False,
)


def _benchmark_of(frame: pd.DataFrame) -> str:
    return benchmark_title(*(str(frame[key].iloc[0]) for key in KEYS))
