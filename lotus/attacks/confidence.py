"""Logit-scaled confidence in the label, which is spread like a normal distribution over models."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known, answers


def score(known: Known) -> np.ndarray:
    """Ln p_y − ln Σ_{k≠y} p_k."""
    return answers.confidence(known.logits, known.labels)


SPEC = AttackSpec(
    name="confidence",
    label="Confidence",
    score=score,
    words="The logarithm of the odds that the model gives the image's label. It ranks images as their "
    "loss does; LiRA compares it between models.",
    symbols="φ(x) = ln p_{y} − ln Σ_{k≠y} p_{k}",
    source="Carlini et al. 2022",
    place=3,
)
