"""Metrics files as tables of numbers, and the words that readers know them by."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.correlation import Correlation, correlate

METRICS = (
    "accuracy_forget",
    "accuracy_retain",
    "accuracy_val",
    "accuracy_test",
    "mia",
    "mia_auc",
    "mia_balanced_accuracy",
    "mia_tpr_at_1_fpr",
    "jsd",
    "rf_jsd",
    "avg_gap",
)
TITLES = {
    "avg_gap": "Avg Gap",
    "jsd": "JSD",
    "rf_jsd": "RF-JSD",
    "accuracy_forget": "Forget acc.",
    "accuracy_retain": "Retain acc.",
    "accuracy_val": "Val acc.",
    "accuracy_test": "Test acc.",
    "mia": "MIA acc.",
    "mia_auc": "MIA AUC",
}
ROW_TITLES = {
    ORIGINAL: "Original (nothing done)",
    GOLD: "Gold (retrained)",
    "lotus": "LoTUS",
    "finetune": "Finetuning",
    "neggrad-plus": "NegGrad+",
    "random-labeling": "Random Labeling",
}
KEYS = ["dataset", "architecture", "scenario"]


def row_title(row: str) -> str:
    """A row's name in a table; a user's own row keeps the name of the configuration."""
    return ROW_TITLES.get(row, row)


def benchmark_title(dataset: str, architecture: str, scenario: str) -> str:
    """A benchmark in words."""
    architecture = {"resnet18": "ResNet18", "vit": "ViT"}.get(architecture, architecture)
    return f"{dataset}, {architecture}, {scenario}"


def load_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """One line per model: data set, architecture, scenario, seed, row, and every metric (NaN: none).

    Raises:
        LotusError: a file is absent or not a metrics file.

    """
    lines: list[dict[str, Any]] = []
    for path in files:
        content = read_metrics(path)
        about = {key: content[key] for key in [*KEYS, "seed"]}
        lines += [{**about, "row": row, **scores} for row, scores in content["rows"].items()]
    frame = pd.DataFrame(lines)
    return frame.astype(dict.fromkeys(METRICS, float))


def read_metrics(path: Path) -> dict[str, Any]:
    """The content of one metrics file.

    Raises:
        LotusError: absent or not a metrics file.

    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LotusError(f"{path}: cannot be read: {error}") from error
    missing = {*KEYS, "seed", "rows", "predictions"} - set(content)
    if missing:
        raise LotusError(f"{path}: not a metrics file: lacks {', '.join(sorted(missing))}")
    return content


def rows_in_order(frame: pd.DataFrame) -> list[str]:
    """Row names in the order of the files: original, gold, then the methods as configured."""
    return list(dict.fromkeys(frame["row"]))


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Per row: number of seeds `n`, and of each metric the mean and (`…_std`) standard deviation.

    The deviation is that of a sample (n−1); it is NaN for a single seed. A value that is undefined
    for one seed makes the mean undefined: a mean over fewer seeds would not be comparable.
    """
    grouped = frame.groupby("row", sort=False)
    summary = pd.DataFrame({"n": grouped["seed"].nunique()})
    for metric in METRICS:
        summary[metric] = grouped[metric].agg(lambda values: values.mean(skipna=False))
        summary[f"{metric}_std"] = grouped[metric].agg(lambda values: values.std(skipna=False))
    return summary


def best_rows(summary: pd.DataFrame, metric: str) -> set[str]:
    """Which methods stand best: lowest divergence or gap, or nearest to gold.

    Rows that print alike (three decimals) share the mark; original and gold are not in the race.
    """
    methods = summary.drop(index=[ORIGINAL, GOLD], errors="ignore")[metric].dropna()
    if metric in ("jsd", "avg_gap", "rf_jsd"):
        distance = methods
    elif GOLD in summary.index:
        distance = (methods - summary.loc[GOLD, metric]).abs()
    else:
        return set()
    distance = distance.round(3)
    return set(distance.index[distance == distance.min()])


def jsd_agreement(frame: pd.DataFrame) -> tuple[pd.DataFrame, Correlation]:
    """The points of the RF-JSD against JSD plot of one benchmark, and their correlation.

    Without gold (its JSD is 0 by definition) and without models that say exactly what the original
    says, except the original itself.
    """
    points = frame[(frame["row"] != GOLD) & frame["jsd"].notna() & frame["rf_jsd"].notna()]
    points = points[(points["row"] == ORIGINAL) | ~points["same_as_original"].astype(bool)]
    return points, correlate(
        np.asarray(points["jsd"], dtype=float), np.asarray(points["rf_jsd"], dtype=float)
    )
