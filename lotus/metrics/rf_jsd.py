"""RF-JSD: how far a model is from what the original says of unseen images; needs no gold model."""

from dataclasses import dataclass

import numpy as np

from lotus.errors import LotusError
from lotus.metrics.base import AsReleased, Case, MetricSpec, measures
from lotus.metrics.base.probabilities import softmax
from lotus.metrics.base.released import (
    DIVERGENCE,
    ROUNDED_DIVERGENCE,
    rf_jsd_released_e4,
    round_divergence,
    softmax32,
)
from lotus.metrics.jsd import MOST, jsd
from lotus.predictions.predictions_file import Split


@dataclass(frozen=True)
class RetrainFree:
    """RF-JSD with what it rests on.

    Attributes:
        value: mean over the classes, nats.
        classes: number of classes compared.
        dropped: labels that only one of the two sets has.

    """

    value: float
    classes: int
    dropped: tuple[int, ...]


def rf_jsd(
    unlearned_forget: np.ndarray,
    labels_forget: np.ndarray,
    original_test: np.ndarray,
    labels_test: np.ndarray,
) -> RetrainFree:
    """Retrain-free JSD: class by class, what is said of forgotten images against unseen ones.

    Mean over classes c of JSD(P_c, Q_c); P_c the mean prediction of the unlearned model on forget
    images of c, Q_c that of the original model on test images of c (paper, RF-JSD, without the
    released scaling). Its optimum is not 0: gold has a value too. Of instance forgetting only: for a
    forgotten class the reference is what the original says of that very class, and doing nothing
    scores best.

    Args:
        unlearned_forget, original_test: probabilities `[n, classes]`.
        labels_forget, labels_test: int64 `[n]`.

    Raises:
        LotusError: no class is in both sets.

    """
    here, there = set(labels_forget.tolist()), set(labels_test.tolist())
    common = sorted(here & there)
    if not common:
        raise LotusError("RF-JSD: forget and test images have no class in common")
    p = np.stack([unlearned_forget[labels_forget == c].mean(axis=0) for c in common])
    q = np.stack([original_test[labels_test == c].mean(axis=0) for c in common])
    return RetrainFree(jsd(p, q), len(common), tuple(sorted(here ^ there)))


@measures(
    MetricSpec(
        name="rf_jsd",
        label="RF-JSD",
        unit="nats",
        best="lowest",
        limits=(0, MOST),
        needs=("original", "instances"),
        place=2,
        words="The mean, over the classes that forget and test images share, of the Jensen–Shannon "
        "divergence between the model's mean prediction on forget images of the class (P) and the "
        "original model's on test images of it (Q), in nats. It needs no gold model.",
        symbols="RF-JSD = 1/|C| · Σ_{c ∈ C} JSD(P_{c}, Q_{c})",
        images=("forget", "test"),
        released=AsReleased(
            ("E3", "E4"),
            round_divergence,
            ("e4",),
            words={"E3": ROUNDED_DIVERGENCE, "E4": DIVERGENCE.replace("images", "classes")},
        ),
    ),
    column=3,
)
def to_original(case: Case) -> dict[str, float | None]:
    """Against the original model's test predictions; the published form for a forgotten class too."""
    forget, test = case.model["forget"], case.original["test"]
    values: dict[str, float | None] = {"rf_jsd_released_e4": _released(forget, test)}
    if not case.class_forgetting:
        found = rf_jsd(softmax(forget.logits), forget.labels, softmax(test.logits), test.labels)
        values["rf_jsd"] = found.value
    return values


def _released(forget: Split, test: Split) -> float | None:
    """The published form; None where the published code stops."""
    said, expected = softmax32(forget.logits), softmax32(test.logits)
    try:
        return rf_jsd_released_e4(said, forget.labels, expected, test.labels)
    except LotusError:
        return None
