"""What an attacker knows of some images: what the attacked model says of them, and what others say."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lotus.attacks.base.answers import confidence, log_of_label


@dataclass(frozen=True)
class References:
    """Answers of other models to the same images.

    Attributes:
        logits: `[models, n, classes]`.
        labels: `[n]`.
        usable: bool `[models, n]`: which of them were trained without an image ("out"), or with it ("in").

    """

    logits: np.ndarray
    labels: np.ndarray
    usable: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Number of usable models of each image; `[n]`."""
        counted: np.ndarray = self.usable.sum(axis=0)
        return counted

    @cached_property
    def confidence(self) -> np.ndarray:
        """Logit-scaled confidence in the label; `[models, n]`, NaN where a model is not usable."""
        found = [confidence(logits, self.labels) for logits in self.logits]
        return np.where(self.usable, _stacked(found, self.usable), np.nan)

    @cached_property
    def log_probability(self) -> np.ndarray:
        """Ln p of the label; `[models, n]`, −∞ where a model is not usable."""
        found = [log_of_label(logits, self.labels) for logits in self.logits]
        return np.where(self.usable, _stacked(found, self.usable), -np.inf)

    @cached_property
    def log_mean(self) -> np.ndarray:
        """Ln of the mean of p over the usable models; `[n]`, −∞ where there is none."""
        with np.errstate(divide="ignore"):
            summed = np.logaddexp.reduce(self.log_probability, axis=0)
            mean: np.ndarray = summed - np.log(np.maximum(self.counts, 1))
        return mean

    def only(self, chosen: np.ndarray) -> "References":
        """The same of some of the images."""
        return References(self.logits[:, chosen], self.labels[chosen], self.usable[:, chosen])


def _stacked(found: list[np.ndarray], like: np.ndarray) -> np.ndarray:
    return np.stack(found) if found else np.empty(like.shape)


@dataclass(frozen=True)
class Known:
    """An attacker's knowledge of some images.

    Attributes:
        logits: what the attacked model says; `[n, classes]`.
        labels: `[n]`.
        out: models that were trained without an image; None for attacks that need none.
        trained: models that were trained with it; None likewise.
        population: what is known of other images, which no model was trained on; None likewise.

    """

    logits: np.ndarray
    labels: np.ndarray
    out: References | None = None
    trained: References | None = None
    population: "Known | None" = None
