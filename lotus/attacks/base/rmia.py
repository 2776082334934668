"""RMIA: how many other images are outdone by an image, each against what models say of it on average."""

import numpy as np

from lotus.attacks.base.answers import log_of_label
from lotus.attacks.base.known import Known

A = 0.3
"""How p(x) over models with and without an image is told from those without, as published for CIFAR-10."""
GAMMA = 1.0
"""By how much an image has to outdo another."""


def without(log_mean_out: np.ndarray) -> np.ndarray:
    """Ln p(x), of models without the image alone: p = ½ ((1 + a) p_out + 1 − a)."""
    found: np.ndarray = np.logaddexp(np.log((1 + A) / 2) + log_mean_out, np.log((1 - A) / 2))
    return found


def share_outdone(known: Known, log_p: np.ndarray, log_p_population: np.ndarray) -> np.ndarray:
    """Share of the population that each image outdoes; `[n]`.

    Args:
        log_p: ln p(x) of the images.
        log_p_population: ln p(z) of the population.

    """
    assert known.population is not None
    others = known.population
    ratio = log_of_label(known.logits, known.labels) - log_p
    theirs = np.sort(log_of_label(others.logits, others.labels) - log_p_population)
    found: np.ndarray = np.searchsorted(theirs, ratio - np.log(GAMMA), side="right") / len(theirs)
    return found
