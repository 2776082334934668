"""The paper's attack: a model is less unsure of what it was trained on."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known
from lotus.metrics.base import probabilities


def score(known: Known) -> np.ndarray:
    """The entropy, negated."""
    return -probabilities.entropy_of_logits(known.logits)


SPEC = AttackSpec(
    name="entropy",
    label="Entropy",
    score=score,
    words="The lower the entropy of the model's prediction, the more it takes an image for a member; what "
    "the image shows plays no part. The attack of the paper.",
    symbols="s(x) = Σ_{k} p_{k} ln p_{k}",
    source="Salem et al. 2019; Spartalis et al. 2025 (LoTUS)",
    place=1,
)
