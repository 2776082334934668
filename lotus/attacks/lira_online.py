"""Online LiRA: is the model as sure of an image as models with it, or as models without it?"""

import numpy as np

from lotus.attacks.base import AttackSpec, Known, answers
from lotus.attacks.base.normal import normal


def score(known: Known) -> np.ndarray:
    """Ln of the ratio of the densities with and without the image."""
    assert known.out is not None
    assert known.trained is not None
    own = answers.confidence(known.logits, known.labels)
    with_image, without = normal(known.trained.confidence), normal(known.out.confidence)
    found: np.ndarray = with_image.log_density(own) - without.log_density(own)
    return found


SPEC = AttackSpec(
    name="lira-online",
    label="LiRA, online",
    score=score,
    words="The ratio of two likelihoods of the logit-scaled confidence φ: among models that were trained "
    "on the image (the originals of the other seeds), and among models that were not (their gold models). "
    "No model was trained on an unseen image; so what a gold model that is none of these says of the same "
    "forget images stands on the other side.",
    symbols="s(x) = ln N(φ(x); μ_{in}(x), σ_{in}²) − ln N(φ(x); μ_{out}(x), σ_{out}²)",
    source="Carlini et al. 2022",
    needs=("out", "in"),
    place=7,
)
