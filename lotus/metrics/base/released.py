"""The metrics as the published code computes them (commit 35ae25e), under names that say so.

None is needed to judge a method; they exist so that published numbers can be met and explained. How each
relates to the textbook form is stated here and tested.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from lotus.errors import LotusError
from lotus.metrics.base.check import check_finite, check_tables

CLAMP = 1e-8
LABELS_CONSIDERED = 1000
"""The published RF-JSD drops test classes that lack forget images among labels below this only."""


ROUNDED_SHARE = "The value of each run is rounded to 2 decimals before the mean is taken."
ROUNDED_DIVERGENCE = "The value of each run is rounded to 6 decimals before the mean is taken."
DIVERGENCE = (
    "Another quantity under the same name: the arguments of KL are exchanged, all probabilities of a "
    "matrix "
    "are divided by their sum, and the sum over the images is divided by their number once more: "
    "1/N · Σ_{i} Σ_{k} m̃ ln(m̃ / √(p̃ q̃)), m̃ = (p̃ + q̃)/2. Times N it is the mean "
    "arithmetic–geometric "
    "divergence in nats, which has no upper bound. It is printed × 10⁴."
)
"""What E4 does, in words."""
ATTACK = (
    "The published attack: the regression is fitted on all retain images against all test and validation "
    "images, weighted to balance, so it is reported on images beside which it was fitted."
)
"""What E6 does, in words."""
SYNTHETIC_IMAGES = (
    "Synthetic images stand for validation images in that attack, for rows with a calibration set."
)
"""What E5 does, in words."""


def softmax32(logits: np.ndarray) -> np.ndarray:
    """Probabilities float32 `[n, classes]`, in the arithmetic of the published code."""
    z = logits.astype(np.float32)
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True, dtype=np.float32)
    return probabilities


def entropy32(logits: np.ndarray) -> np.ndarray:
    """Entropy in nats of float32 softmax, `[n]`, with 0 ln 0 = 0."""
    p = softmax32(logits)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p), np.float32(0))
    nats: np.ndarray = -terms.sum(axis=1, dtype=np.float32)
    return nats


def jsd_released_e4(p: np.ndarray, q: np.ndarray) -> float:
    """Returns what the published code calls JSD (switch E4).

    (1/N)·Σ_i Σ_k m̃ ln(m̃ / √(p̃ q̃)): p and q clamped to [1e-8, 1], each *matrix* divided by its total
    (about N), the arguments of KL exchanged, and the sum divided by N once more. So value · N is the mean
    arithmetic–geometric divergence AG of the rows in nats, up to the clamp, and JSD + AG = J/4 with
    J = KL(p‖q) + KL(q‖p): JSD ≤ J/8 ≤ AG, with near equality for rows that are close. AG has no upper
    bound. Published tables print the value × 10⁴.

    Args:
        p, q: probabilities `[n, classes]`, row by row of the same image.

    Raises:
        LotusError: no rows, or shapes that differ.

    """
    check_tables(p, q)
    p, q = np.clip(p.astype(np.float64), CLAMP, 1), np.clip(q.astype(np.float64), CLAMP, 1)
    p, q = p / p.sum(), q / q.sum()
    m = (p + q) / 2
    return float((m * np.log(m / np.sqrt(p * q))).sum() / len(p))


def mean_ag(value: float, rows: int) -> float:
    """Mean AG of the rows in nats from a released value: the part of it that compares across sizes.

    Args:
        value: unscaled (a published number × 10⁻⁴).
        rows: N: forget images for JSD, classes for RF-JSD.

    """
    return value * rows


def rf_jsd_released_e4(
    unlearned_forget: np.ndarray,
    labels_forget: np.ndarray,
    original_test: np.ndarray,
    labels_test: np.ndarray,
) -> float:
    """The published RF-JSD: the released JSD of the class means, so N is the number K of classes.

    Args:
        unlearned_forget, original_test: probabilities `[n, classes]`.
        labels_forget, labels_test: int64 `[n]`.

    Raises:
        LotusError: a forgotten class has no test image, or a test class with a label of 1000 or more
            has no forget image: there the published code stops.

    """
    here, there = set(labels_forget.tolist()), set(labels_test.tolist())
    there -= {label for label in there - here if label < LABELS_CONSIDERED}
    if here != there:
        raise LotusError(
            f"released RF-JSD: classes {sorted(here ^ there)} are in only one of the two sets; the "
            "published code stops with an error here"
        )
    p = np.stack([unlearned_forget[labels_forget == c].mean(axis=0) for c in sorted(here)])
    q = np.stack([original_test[labels_test == c].mean(axis=0) for c in sorted(here)])
    return jsd_released_e4(
        p / p.sum(axis=1, keepdims=True),
        q / q.sum(axis=1, keepdims=True),
    )


def mia_released_e6(retain: np.ndarray, unseen: np.ndarray, forget: np.ndarray) -> float:
    """The published attack (E6): share of forget images called members.

    Logistic regression on entropy: all retain images (members) against all test and validation images
    (under E5 test and synthetic calibration images), classes weighted to balance. The published
    two-weight softmax form with C = 1 has the optimum of today's binary form with C = 2.

    Args:
        retain, unseen, forget: entropies `[n]`.

    Raises:
        LotusError: one of the sets is empty or not finite (names it).

    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    check_finite("MIA", {"retain": retain, "test and val": unseen, "forget": forget})
    features = np.concatenate([retain, unseen])[:, None]
    member = np.repeat([1, 0], [len(retain), len(unseen)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=2.0, class_weight="balanced").fit(features, member)
    return float((model.predict(forget[:, None]) == 1).mean())


def round_share(value: float) -> float:
    """Accuracies and MIA as the published code keeps them: 2 decimals (E3)."""
    return round(value, 2)


def round_divergence(value: float) -> float:
    """JSD and RF-JSD as the published code keeps them: 6 decimals (E3)."""
    return round(value, 6)


STEPS: Mapping[Callable[[float], float], float] = {round_share: 1e-2, round_divergence: 1e-6}
"""In what steps rounded values can be read."""
