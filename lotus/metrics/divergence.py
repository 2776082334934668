"""How far apart two models are in what they say: JSD to the gold model, and RF-JSD without one."""

from dataclasses import dataclass

import numpy as np

from lotus.errors import LotusError


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities float64 `[n, classes]` of logits `[n, classes]`."""
    powers: np.ndarray = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """−Σ p ln p of each row, in nats, with 0 ln 0 = 0; `[n]`."""
    nats: np.ndarray = -_p_ln(probabilities, probabilities).sum(axis=1)
    return nats


def jsd(p: np.ndarray, q: np.ndarray) -> float:
    """Mean Jensen–Shannon divergence of the rows of `p` and `q`, in nats: 0 … ln 2.

    JSD = ½KL(p‖m) + ½KL(q‖m), m = (p+q)/2. The textbook form; the published code computes another
    quantity under this name.

    Args:
        p, q: probabilities `[n, classes]`, row by row of the same image.

    Raises:
        LotusError: no rows, or shapes that differ.

    """
    check_tables(p, q)
    m = (p + q) / 2
    rows = (_p_ln(p, p) - _p_ln(p, m) + _p_ln(q, q) - _p_ln(q, m)).sum(axis=1) / 2
    # Rounding can leave equal rows a hair below 0.
    return float(np.maximum(rows, 0).mean())


def check_tables(p: np.ndarray, q: np.ndarray) -> None:
    """Two tables of predictions must have rows, and equally many.

    Raises:
        LotusError: no rows, or shapes that differ.

    """
    if p.shape != q.shape or not len(p):
        raise LotusError(
            f"JSD: needs two tables of equal shape with rows, not {p.shape}, {q.shape}"
        )


def _p_ln(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """P · ln q, and 0 where p is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(q), 0.0)


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
