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


def entropy_of_logits(logits: np.ndarray) -> np.ndarray:
    """The same of the softmax of logits `[n, classes]`, precise also where one class is all but certain.

    There p rounds to 1, and −Σ p ln p loses a part of what little is left. With d the distances to the
    largest logit, it is ln(1 + Σ' eᵈ) − Σ p d, the first sum over the other classes.
    """
    ordered = np.sort(logits.astype(np.float64), axis=1)
    distances = ordered[:, :-1] - ordered[:, -1:]
    powers = np.exp(distances)
    others = powers.sum(axis=1)
    nats: np.ndarray = np.log1p(others) - (powers * distances).sum(axis=1) / (1 + others)
    return nats


def p_ln(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`p` · ln `q`, and 0 where p is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(q), 0.0)
