"""The paper's own numbers, in this project's names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lotus.errors import LotusError, choices
from lotus.formats.csv_text import read_csv
from lotus.results.titles import legible

RESULTS, MISPRINTS = "results.csv", "misprints.csv"

ITEMS = {
    "Table 1": "table1",
    "Table synthetic-calibration": "table2",
    "Table 2": "table3",
    "Table 3": "table4",
    "Table 4": "table5",
    "Table 5": "table6",
    "Table 6": "table7",
    "Table class-unlearning": "classes",
    "tuning": "alpha-tuning",
}
"""Submission's number (the file) → number of the CVPR version, where the correlations have none: 7."""
DATASETS = {
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "tinyimagenet": "tiny-imagenet",
    "mufac": "mufac-clean",
    "imagenet1k": "imagenet1k",
    "all": "all",
}
ARCHITECTURES = {name: name for name in ("resnet18", "vit", "all")}
OF_A_CLASS = ("class-cat", "class-beaver", "class-rocket", "class-pizza")
"""Scenarios in which a whole class is forgotten."""
SCENARIOS = {
    name: name
    for name in (
        "instance-10",
        "instance-50",
        "mufac-fixed",
        "imagenet-5-per-class",
        *OF_A_CLASS,
        "all",
    )
}
ROWS = {
    **{"neggrad+": "neggrad-plus", "random-label": "random-labeling"},
    **{
        name: name
        for name in (
            *("original", "gold", "finetune", "bad-teacher", "scrub", "ssd", "unsir", "salun"),
            *("salun-lotus", "lotus", "lotus-cifake", "all-methods"),
            *("lotus-alpha2", "lotus-alpha4", "lotus-alpha8", "lotus-alpha16"),
        )
    },
}
"""`lotus-alphaN` are trials of α; `all-methods` stands at correlations over the rows of a table."""


class Metric(NamedTuple):
    """A column of a published table, in this project's names.

    Attributes:
        low, high: range of its values in the file.
        scale: from the file's value to ours.

    """

    name: str
    low: float
    high: float
    scale: float = 1


METRICS = {
    **{f"acc_{part}": Metric(f"accuracy_{part}", 0, 1) for part in ("forget", "retain", "test")},
    **{
        name: Metric(name, 0, 1)
        for name in ("mia", "gap_mia", "gap_forget", "gap_retain", "gap_test", "avg_gap")
    },
    "jsd_e4": Metric("jsd_e4", 0, np.inf),
    "rf_jsd_e4": Metric("rf_jsd_e4", 0, np.inf),
    "rf_jsd_raw": Metric("rf_jsd_e4", 0, np.inf, 1e4),
    "time_min": Metric("time_min", 0, np.inf),
    **{
        f"pearson_r{of}": Metric(f"pearson_r{of}", -1, 1)
        for of in ("", "_avggap_jsd", "_avggap_rfjsd")
    },
    **{
        f"pearson_p{of}": Metric(f"pearson_p{of}", 0, 1)
        for of in ("", "_avggap_jsd", "_avggap_rfjsd")
    },
}
DECIMALS = {"avg_gap": 4}
"""With which metrics are printed; all others 2."""
NAMED: Mapping[str, Mapping[str, object]] = {
    "paper_item": ITEMS,
    "dataset": DATASETS,
    "architecture": ARCHITECTURES,
    "scenario": SCENARIOS,
    "method": ROWS,
    "metric": METRICS,
}
"""Columns of names, and which names each may hold."""
FILE_COLUMNS = ("source", *NAMED, "mean", "std", "note")
FILE_KEY = ("source", *NAMED)
PLACE = ("dataset", "architecture", "scenario")
KEY = ("item", *PLACE, "row", "metric")
"""One quantity of the paper; several sources may print it."""
COLUMNS = (*KEY, "mean", "std", "source", "note", "preferred")

COMPONENTS = ("mia", "accuracy_", "gap_")
"""How the metrics begin that the table of accuracies prints, beside Avg Gap itself."""
SOURCES = (".ipynb", "supplementary Table", "readme", "supplementary section 14")
"""What the names of the sources contain, the most trusted first.

Section 14 of the supplementary corrects a column under the name of another data set: last.
"""
NO_INFORMATION = "no information"
"""Note on numbers that were rounded to nothing."""


