"""Attacks with models of halves of the training images (U-LiRA, Hayes et al. 2024).

Of each forget image half of the models had it and were made to forget it, and half never had it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lotus.attacks.base.known import Known, References
from lotus.attacks.base.success import FPR, LEVEL, Estimate, clopper_pearson
from lotus.metrics.membership import auc

REPEATS = 500
"""Times that images and models are resampled."""


@dataclass(frozen=True)
class Attacked:
    """Models of a kind, each attacked by all the others.

    Attributes:
        images: those that can be attacked; `[n]`.
        scores: float32 `[models, n]`, as they are kept.
        had: bool `[models, n]`: whether a model was trained on an image before it forgot it.

    """

    images: np.ndarray
    scores: np.ndarray
    had: np.ndarray

    def aucs(self) -> list[float]:
        """Returns the AUC of each model; NaN of one that had all of the images, or none."""
        return [
            auc(own[had], own[~had]) if had.any() and not had.all() else float("nan")
            for own, had in zip(self.scores, self.had, strict=True)
        ]


def attack_each(
    score: Callable[[Known], np.ndarray],
    logits: np.ndarray,
    labels: np.ndarray,
    had: np.ndarray,
    images: np.ndarray,
) -> Attacked:
    """Attacks each model by all the others, on those of the images that can be attacked.

    Args:
        score: of an attack, which takes models that forgot an image for those with it.
        logits: `[models, n, classes]`.
        labels: `[n]`.
        had: bool `[models, n]`: whether a model was trained on an image before it forgot it.
        images: their indices; `[n]`.

    """
    usable = _usable(had)
    scores = np.empty((len(had), 0))
    if usable.any():
        scores = _leave_one_out(score, logits[:, usable], labels[usable], had[:, usable])
    return Attacked(images[usable], scores.astype(np.float32), had[:, usable])


def _leave_one_out(
    score: Callable[[Known], np.ndarray], logits: np.ndarray, labels: np.ndarray, had: np.ndarray
) -> np.ndarray:
    """Score of each image for each model, by all the other models; `[models, n]`."""
    scores = np.empty(had.shape)
    for model in range(len(logits)):
        others = np.arange(len(logits)) != model
        forgot = References(logits[others], labels, had[others])
        never = References(logits[others], labels, ~had[others])
        scores[model] = score(Known(logits[model], labels, never, forgot))
    return scores


def _usable(had: np.ndarray) -> np.ndarray:
    """Images of which others had them and others did not, whichever model is left out; bool `[n]`."""
    found: np.ndarray = np.minimum(had.sum(axis=0), (~had).sum(axis=0)) >= 2
    return found


def success(scores: np.ndarray, had: np.ndarray, blocks: np.ndarray) -> tuple[Estimate, Estimate]:
    """AUC, and TPR at an FPR of 1 %, over all pairs of image and model, with intervals.

    Images and blocks of models are resampled, both and independently of each other (the pigeonhole
    bootstrap of Owen 2007, which errs on the side of wide intervals): so intervals are for other images and
    other models.

    Args:
        scores, had: `[models, n]`; see `attack_each`.
        blocks: which models are drawn together, since their halves complete each other; `[models]`.

    """
    values, place = np.unique(scores.ravel(), return_inverse=True)
    rng = np.random.default_rng(0)
    whole = _rates(place, had, np.ones(scores.shape), len(values))
    drawn = np.array(
        [
            _rates(place, had, _weights(rng, blocks, scores.shape[1]), len(values))
            for _ in range(REPEATS)
        ]
    )
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    found = []
    for value, resampled in zip(whole, drawn.T, strict=True):
        low, high = np.nanquantile(resampled, tails)
        if low == high:
            # Resampling cannot tell what no image or every one shows.
            low, high = clopper_pearson(value, scores.shape[1])
        found.append(Estimate(value, float(min(low, value)), float(max(high, value))))
    return found[0], found[1]


def _weights(rng: np.random.Generator, blocks: np.ndarray, images: int) -> np.ndarray:
    """How often each pair of model and image is drawn; `[models, n]`."""
    names, of_model = np.unique(blocks, return_inverse=True)
    models = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
    chosen = np.bincount(rng.integers(images, size=images), minlength=images)
    weights: np.ndarray = models[of_model][:, None] * chosen
    return weights.astype(float)


def _rates(
    place: np.ndarray, had: np.ndarray, weights: np.ndarray, values: int
) -> tuple[float, float]:
    """Weighted AUC and TPR at `FPR`; `place` is the rank of each score among its different values."""
    member = np.bincount(place.ravel(), (weights * had).ravel(), values)
    other = np.bincount(place.ravel(), (weights * ~had).ravel(), values)
    members, others = member.sum(), other.sum()
    if not members or not others:
        return float("nan"), float("nan")
    below = np.cumsum(other) - other
    area = float((member * (below + other / 2)).sum() / (members * others))
    alarms = np.cumsum(other[::-1])[::-1]
    found = float(member[alarms <= FPR * others * (1 + 1e-9)].sum() / members)
    return area, found
