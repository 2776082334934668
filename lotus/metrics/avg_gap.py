"""Avg Gap: how far a model is from gold in accuracy and membership inference."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lotus.metrics.base import AsReleased, Case, MetricSpec, measures
from lotus.metrics.base.released import ATTACK, SYNTHETIC_IMAGES

GAP_TERMS = ("mia", "accuracy_forget", "accuracy_retain", "accuracy_test")


def avg_gap(scores: Mapping[str, Any], gold: Mapping[str, Any], mia: str = "mia") -> float:
    """Mean of |ΔMIA|, |ΔAcc_f|, |ΔAcc_r|, |ΔAcc_t| to the gold model of the same seed (Eq. 15).

    Args:
        mia: name of the MIA to take.

    """
    terms = [mia if term == "mia" else term for term in GAP_TERMS]
    return float(np.mean([abs(scores[term] - gold[term]) for term in terms]))


@measures(
    MetricSpec(
        name="avg_gap",
        label="Avg Gap",
        unit="share",
        best="lowest",
        limits=(0, 1),
        needs=("gold",),
        terms=GAP_TERMS,
        place=0,
        words="The mean of four distances to the gold model of the same seed: of MIA accuracy, forget, "
        "retain and test accuracy.",
        symbols="Avg Gap = ¼ · (|ΔMIA| + |ΔAcc_{f}| + |ΔAcc_{r}| + |ΔAcc_{t}|), Δ = model − gold",
        released=AsReleased(
            ("E3", "E5", "E6"),
            forms=("e6",),
            words={
                "E3": "The four distances are taken between means over the seeds, each rounded to 2 "
                "decimals; so there is no deviation.",
                "E5": SYNTHETIC_IMAGES,
                "E6": ATTACK,
            },
        ),
    ),
    column=4,
)
def gaps_to_gold(case: Case) -> dict[str, float]:
    """To this seed's gold model, with the textbook attack and with the published one."""
    return {
        "avg_gap": avg_gap(case.scores, case.gold_scores),
        "avg_gap_released_e6": avg_gap(case.scores, case.gold_scores, "mia_released_e6"),
    }
