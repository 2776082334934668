"""Side-by-side numbers as they are printed: a panel for each benchmark, on the page and in LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lotus.metrics.base import registry
from lotus.published.numbers import DECIMALS
from lotus.published.side_by_side import PROTOCOLS
from lotus.results.metrics_file import PLACE
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.cell_texts import plus_minus, signed
from lotus.tables.latex import latex_table
from lotus.wording import counted

METRIC_TITLES = {
    "jsd_e4": "JSD ×10⁴",
    "rf_jsd_e4": "RF-JSD ×10⁴",
    "time_min": "Time (min)",
    "gap_mia": "MIA gap",
    "gap_forget": "Forget gap",
    "gap_retain": "Retain gap",
    "gap_test": "Test gap",
    "pearson_r": "Pearson r",
}
"""Names of the published reference that are none of a metric here."""
PUBLISHED = "published"
ROWS = {"all-methods": "All methods"}
Line = dict[Any, Any]
"""A line of `side_by_side.compare`, by its columns."""


@dataclass(frozen=True)
class Compared:
    """One cell.

    Attributes:
        value: in full precision, None where there is none.
        below: of a measured value: difference to the published one, and whether that lies in the
            interval.
        kind: `inside`, `outside`, or '' for neither.
        title: more words, shown when pointed at.

    """

    text: str
    value: float | None = None
    below: str = ""
    kind: str = ""
    title: str = ""


@dataclass(frozen=True)
class BenchmarkPanel:
    """One benchmark.

    Attributes:
        of_paper: whether the paper prints it.
        ran: protocols that ran here, in order.
        columns: `published` and protocols, the columns under each metric.
        rows: (name, a cell for each metric and column).

    """

    title: str
    of_paper: bool
    ran: Sequence[str]
    metrics: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Compared]]]


def by_benchmark(numbers: pd.DataFrame) -> list[list[Line]]:
    """Returns the lines of `side_by_side.compare`, those of one benchmark together."""
    found: dict[tuple[str, ...], list[Line]] = {}
    for line in numbers.to_dict("records"):
        found.setdefault(tuple(line[key] for key in PLACE), []).append(line)
    return list(found.values())


def panel_of(part: Sequence[Line]) -> BenchmarkPanel:
    """Returns the panel of one benchmark's lines."""
    first = part[0]
    ran = [name for name in PROTOCOLS if any(line[f"{name}_status"] != "not run" for line in part)]
    columns = [*([PUBLISHED] if first["of_paper"] else []), *ran]
    metrics = list(dict.fromkeys(line["metric"] for line in part))
    lines = {(line["row"], line["metric"]): line for line in part}
    rows = [
        (
            ROWS.get(row, row_title(row)),
            [
                _cell(lines.get((row, metric)), metric, column)
                for metric in metrics
                for column in columns
            ],
        )
        for row in dict.fromkeys(line["row"] for line in part)
    ]
    return BenchmarkPanel(
        benchmark_title(*(first[key] for key in PLACE)),
        bool(first["of_paper"]),
        ran,
        [_metric_title(metric) for metric in metrics],
        columns,
        rows,
    )


def _metric_title(name: str) -> str:
    return METRIC_TITLES.get(name) or registry.labels()[name]


def _cell(line: Line | None, metric: str, column: str) -> Compared:
    if line is None:
        return Compared("–", title="neither printed nor measured")
    decimals = DECIMALS.get(metric, 2)
    value = line[column]
    text = plus_minus(value, line[f"{column}_std"], decimals)
    if column == PUBLISHED:
        if pd.isna(value):
            return Compared("–", title="not printed in the paper")
        return Compared(text, value, title="; ".join(filter(None, [line["source"], line["note"]])))
    if line[f"{column}_status"]:
        return Compared(str(line[f"{column}_status"]))
    n, inside = line[f"{column}_n"], line[f"{column}_inside"]
    title = counted(n, "seed")
    if pd.notna(line[f"{column}_low"]):
        low, high = (f"{line[f'{column}_{end}']:.{decimals}f}" for end in ("low", "high"))
        title += f"; 95 % interval {low} to {high}"
    if pd.isna(line[f"{column}_difference"]):
        return Compared(text, value, title=title)
    kind = "" if pd.isna(inside) else "inside" if inside else "outside"
    words = " ".join(filter(None, [signed(line[f"{column}_difference"], decimals=decimals), kind]))
    return Compared(text, value, words, kind, title)


def latex(heading: str, numbers: pd.DataFrame) -> str:
    """The panels as LaTeX tables, those that ran here first."""
    tables = []
    panels = map(panel_of, by_benchmark(numbers))
    for panel in sorted(panels, key=lambda panel: not panel.ran):
        heads = [
            "",
            *(f"{metric}, {column}" for metric in panel.metrics for column in panel.columns),
        ]
        body = [
            [name, *(f"{cell.text} ({cell.below})" if cell.below else cell.text for cell in cells)]
            for name, cells in panel.rows
        ]
        where = panel.title + ("" if panel.of_paper else " (not in the paper)")
        told = "" if panel.ran else " Published numbers; not run here."
        tables.append(latex_table(f"{heading}. {where}.{told}", heads, body))
    return "\n".join(tables) or f"% {heading}: nothing printed, nothing run\n"
