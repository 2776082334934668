"""Metrics and run records of made-up models, and what a figure shows of them."""

import numpy as np
from scores import row_of_metrics

PLACE = {"dataset": "data", "architecture": "resnet18", "scenario": "instance-10"}
SEEDS = (1, 2)
MIB = 2**20


def place_of(row, seed, protocol, architecture):
    place = {**PLACE, "architecture": architecture}
    return {**place, "row": row, "seed": seed, "protocol": protocol}


def values(gap, jsd, collapsed):
    accuracies = {f"accuracy_{name}": 0.8 for name in ("forget", "retain", "test", "val")}
    attack = {"mia": 0.5, "mia_released_e6": 0.5, "mia_auc": 0.5}
    return row_of_metrics(**accuracies, **attack, avg_gap=gap, jsd=jsd, collapsed=collapsed)


ROWS = {
    "lotus": (0.05, 0.1, 2.0),
    "finetune": (0.10, 0.2, 1.0),
    "ssd": (0.12, 0.25, 3.0),
    "scrub": (0.30, 0.35, 0.5),
    "unsir": (0.02, 0.05, 20.0),
}


def metrics_of(files):
    return [path for path in files if path.name != "run.json"]


def records_of(files):
    return [path for path in files if path.name == "run.json"]


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def texts_of_figure(figure):
    return [text for axes in figure.axes for text in texts_of(axes)]


def bars_of(axes):
    return [patch.get_width() for patch in axes.patches]


def run_of_lotus(record, accuracies, seed=1, row="lotus", protocol="corrected", epochs=4, **notes):
    """A record of a run with target .5 and α = 2."""
    told = [
        {"temperature": float(np.exp(2 * (known - 0.5))), "forget_accuracy": known}
        | {"gap": known - 0.5}
        for known in accuracies
    ]
    settings = {"method": "lotus", "hyperparameters": {"alpha": 2.0, "epochs": epochs}}
    return record(row, seed, {"unlearn": 1.0}, protocol, settings=settings, epochs=told, **notes)
