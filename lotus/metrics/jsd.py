"""JSD: how far a model is from gold in what it says of the forget set."""

from math import log

import numpy as np

from lotus.metrics.base import AsReleased, Case, MetricSpec, measures
from lotus.metrics.base.check import check_tables
from lotus.metrics.base.probabilities import p_ln, softmax
from lotus.metrics.base.released import (
    DIVERGENCE,
    ROUNDED_DIVERGENCE,
    jsd_released_e4,
    round_divergence,
    softmax32,
)

MOST = log(2)


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
    rows = (p_ln(p, p) - p_ln(p, m) + p_ln(q, q) - p_ln(q, m)).sum(axis=1) / 2
    # Rounding can leave equal rows a hair below 0.
    return float(np.maximum(rows, 0).mean())


@measures(
    MetricSpec(
        name="jsd",
        label="JSD",
        unit="nats",
        best="lowest",
        limits=(0, MOST),
        needs=("gold",),
        place=1,
        words="The mean Jensen–Shannon divergence, over the forget images, between what the model says "
        "(p) and what the gold model of the same seed says (q), in nats.",
        symbols="JSD = 1/|D_{f}| · Σ_{x} [½ KL(p_{x} ‖ m_{x}) + ½ KL(q_{x} ‖ m_{x})], x ∈ D_{f}, "
        "m_{x} = ½ (p_{x} + q_{x})",
        images=("forget",),
        released=AsReleased(
            ("E3", "E4"),
            round_divergence,
            ("e4",),
            words={"E3": ROUNDED_DIVERGENCE, "E4": DIVERGENCE},
        ),
    ),
    column=2,
)
def jsd_to_gold(case: Case) -> dict[str, float]:
    """To this seed's gold model on the forget set, in textbook and in published form."""
    mine, theirs = case.model["forget"].logits, case.gold["forget"].logits
    return {
        "jsd": jsd(softmax(mine), softmax(theirs)),
        "jsd_released_e4": jsd_released_e4(softmax32(mine), softmax32(theirs)),
    }
