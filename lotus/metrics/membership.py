"""Membership inference: do the forgotten images still look like training images?"""

import logging
from dataclasses import dataclass

import numpy as np

from lotus.metrics.check import check_finite

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Membership:
    """What an attacker learns of the forget set from entropies.

    Attributes:
        rate: share of forget images called members ("MIA accuracy" in the paper; good is near gold's).
        auc: of forget against unseen test images by entropy; .5 means indistinguishable.
        balanced_accuracy: of the fitted threshold on forget against test images.
        tpr_at_1_fpr: share of forget images found while 1 % of test images are called members.

    """

    rate: float
    auc: float
    balanced_accuracy: float
    tpr_at_1_fpr: float


def attack(
    retain: np.ndarray, unseen: np.ndarray, forget: np.ndarray, test: np.ndarray, seed: int
) -> Membership:
    """Logistic regression on the entropy: fitted on retain (members) against unseen validation images.

    As many members as non-members, the larger side subsampled by `seed`; judged on forget images and
    on test images, neither of which it was fitted on.

    Args:
        retain, unseen, forget, test: entropies `[n]`.

    Returns:
        NaN throughout, with a warning, where all entropies of the fit are equal.

    Raises:
        LotusError: one of the sets is empty or not finite (names it).

    """
    sets = {"retain": retain, "val": unseen, "forget": forget, "test": test}
    check_finite("MIA", sets)
    rng = np.random.default_rng(seed)
    count = min(len(retain), len(unseen))
    features = np.concatenate(
        [rng.choice(retain, count, replace=False), rng.choice(unseen, count, replace=False)]
    )
    if np.ptp(features) == 0:
        log.warning("MIA: all entropies are equal; the attack is undefined")
        return Membership(*[float("nan")] * 4)
    member = np.repeat([1, 0], count)
    caught, alarms = _calls(features, member, forget), _calls(features, member, test)
    return Membership(
        rate=float(caught.mean()),
        auc=auc(-forget, -test),
        balanced_accuracy=float((caught.mean() + 1 - alarms.mean()) / 2),
        tpr_at_1_fpr=tpr_at_fpr(-forget, -test, 0.01),
    )


def _calls(features: np.ndarray, member: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Which of the `judged` entropies the fitted classifier calls members; bool `[n]`."""
    from sklearn.linear_model import LogisticRegression

    # C=2: the optimum of the two-weight softmax form with C=1 that the published code fits.
    model = LogisticRegression(C=2.0).fit(features[:, None], member)
    calls: np.ndarray = model.predict(judged[:, None]) == 1
    return calls


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive score exceeds a negative one, ties counting half.

    Raises:
        LotusError: one of the two is empty or not finite (names it).

    """
    from scipy.stats import rankdata

    check_finite("AUC", {"positive": positive, "negative": negative})
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    excess = ranks.sum() - len(positive) * (len(positive) + 1) / 2
    return float(excess / (len(positive) * len(negative)))


def tpr_at_fpr(positive: np.ndarray, negative: np.ndarray, fpr: float) -> float:
    """Share of positives above the lowest threshold that at most `fpr` of the negatives exceed.

    Raises:
        LotusError: one of the two is empty or not finite (names it).

    """
    check_finite("TPR", {"positive": positive, "negative": negative})
    allowed = int(fpr * len(negative))
    threshold = np.sort(negative)[::-1][allowed] if allowed < len(negative) else -np.inf
    return float((positive > threshold).mean())
