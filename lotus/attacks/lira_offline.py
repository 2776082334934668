"""Offline LiRA: is the model surer of an image than models that never saw it?"""

import numpy as np

from lotus.attacks.base import AttackSpec, Known, answers
from lotus.attacks.base.normal import normal


def score(known: Known) -> np.ndarray:
    """Deviations by which the confidence lies above that of models without the image."""
    assert known.out is not None
    own = answers.confidence(known.logits, known.labels)
    return normal(known.out.confidence).standard(own)


SPEC = AttackSpec(
    name="lira-offline",
    label="LiRA, offline",
    score=score,
    words="By how many deviations the logit-scaled confidence φ lies above that of models that were never "
    "trained on the image: the gold models of the other seeds. Below 64 of them all images share one "
    "deviation, so images are ranked by the confidence less its mean over these models.",
    symbols="s(x) = (φ(x) − μ_{out}(x)) / σ_{out}",
    source="Carlini et al. 2022",
    needs=("out",),
    place=6,
)
