"""Normal distributions of the confidence of reference models, image by image (LiRA)."""

from dataclasses import dataclass

import numpy as np

OWN_DEVIATION = 64
"""Models from which an image has a deviation of its own; with fewer all share one (Carlini et al.)."""
LEAST = 1e-6
"""Smallest deviation, of models that agree to the last digit."""


@dataclass(frozen=True)
class Normal:
    """Answers that a further model like the references would give, image by image; each `[n]`.

    Attributes:
        mean: of the references.
        deviation: of a further model from that mean: the mean of few models is itself uncertain.

    """

    mean: np.ndarray
    deviation: np.ndarray

    def log_density(self, values: np.ndarray) -> np.ndarray:
        """Ln of the density at values `[n]`, but for a constant."""
        found: np.ndarray = -0.5 * self.standard(values) ** 2 - np.log(self.deviation)
        return found

    def standard(self, values: np.ndarray) -> np.ndarray:
        """How many deviations values `[n]` lie above the mean."""
        found: np.ndarray = (values - self.mean) / self.deviation
        return found


def normal(confidence: np.ndarray) -> Normal:
    """Fits the references.

    Args:
        confidence: `[models, n]`, NaN where a model is not usable; each image has a usable one.

    """
    known = ~np.isnan(confidence)
    counts = known.sum(axis=0)
    mean = np.where(known, confidence, 0.0).sum(axis=0) / counts
    squares = np.where(known, (confidence - mean) ** 2, 0.0).sum(axis=0)
    free = counts - 1
    # With one model of each image nothing tells how far models differ: then all images share the unit.
    shared = np.sqrt(squares.sum() / free.sum()) if free.sum() else 1.0
    own = np.sqrt(squares / np.maximum(free, 1))
    deviation = np.where(counts >= OWN_DEVIATION, own, shared)
    return Normal(mean, np.maximum(deviation, LEAST) * np.sqrt(1 + 1 / counts))
