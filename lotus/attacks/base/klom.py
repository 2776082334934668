"""KLoM: how differently unlearned and retrained models are sure of an image, over many of both.

Georgiev et al. 2024: the Kullback–Leibler divergence of the margins' histograms, image by image.
"""

from dataclasses import dataclass

import numpy as np

FEWEST = 10
"""Models of either kind without which there is none."""
BINS = 20
LARGEST = 100.0
"""Of a divergence, where unlearned models are as no retrained one is."""
REPEATS = 20
"""Times that models are dealt at random, for what no difference at all would give."""


@dataclass(frozen=True)
class Klom:
    """KLoM over images.

    Attributes:
        median, high: of the images; `high` is the 95th percentile, as published.
        floor: the 95th percentile where unlearned and retrained models are dealt at random: what so few
            models show of no difference.
        images: number of images with models enough.
        models: the fewest models of either kind of an image.

    """

    median: float
    high: float
    floor: float
    images: int
    models: int


def klom(margins: np.ndarray, unlearned: np.ndarray, retrained: np.ndarray) -> Klom | None:
    """KLoM of images; None where no image has `FEWEST` models of either kind.

    Args:
        margins: logit-scaled confidence, `[models, n]`.
        unlearned, retrained: bool `[models, n]`: which of the models are of which kind for an image.

    """
    rng = np.random.default_rng(0)
    fewest = np.minimum(unlearned.sum(axis=0), retrained.sum(axis=0))
    images = np.flatnonzero(fewest >= FEWEST)
    if not len(images):
        return None
    found, by_chance = [], []
    for image in images:
        own, gold = (margins[kind[:, image], image] for kind in (unlearned, retrained))
        every = np.concatenate([own, gold])
        edges = np.linspace(every.min(), max(every.max(), every.min() + 1e-9), BINS + 1)
        found.append(_divergence(own, gold, edges))
        dealt = [rng.permutation(every) for _ in range(REPEATS)]
        by_chance.append([_divergence(of[: len(own)], of[len(own) :], edges) for of in dealt])
    floor = np.quantile(np.array(by_chance), 0.95, axis=0).mean()
    return Klom(
        float(np.median(found)),
        float(np.quantile(found, 0.95)),
        float(floor),
        len(images),
        int(fewest[images].min()),
    )


def _divergence(own: np.ndarray, gold: np.ndarray, edges: np.ndarray) -> float:
    p, q = (np.histogram(of, edges)[0] / len(of) for of in (own, gold))
    # A bin without a retrained model would make it infinite; so would one model more or less.
    q = np.maximum(q, 1e-5)
    there = p > 0
    return float(min((p[there] * np.log(p[there] / q[there])).sum(), LARGEST))
