"""What a model's answer to an image says of its label: in float64 and in logarithms, so none saturates."""

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Ln p of each class; float64 `[n, classes]`."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    # Summed without the largest, which is 1: beside it what is below 1e-16 would be lost.
    powers[np.arange(len(powers)), shifted.argmax(axis=1)] = 0
    logs: np.ndarray = shifted - np.log1p(powers.sum(axis=1, keepdims=True))
    return logs


def log_of_label(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Ln p of the label; `[n]`."""
    found: np.ndarray = log_softmax(logits)[np.arange(len(labels)), labels]
    return found


def confidence(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Logit-scaled confidence ln p_y − ln Σ_{k≠y} p_k; `[n]`.

    Of the logits themselves: 1 − p_y would be 0 of a p_y near 1.
    """
    rows = np.arange(len(labels))
    others = logits.astype(np.float64)
    own = others[rows, labels]
    others[rows, labels] = -np.inf
    largest = others.max(axis=1)
    summed = np.exp(others - largest[:, None]).sum(axis=1)
    found: np.ndarray = own - (largest + np.log(summed))
    return found
