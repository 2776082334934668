"""U-LiRA: is what a model says of an image what models say that forgot it, or that never had it?"""

import numpy as np

from lotus.attacks import lira_online
from lotus.attacks.base import AttackSpec, Known


def score(known: Known) -> np.ndarray:
    """As online LiRA, with models that forgot an image in place of models that have it."""
    return lira_online.score(known)


SPEC = AttackSpec(
    name="u-lira",
    label="U-LiRA",
    score=score,
    words="The ratio of two likelihoods of the logit-scaled confidence φ: among shadow models that were "
    "trained on the image and then made to forget it, and among shadow models that never had it and forgot "
    "others. Each shadow is attacked with all others; on the other side stand what shadows say of forget "
    "images that they never had.",
    symbols="s(x) = ln N(φ(x); μ_{forgot}(x), σ_{forgot}²) − ln N(φ(x); μ_{never}(x), σ_{never}²)",
    source="Hayes et al. 2024; Kurmanji et al. 2023",
    needs=("shadows",),
    place=10,
)
