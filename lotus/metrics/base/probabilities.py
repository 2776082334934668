"""Probabilities of predictions, and how unsure they are."""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities float64 `[n, classes]` of logits `[n, classes]`."""
    # Without the largest logit taken off, e to a large one would be infinite.
    powers: np.ndarray = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """−Σ p ln p of each row, in nats, with 0 ln 0 = 0; `[n]`."""
    nats: np.ndarray = -p_ln(probabilities, probabilities).sum(axis=1)
    return nats


def p_ln(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`p` · ln `q`, and 0 where p is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(q), 0.0)
