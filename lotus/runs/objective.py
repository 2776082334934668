"""The objective that hyper-parameters are tuned by: forget, retain and validation images alone."""

from collections.abc import Mapping

import numpy as np

from lotus.config.scenarios import are_whole_classes
from lotus.errors import LotusError
from lotus.metrics.accuracy import accuracy
from lotus.metrics.base.probabilities import entropy, softmax
from lotus.metrics.membership import auc
from lotus.predictions.predictions_file import Split

READ = ("forget", "retain", "val")
"""Splits that the objective may see; neither test images nor the gold model."""


def objective(unlearned: Mapping[str, Split], original: Mapping[str, Split]) -> dict[str, float]:
    """How far a model is from what can be known of the goal without gold; lower is better, 0 … 1.

    - `forgetting`: |Acc(f_u, D_f) − a|, with a the original's accuracy on validation images, or 0 where
      a whole class is forgotten.
    - `retaining`: accuracy lost on the retain set.
    - `generalising`: accuracy lost on validation images of classes that are kept.
    - `blending`: 2·|AUC − ½| of an entropy attack on the forget set against validation images of the
      forgotten classes: 0 if it cannot tell them apart.
    - `objective`: their mean; 1 where a prediction is not finite.

    Args:
        unlearned, original: predictions on the splits of `READ`, of the same images.

    Raises:
        LotusError: no validation image is of a forgotten class, or none of a kept one.

    """
    if not all(np.isfinite(unlearned[name].logits).all() for name in READ):
        return {"objective": 1.0}
    forget, retain, val = (unlearned[name] for name in READ)
    whole_class = are_whole_classes(forget.labels.tolist(), retain.labels.tolist())
    kept = _of_classes(val, retain.labels), _of_classes(original["val"], retain.labels)
    unseen = 0.0 if whole_class else accuracy(original["val"])
    peers = _of_classes(val, forget.labels)
    for of, chosen in {"forgotten": peers, "kept": kept[0], "kept (original)": kept[1]}.items():
        if not len(chosen.labels):
            raise LotusError(f"tuning: there is no validation image of the classes that are {of}")
    attack = auc(-entropy(softmax(forget.logits)), -entropy(softmax(peers.logits)))
    terms = {
        "forgetting": abs(accuracy(forget) - unseen),
        "retaining": max(0.0, accuracy(original["retain"]) - accuracy(retain)),
        "generalising": max(0.0, accuracy(kept[1]) - accuracy(kept[0])),
        "blending": 2 * abs(attack - 0.5),
    }
    return {"objective": float(np.mean(list(terms.values()))), **terms}


def _of_classes(split: Split, labels: np.ndarray) -> Split:
    here = np.isin(split.labels, labels)
    return Split(split.logits[here], split.labels[here], split.indices[here])