def load_published(folder: Path) -> pd.DataFrame:
    """Reads what the paper prints: one line per item, place, row, metric and source.

    Columns `item, dataset, architecture, scenario, row, metric, mean, std, source, note, preferred`; `std`
    is NaN where none is printed. Items are numbered as in the CVPR version, rows and data sets named as
    in this project. Divergences are × 10⁴ and times in minutes, as printed. Exactly one line of each
    quantity is `preferred`: notebooks come before the supplementary and that before pictures; none is
    where all that was printed is a number rounded to nothing. What two tables print stands under both.

    Args:
        folder: with `results.csv`; see its README.

    Raises:
        LotusError: a column is missing, or a line has an unknown name, no number, a number out of range, or
            repeats another; names file, line, value and what is accepted.

    """
    path = folder / RESULTS
    table = _read(path, FILE_COLUMNS)
    for name, accepted in NAMED.items():
        _check_names(path, table[name], accepted)
    _check_sources(path, table["source"])
    _check_unique(path, table)
    metrics = [METRICS[name] for name in table["metric"]]
    frame = pd.DataFrame(
        {
            "item": table["paper_item"].map(ITEMS),
            **{name: table[name].map(NAMED[name]) for name in PLACE},
            "row": table["method"].map(ROWS),
            "metric": [metric.name for metric in metrics],
            "mean": _means(path, table["mean"], metrics),
            "std": _deviations(path, table["std"], metrics),
            "source": table["source"],
            "note": table["note"],
        }
    )
    frame = _under_all_items(frame)
    frame["preferred"] = _preferred(frame)
    return frame[list(COLUMNS)]


def load_misprints(folder: Path) -> pd.DataFrame:
    """Known misprints and disagreements: number, item, where, printed, also_printed, used, why; all text.

    Raises:
        LotusError: the file or a column is missing.

    """
    return _read(folder / MISPRINTS, MISPRINT_COLUMNS).reset_index(drop=True)


MISPRINT_COLUMNS = ("number", "item", "where", "printed", "also_printed", "used", "why")


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        return read_csv(path, columns).frame_by_line()
    except LotusError as error:
        # It says what columns there are, whose names may have line breaks.
        raise LotusError(legible(str(error))) from error


def _check_names(path: Path, column: pd.Series, accepted: Mapping[str, object]) -> None:
    for line, name in column.items():
        if name not in accepted:
            given = f"{column.name} '{legible(name)}'"
            raise LotusError(f"{path}: line {line}: {given} is unknown; {choices(name, accepted)}")


def _check_sources(path: Path, column: pd.Series) -> None:
    for line, name in column.items():
        if not any(kind in name for kind in SOURCES):
            raise LotusError(
                f"{path}: line {line}: source '{legible(name)}' is unknown; accepted: a name with one of "
                f"{', '.join(SOURCES)}"
            )


def _check_unique(path: Path, table: pd.DataFrame) -> None:
    seen: dict[tuple[str, ...], int] = {}
    keys = zip(*(table[name] for name in FILE_KEY), strict=True)
    for line, key in zip(table.index, keys, strict=True):
        if key in seen:
            raise LotusError(
                f"{path}: line {line}: {', '.join(key)} is already in line {seen[key]}; accepted: "
                "one line for each"
            )
        seen[key] = line


def _means(path: Path, column: pd.Series, metrics: list[Metric]) -> list[float]:
    return [
        _number(path, line, "mean", text, metric.low, metric.high) * metric.scale
        for (line, text), metric in zip(column.items(), metrics, strict=True)
    ]


def _deviations(path: Path, column: pd.Series, metrics: list[Metric]) -> list[float]:
    return [
        _number(path, line, "std", text, 0, np.inf) * metric.scale if text else np.nan
        for (line, text), metric in zip(column.items(), metrics, strict=True)
    ]


def _number(path: Path, line: int, name: str, text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not (np.isfinite(number) and low <= number <= high):
        accepted = f"a number from {low:g}" + (f" to {high:g}" if np.isfinite(high) else " up")
        raise LotusError(f"{path}: line {line}: {name} = '{legible(text)}'; accepted: {accepted}")
    return number


def _under_all_items(frame: pd.DataFrame) -> pd.DataFrame:
    """Each line under every item that prints its quantity.

    Avg Gap stands in the first table and in that of the accuracies behind it; at half of the images the
    two tables of methods share LoTUS and gold. Where one notebook cell prints all of a benchmark, the
    accuracies belong to their table.
    """
    of_components = frame["metric"].str.startswith(COMPONENTS)
    item = frame["item"].mask((frame["item"] == "table1") & of_components, "table5")
    frame = frame.assign(item=item)
    gaps = frame[(item == "table1") & (frame["metric"] == "avg_gap")].assign(item="table5")
    shared = frame[(item == "table3") & frame["row"].isin(["lotus", "gold"])].assign(item="table6")
    return pd.concat([frame, gaps, shared], ignore_index=True)


def _preferred(frame: pd.DataFrame) -> pd.Series:
    rank = frame["source"].map(_rank)
    best = rank.groupby([frame[name] for name in KEY]).transform("min")
    informative = ~frame["note"].str.contains(NO_INFORMATION, regex=False)
    return (rank == best) & informative


def _rank(source: str) -> int:
    return next(rank for rank, kind in enumerate(SOURCES) if kind in source)
