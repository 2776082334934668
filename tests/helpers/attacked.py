"""Models of several seeds with planted memory, as predictions, for tests of attacks."""

import numpy as np

from lotus.attacks.base.panel import Model, Panel
from lotus.predictions.predictions_file import Split

CLASSES = 4
TRAIN, HELD_OUT = 200, 600
LABELS = np.arange(TRAIN + HELD_OUT) % CLASSES
HARDNESS = np.random.default_rng(99).normal(0, 2, TRAIN + HELD_OUT)
"""How hard each image is, for every model: what calibration takes off."""


def logits_of(seed, memory=0.0, remembered=(), hardness=HARDNESS):
    """Each image has a confidence by its hardness and the seed, and more of it where it is remembered."""
    rng = np.random.default_rng(seed)
    margin = 2 - hardness + rng.normal(0, 1, len(hardness))
    margin[np.asarray(remembered, int)] += memory
    logits = rng.normal(0, 0.1, (len(hardness), CLASSES)).astype(np.float32)
    logits[np.arange(len(hardness)), LABELS[: len(hardness)]] += margin
    return logits


def parts_of(seed, forget):
    """Splits of a seed: held-out images are dealt anew for each."""
    held_out = TRAIN + np.random.default_rng(seed + 1000).permutation(HELD_OUT)
    retain = np.setdiff1d(np.arange(TRAIN), forget)
    val, test = np.sort(held_out[: HELD_OUT // 2]), np.sort(held_out[HELD_OUT // 2 :])
    return {"forget": np.asarray(forget), "retain": retain, "val": val, "test": test}


def predictions_of(logits, parts):
    return {name: Split(logits[ids], LABELS[ids], ids) for name, ids in parts.items()}


def original_of(seed, parts, memory):
    """A model that remembers all that it was trained on."""
    train = np.arange(TRAIN)
    whole = {"train": train, "val": parts["val"], "test": parts["test"]}
    return predictions_of(logits_of(seed * 100, memory, train), whole)


def gold_of(seed, parts, memory, offset=1):
    """A model that remembers what it was trained on: the retain set."""
    return predictions_of(logits_of(seed * 100 + offset, memory, parts["retain"]), parts)


def predictions_of_seeds(
    seeds=(1, 2, 3), memory=3.0, left=1.5, forget_of=lambda seed: np.arange(60)
):
    """(row, seed) → predictions of original, gold and a method that leaves some of the memory."""
    found = {}
    for seed in seeds:
        parts = parts_of(seed, forget_of(seed))
        found["original", seed] = original_of(seed, parts, memory)
        found["gold", seed] = gold_of(seed, parts, memory)
        half = logits_of(seed * 100 + 2, left, parts["forget"])
        found["method", seed] = predictions_of(half, parts)
    return found


def panel_of(predictions):
    return Panel({key: Model.of(of) for key, of in predictions.items()})
