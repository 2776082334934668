"""Online RMIA: against other images, with models that saw the image and models that did not."""

import numpy as np

from lotus.attacks.base import AttackSpec, Known
from lotus.attacks.base.rmia import share_outdone


def score(known: Known) -> np.ndarray:
    """Share of the validation images that an image outdoes."""
    assert known.out is not None
    assert known.trained is not None
    assert known.population is not None
    others = known.population
    assert others.out is not None
    assert others.trained is not None
    half = np.log(0.5)
    return share_outdone(
        known,
        np.logaddexp(known.trained.log_mean, known.out.log_mean) + half,
        # Nobody was trained on them: both kinds of models are such without them.
        np.logaddexp(others.trained.log_mean, others.out.log_mean) + half,
    )


SPEC = AttackSpec(
    name="rmia-online",
    label="RMIA, online",
    score=score,
    words="As offline, but p(x) is the mean over models that were trained on the image (the originals of "
    "the other seeds) and models that were not (their gold models). What a gold model beside these "
    "says of the same forget images stands on the other side.",
    symbols="s(x) = P_{z}[p_{θ}(x) / p(x) ≥ γ p_{θ}(z) / p(z)], p(x) = ½ (p_{in}(x) + p_{out}(x))",
    source="Zarifzadeh et al. 2024",
    needs=("out", "in"),
    place=9,
)
