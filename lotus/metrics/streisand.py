"""Does the forget set stand out from unseen images? Distances between entropies of predictions."""

from dataclasses import dataclass

import numpy as np

from lotus.metrics.base import Case, MetricSpec, measures
from lotus.metrics.base.check import check_finite
from lotus.metrics.base.probabilities import entropy_of_logits


@dataclass(frozen=True)
class Standing:
    """How far forget images stand from test images.

    Attributes:
        distance: Kolmogorov–Smirnov: the largest gap between the two distribution functions, 0 … 1.
        above: its one-sided part: how far forget images lie at higher entropy, 0 … 1. Forgotten images
            that are conspicuously uncertain (the Streisand effect) have it large; images that are
            remembered have a large `distance` alone.

    """

    distance: float
    above: float


def standing(forget: np.ndarray, test: np.ndarray) -> Standing:
    """Compares entropies in nats, `[n]` and `[m]`, by their order alone.

    However small, they are told apart: with an entropy of 10⁻⁵⁰ two logits are 120 apart, which float32
    knows to seven digits, and so the entropy to five.

    Raises:
        LotusError: one of the sets is empty or not finite (names it).

    """
    check_finite("distance of entropies", {"forget": forget, "test": test})
    forget, test = np.sort(forget), np.sort(test)
    points = np.concatenate([forget, test])
    gaps = _distribution(test, points) - _distribution(forget, points)
    # Both functions reach 1 at the largest point, where the gap is 0.
    return Standing(distance=float(np.abs(gaps).max()), above=float(gaps.max()))


def _distribution(ordered: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Share of the ordered values that are at most each point."""
    shares: np.ndarray = np.searchsorted(ordered, points, side="right") / len(ordered)
    return shares


@measures(
    MetricSpec(
        name="ks_forget_test",
        label="distance of entropies of forget and test images (KS)",
        unit="share",
        limits=(0, 1),
        place=11,
        is_printed=False,
        words="The largest distance between the distribution functions of the entropies of the model's "
        "predictions on forget and on test images.",
        symbols="KS = max_{h} |F_{t}(h) − F_{f}(h)|",
        images=("forget", "test"),
    ),
    MetricSpec(
        name="ks_forget_above_test",
        claimed="lower",
        label="entropy of forget above test images (one-sided KS)",
        unit="share",
        limits=(0, 1),
        place=12,
        is_printed=False,
        words="How far the entropies of the model's predictions on forget images lie above those on test "
        "images: the largest one-sided distance between their distribution functions.",
        symbols="KS⁺ = max_{h} (F_{t}(h) − F_{f}(h))",
        images=("forget", "test"),
    ),
    column=5,
)
def distances(case: Case) -> dict[str, float]:
    """How far forget images stand out from test images, and at higher entropy."""
    found = standing(*(entropy_of_logits(case.model[name].logits) for name in ("forget", "test")))
    return {"ks_forget_test": found.distance, "ks_forget_above_test": found.above}
