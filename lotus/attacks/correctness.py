"""A model is more often right about what it was trained on."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known


def score(known: Known) -> np.ndarray:
    """1 where the label is the likeliest class, else 0."""
    found: np.ndarray = (known.logits.argmax(axis=1) == known.labels).astype(np.float64)
    return found


SPEC = AttackSpec(
    name="correctness",
    label="Correctness",
    score=score,
    words="It takes for members what the model classifies correctly. Its AUC is ½ plus half the "
    "difference of the two accuracies.",
    symbols="s(x) = [argmax_{k} p_{k} = y]",
    source="Yeom et al. 2018",
    place=5,
)
