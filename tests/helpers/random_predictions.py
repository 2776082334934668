"""Predictions of models that were never trained, for tests of metrics."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lotus.metrics.base.probabilities import softmax
from lotus.predictions.predictions_file import Split

LN2 = np.log(2)


def logits_of(shape):
    return hnp.arrays(np.float64, shape, elements=st.floats(-300, 300))


def random_rows(seed, count=20, classes=4):
    return softmax(np.random.default_rng(seed).normal(size=(count, classes)))


def entropies(seed, shift, count=400):
    return np.abs(np.random.default_rng(seed).normal(shift, 0.3, count))


CLASSES = 3
PARTS = {"forget": np.arange(12), "retain": np.arange(12, 48)}
HELD_OUT = {"val": np.arange(48, 72), "test": np.arange(72, 96)}


def predict(seed, parts, labels=None):
    """Each image's logits and label depend on its index and the model's seed alone."""
    z = np.random.default_rng(seed).normal(size=(96, CLASSES)).astype(np.float32)
    labels = np.arange(96) % CLASSES if labels is None else labels
    return {name: Split(z[ids], labels[ids], ids) for name, ids in parts.items()}


def scenario(labels=None):
    # The original is recorded in another order than the scenario's.
    reordered = {name: ids[::-1] for name, ids in HELD_OUT.items()}
    original = predict(0, {"train": np.arange(48)[::-1], **reordered}, labels)
    rows = {
        "copy": predict(0, {**PARTS, **HELD_OUT}, labels),
        "other": predict(2, {**PARTS, **HELD_OUT}, labels),
    }
    return original, predict(1, {**PARTS, **HELD_OUT}, labels), rows
