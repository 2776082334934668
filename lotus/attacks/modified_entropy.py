"""Entropy that knows the label: being sure of another class does not count as being sure."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known
from lotus.attacks.base.answers import log_softmax


def score(known: Known) -> np.ndarray:
    """The modified entropy, negated."""
    logs = log_softmax(known.logits)
    rows = np.arange(len(logs))
    rest = _log_of_others(logs)
    summed = np.exp(logs) * rest
    summed[rows, known.labels] = 0
    of_label = np.exp(rest[rows, known.labels]) * logs[rows, known.labels]
    scores: np.ndarray = of_label + summed.sum(axis=1)
    return scores


def _log_of_others(logs: np.ndarray) -> np.ndarray:
    """ln(1 − p) of each class; of the likeliest by the sum of the others, which keeps its digits near 1."""
    rows, likeliest = np.arange(len(logs)), logs.argmax(axis=1)
    others = logs.copy()
    others[rows, likeliest] = -np.inf
    rest: np.ndarray = np.log1p(-np.exp(others))
    rest[rows, likeliest] = np.logaddexp.reduce(others, axis=1)
    return rest


SPEC = AttackSpec(
    name="modified-entropy",
    label="Modified entropy",
    score=score,
    words="An entropy that is low only where the model is sure of the image's own label.",
    symbols="s(x) = (1 − p_{y}) ln p_{y} + Σ_{k≠y} p_{k} ln(1 − p_{k})",
    source="Song and Mittal 2021",
    place=4,
)
