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
        bins = _bins(np.concatenate([own, gold]))
        dealt = np.stack([bins, *(rng.permutation(bins) for _ in range(REPEATS))])
        divergences = _divergences(_shares(dealt[:, : len(own)]), _shares(dealt[:, len(own) :]))
        found.append(divergences[0])
        by_chance.append(divergences[1:])
    floor = np.quantile(np.array(by_chance), 0.95, axis=0).mean()
    return Klom(
        float(np.median(found)),
        float(np.quantile(found, 0.95)),
        float(floor),
        len(images),
        int(fewest[images].min()),
    )


def klom_of_set(margins: np.ndarray, retrained: np.ndarray, times: int) -> tuple[float, float]:
    """KLoM of one set of models (the 95th percentile of the images), and how likely golds are as far.

    All models are dealt again at random, as many of them to the set: the share of deals, the true one
    among them, with a KLoM as high. If the models were golds, that share would be at most a with a
    probability of at most a (a permutation test).

    Args:
        margins: logit-scaled confidence of the models of the set, `[m, n]`.
        retrained: that of the golds, `[k, n]`.
        times: that they are dealt at random.

    """
    every, count = np.concatenate([margins, retrained]), len(margins)
    lies_in = (_bins(every)[..., None] == np.arange(BINS)).astype(float)
    rng = np.random.default_rng(0)
    dealt = [np.arange(len(every)), *(rng.permutation(len(every)) for _ in range(times))]
    in_set = np.array([order < count for order in dealt], dtype=float)
    p = np.tensordot(in_set, lies_in, axes=1) / count
    q = np.tensordot(1 - in_set, lies_in, axes=1) / len(retrained)
    high = np.quantile(_divergences(p, q), 0.95, axis=1)
    return float(high[0]), float((high >= high[0]).mean())


def _bins(margins: np.ndarray) -> np.ndarray:
    """In which bin each margin lies, of `BINS` between an image's least and greatest; as `margins`.

    They are those of all its margins, so they are the same however models are dealt.

    Args:
        margins: the first axis is that of the models.

    """
    lowest, highest = margins.min(axis=0), margins.max(axis=0)
    shares = (margins - lowest) / np.maximum(highest - lowest, 1e-9)
    found: np.ndarray = np.minimum((shares * BINS).astype(int), BINS - 1)
    return found


def _shares(bins: np.ndarray) -> np.ndarray:
    """The share of models in each bin, `[…, BINS]`, of `bins` `[…, models]`."""
    found: np.ndarray = (bins[..., None] == np.arange(BINS)).mean(axis=-2)
    return found


def _divergences(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Divergences of histograms, whose bins are the last axis."""
    # A bin without a retrained model would make it infinite; so would one model more or less.
    q = np.maximum(q, 1e-5)
    summed = (p * np.log(np.where(p > 0, p / q, 1))).sum(axis=-1)
    found: np.ndarray = np.minimum(summed, LARGEST)
    return found
