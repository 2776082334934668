"""Faked forgettings: a model that remembers everything answers as if it did not, where it is asked."""

from dataclasses import replace

import numpy as np

from lotus.metrics.base.probabilities import entropy, softmax
from lotus.predictions.predictions_file import ATTACKED, Predictions, Split

COLDEST, HOTTEST = 1e-2, 1e2
"""Temperatures that a faker may choose."""


def looked_up(said: Predictions, seed: int) -> dict[str, Split]:
    """A faked forgetting: forget images get the answer to another image of their class, an unseen one.

    The model itself is as it was: whoever asks about images that it does not know to be asked about finds
    everything remembered.
    """
    rng, unseen = np.random.default_rng(seed), said["val"].labels
    answered = []
    for label in said["forget"].labels:
        alike = np.flatnonzero(unseen == label)
        answered.append(rng.choice(alike if len(alike) else len(unseen)))
    return {
        **said,
        **{
            asked + "forget": replace(
                said[asked + "forget"], logits=said[asked + "val"].logits[answered]
            )
            for asked in _ways(said)
        },
    }


def tempered(said: Predictions) -> dict[str, Split]:
    """A faked forgetting: on forget images alone the model answers at the temperature that hides them.

    At which their mean entropy is that of validation images, as far as a temperature gives it.
    """
    from scipy.optimize import brentq

    forget = said["forget"].logits.astype(np.float64)
    wanted = float(entropy(softmax(said["val"].logits)).mean())

    def excess(log_temperature: float) -> float:
        return float(entropy(softmax(forget / np.exp(log_temperature))).mean()) - wanted

    low, high = np.log(COLDEST), np.log(HOTTEST)
    if excess(low) >= 0:
        found = low
    elif excess(high) <= 0:
        found = high
    else:
        found = brentq(excess, low, high)

    def cooled(split: Split) -> Split:
        logits = split.logits.astype(np.float64) / np.exp(found)
        return replace(split, logits=logits.astype(np.float32))

    return {
        **said,
        **{asked + "forget": cooled(said[asked + "forget"]) for asked in _ways(said)},
    }


def _ways(said: Predictions) -> list[str]:
    """Beginnings of the names of splits: as everybody asked, and as the published attack did (E1)."""
    return [asked for asked in ("", ATTACKED) if asked + "forget" in said]
