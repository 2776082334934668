"""Offline RMIA: against other images, with models that never saw the image."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known
from lotus.attacks.base.rmia import share_outdone, without


def score(known: Known) -> np.ndarray:
    """Share of the validation images that an image outdoes."""
    assert known.out is not None
    assert known.population is not None
    assert known.population.out is not None
    return share_outdone(known, without(known.out.log_mean), without(known.population.out.log_mean))


SPEC = AttackSpec(
    name="rmia-offline",
    label="RMIA, offline",
    score=score,
    words="The share of the validation images z that the image outdoes: the model's probability of its "
    "label, against what models without the image (the gold models of the other seeds) give it, is at "
    "least as large as that of z. a = 0.3 and γ = 1.",
    symbols="s(x) = P_{z}[p_{θ}(x) / p(x) ≥ γ p_{θ}(z) / p(z)], p(x) = ½ ((1 + a) p_{out}(x) + 1 − a)",
    source="Zarifzadeh et al. 2024",
    needs=("out",),
    place=8,
)
