"""The table that sets all benchmarks side by side: Avg Gap and JSD of every method."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.results.conventions import Form, form_of, protocol_of
from lotus.results.metrics import (
    KEYS,
    benchmark_title,
    best_rows,
    load_metrics,
    row_title,
    rows_in_order,
    summarise,
    with_gold,
)
from lotus.tables.cell_texts import bold, has_gold, stated
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def summary(sources: Sequence[Path]) -> Table:
    """Returns Avg Gap and JSD of every row in every benchmark, as the paper's first table.

    RF-JSD stands for both where there is no gold model. Columns are named by convention; LaTeX has one
    table per study and protocol.
    """
    frame = load_metrics(sources)
    lines, tables = [], []
    for (study, name), part in frame.groupby(["study", "protocol"], sort=False):
        rows = rows_in_order(part)
        heads, body = [""], {row: [row_title(row)] for row in rows}
        for key, cell in part.groupby(KEYS, sort=False):
            numbers = summarise(cell)
            metrics = ("avg_gap", "jsd") if has_gold(cell) else ("rf_jsd",)
            forms = [form_of(metric, protocol_of(cell), cell) for metric in metrics]
            for form in forms:
                heads.append(f"{benchmark_title(*key[:-1])}: {form.title}")
                for row, texts in body.items():
                    texts.append(_summary_cell(numbers, row, form))
            names = [form.name + ending for form in forms for ending in ("", "_std")]
            named = numbers[["n", "collapsed", *names]].reset_index()
            lines.append(pd.DataFrame([key] * len(named), columns=KEYS).join(named))
        caption = f"{_summarised(part)}, {f'study {study}, ' if study else ''}{name}."
        tables.append(latex_table(caption, heads, list(body.values())))
    return pd.concat(lines, ignore_index=True), "\n".join(tables)


SPEC = TableSpec(
    name="summary",
    make=summary,
    order=40,
    label="Avg Gap and JSD of every method",
    summary="Avg Gap and JSD to the gold model (RF-JSD where there is none) of every method in "
    "every benchmark; lower is better.",
    has_entry=False,
)


def _summarised(part: pd.DataFrame) -> str:
    measured = with_gold(part)
    if measured.empty:
        return "RF-JSD (no gold models)"
    apart = "; RF-JSD where there are none" if len(measured) < len(part) else ""
    return f"Avg Gap and JSD to the gold models{apart}"


def _summary_cell(numbers: pd.DataFrame, row: str, form: Form) -> str:
    if row not in numbers.index:
        return "–"
    if numbers.loc[row, "collapsed"]:
        return "collapsed"
    best = row in best_rows(numbers, form.metric, form.resolution)
    return bold(stated(numbers, row, form), best)
