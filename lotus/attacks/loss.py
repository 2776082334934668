"""A model's loss is lower on what it was trained on."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known
from lotus.attacks.base.answers import log_of_label


def score(known: Known) -> np.ndarray:
    """The cross-entropy loss, negated."""
    return log_of_label(known.logits, known.labels)


SPEC = AttackSpec(
    name="loss",
    label="Loss",
    score=score,
    words="The lower the loss of the image's label, the more it takes the image for a member.",
    symbols="s(x) = ln p_{y}",
    source="Yeom et al. 2018",
    place=2,
)
