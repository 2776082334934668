"""The table that sets all benchmarks side by side: Avg Gap and JSD of every method."""

from collections.abc import Sequence
from math import isnan, nan
from pathlib import Path

import pandas as pd

from lotus.results.collapsed import COLLAPSED_SEEDS, seeds_of
from lotus.results.conventions import Form, form_of, protocol_of
from lotus.results.floor import IN_FLOORS, best_rows, floor_in, in_floors
from lotus.results.metrics import load_metrics, rows_in_order, summarise, with_gold
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.cell_texts import bold, has_gold, plus_minus, stated
from lotus.tables.floor_sentences import floor_sentences
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def summary(sources: Sequence[Path]) -> Table:
    """Returns Avg Gap and JSD of every row in every benchmark, as the paper's first table.

    RF-JSD stands for both where there is no gold model. `…_in_floors` is a row's mean distance in units of
    the floor, the mean distance of another gold; NaN where that is not known, or is 0. Columns are named by
    convention; LaTeX has one table per study and protocol.
    """
    frame = load_metrics(sources)
    lines, tables = [], []
    for (study, name), part in frame.groupby(["study", "protocol"], sort=False):
        rows = rows_in_order(part)
        heads, body = [""], {row: [row_title(row)] for row in rows}
        said: list[str] = []
        for key, cell in part.groupby(KEYS, sort=False):
            numbers = summarise(cell)
            fallen = cell[cell["collapsed"] != ""]
            numbers[COLLAPSED_SEEDS] = seeds_of(fallen, ["row"], numbers.index)
            metrics = ("avg_gap", "jsd") if has_gold(cell) else ("rf_jsd",)
            forms = [form_of(metric, protocol_of(cell), cell) for metric in metrics]
            title = benchmark_title(*key[:-1])
            for form in forms:
                floor = floor_in(numbers, form.metric)
                numbers[form.name + IN_FLOORS] = in_floors(numbers, form.metric)
                heads += [f"{title}: {form.title}", *([] if isnan(floor) else ["in floors"])]
                for row, texts in body.items():
                    texts.append(_summary_cell(numbers, row, form))
                    texts += [] if isnan(floor) else [_in_floors(numbers, row, form)]
            said += [f"{title}: {sentence}" for sentence in floor_sentences(numbers, forms)]
            names = [form.name + end for form in forms for end in ("", "_std", IN_FLOORS)]
            named = numbers[["n", "collapsed", COLLAPSED_SEEDS, *names]].reset_index()
            lines.append(pd.DataFrame([key] * len(named), columns=KEYS).join(named))
        caption = f"{_summarised(part)}, {f'study {study}, ' if study else ''}{name}."
        caption = " ".join([caption, *said])
        tables.append(latex_table(caption, heads, list(body.values())))
    return pd.concat(lines, ignore_index=True), "\n".join(tables)


SPEC = TableSpec(
    name="summary",
    make=summary,
    order=40,
    label="Avg Gap and JSD of every method",
    summary="Avg Gap and JSD to the gold model (RF-JSD where there is none) of every method in "
    "every benchmark, also in units of the floor (the distance of another gold); lower is better.",
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
        return f"collapsed ({numbers.loc[row, COLLAPSED_SEEDS]})"
    best = row in best_rows(numbers, form.metric, form.resolution)
    return bold(stated(numbers, row, form), best)


def _in_floors(numbers: pd.DataFrame, row: str, form: Form) -> str:
    return (
        plus_minus(numbers.at[row, form.name + IN_FLOORS], nan, 1) if row in numbers.index else "–"
    )
