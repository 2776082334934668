"""Membership inference: do the forgotten images still look like training images?"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lotus.metrics.base import AsReleased, Case, MetricSpec, measures
from lotus.metrics.base.check import check_finite
from lotus.metrics.base.probabilities import entropy, softmax
from lotus.metrics.base.released import (
    ATTACK,
    ROUNDED_SHARE,
    SYNTHETIC_IMAGES,
    entropy32,
    mia_released_e6,
    round_share,
)
from lotus.predictions.predictions_file import ATTACKED, CALIBRATION, Split

SPLITS = ("forget", "retain", "val", "test")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Membership:
    """The success of an attacker who tells members by the entropy of predictions.

    Attributes:
        rate: share of forget images called members ("MIA accuracy" in the paper; good is near gold's).
        auc: of forget against unseen test images by entropy; .5 means indistinguishable.
        balanced_accuracy: of the fitted threshold on forget against test images.
        tpr_at_1_fpr: share of forget images found while 1 % of test images are called members; NaN of
            fewer than 100 test images, which cannot show so low a rate.

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
        log.warning("MIA: all entropies are equal, so the attack is undefined")
        return Membership(*[float("nan")] * 4)
    member = np.repeat([1, 0], count)
    caught, alarms = _calls(features, member, forget), _calls(features, member, test)
    return Membership(
        rate=float(caught.mean()),
        auc=auc(-forget, -test),
        balanced_accuracy=float((caught.mean() + 1 - alarms.mean()) / 2),
        tpr_at_1_fpr=tpr_at_fpr(-forget, -test, 0.01) if len(test) >= 100 else float("nan"),
    )


def _calls(features: np.ndarray, member: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Returns which of the `judged` entropies the fitted classifier calls members; bool `[n]`."""
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
    # The ranks of the positives among all, less their ranks among themselves (1 + … + n), count the pairs
    # that they win. Equal values share their mean rank, hence count half.
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    excess = ranks.sum() - len(positive) * (len(positive) + 1) / 2
    return float(excess / (len(positive) * len(negative)))


def tpr_at_fpr(positive: np.ndarray, negative: np.ndarray, fpr: float) -> float:
    """Share of positives above the lowest threshold that at most `fpr` of the negatives exceed.

    Raises:
        LotusError: one of the two is empty or not finite (names it).

    """
    check_finite("TPR", {"positive": positive, "negative": negative})
    # Above the negative that follows the allowed ones there are no more of them, also where some are equal.
    allowed = int(fpr * len(negative))
    threshold = np.sort(negative)[::-1][allowed] if allowed < len(negative) else -np.inf
    return float((positive > threshold).mean())


SYNTHETIC = "mia_released_e5_e6"
"""Column of the published attack with synthetic calibration images in place of validation images."""


@measures(
    MetricSpec(
        name="mia",
        label="MIA acc.",
        unit="share",
        limits=(0, 1),
        place=7,
        words="The share of the forget images that an attack calls members of the training set. The "
        "attack is a logistic regression on the entropy h of the model's predictions, fitted on as many "
        "retain images (members) as validation images (non-members), drawn with the seed.",
        symbols="MIA = 1/|D_{f}| · Σ_{x} [attack(h(x)) = member], x ∈ D_{f}, h = −Σ_{k} p_{k} ln p_{k}",
        images=("forget", "retain", "val"),
        counts="forget",
        released=AsReleased(
            ("E3", "E5", "E6"),
            round_share,
            ("e6", "e5_e6"),
            words={"E3": ROUNDED_SHARE, "E5": SYNTHETIC_IMAGES, "E6": ATTACK},
        ),
    ),
    MetricSpec(
        name="mia_auc",
        label="MIA AUC",
        unit="share",
        limits=(0, 1),
        place=8,
        words="The probability that a forget image has a lower entropy than a test image, ties counting "
        "half; at ½ entropy cannot tell them apart.",
        symbols="AUC = P(h(x_{f}) < h(x_{t})) + ½ P(h(x_{f}) = h(x_{t}))",
        images=("forget", "test"),
    ),
    MetricSpec(
        name="mia_balanced_accuracy",
        label="MIA balanced acc.",
        unit="share",
        limits=(0, 1),
        place=9,
        is_printed=False,
        words="The mean of two shares: of forget images that the attack calls members, and of test "
        "images that it does not.",
        symbols="½ · (TPR + 1 − FPR)",
    ),
    MetricSpec(
        name="mia_tpr_at_1_fpr",
        label="MIA TPR at 1 % FPR",
        unit="share",
        limits=(0, 1),
        place=10,
        is_printed=False,
        words="The share of forget images whose entropy lies below a threshold under which at most 1 % "
        "of the test images lie; undefined of fewer than 100 test images.",
        symbols="TPR at FPR ≤ 0.01",
        images=("forget", "test"),
    ),
    column=1,
)
def membership(case: Case) -> dict[str, float]:
    """The attack on the entropies of what it sees, and the published one."""
    asked = [name for name in (*SPLITS, CALIBRATION) if name in case.model]
    attacked = {name: case.model.get(ATTACKED + name, case.model[name]) for name in asked}
    h = {name: entropy(softmax(attacked[name].logits)) for name in SPLITS}
    found = attack(h["retain"], h["val"], h["forget"], h["test"], case.seed)
    return {
        "mia": found.rate,
        "mia_auc": found.auc,
        "mia_balanced_accuracy": found.balanced_accuracy,
        "mia_tpr_at_1_fpr": found.tpr_at_1_fpr,
        **_released(attacked),
    }


def _released(attacked: Mapping[str, Split]) -> dict[str, float]:
    """By the published attack; with synthetic images only where there are some."""
    h = {name: entropy32(split.logits) for name, split in attacked.items()}
    unseen = {"mia_released_e6": "val", SYNTHETIC: CALIBRATION}
    return {
        column: mia_released_e6(h["retain"], np.concatenate([h["test"], h[other]]), h["forget"])
        for column, other in unseen.items()
        if other in h
    }
