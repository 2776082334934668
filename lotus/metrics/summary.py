"""All metrics of one scenario and seed: original, gold and every method, side by side."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.metrics.divergence import entropy, jsd, rf_jsd, softmax
from lotus.metrics.membership import attack
from lotus.predictions import Predictions, Split

GAP_TERMS = ("mia", "accuracy_forget", "accuracy_retain", "accuracy_test")
SPLITS = ("forget", "retain", "val", "test")


@dataclass(frozen=True)
class Scores:
    """One model in one scenario; accuracies as shares, divergences in nats, nothing rounded.

    Attributes:
        mia: share of forget images that the attack calls members.
        mia_auc, mia_balanced_accuracy, mia_tpr_at_1_fpr: of the same attack (`membership.py`).
        jsd: to this seed's gold model on the forget set; None for gold itself.
        rf_jsd: None where a whole class is forgotten, for which it is not valid.
        avg_gap: to this seed's gold model, mean over `GAP_TERMS`; None for gold itself.
        same_as_original: every prediction equals the original model's.

    """

    accuracy_forget: float
    accuracy_retain: float
    accuracy_val: float
    accuracy_test: float
    mia: float
    mia_auc: float
    mia_balanced_accuracy: float
    mia_tpr_at_1_fpr: float
    jsd: float | None
    rf_jsd: float | None
    avg_gap: float | None
    same_as_original: bool


def accuracy(split: Split) -> float:
    """Share of images whose largest logit is their label.

    Raises:
        LotusError: no images.

    """
    if not len(split.labels):
        raise LotusError("accuracy: no images")
    return float((split.logits.argmax(axis=1) == split.labels).mean())


def avg_gap(scores: Mapping[str, Any], gold: Mapping[str, Any]) -> float:
    """Mean of |ΔMIA|, |ΔAcc_f|, |ΔAcc_r|, |ΔAcc_t| to the gold model of the same seed (Eq. 15)."""
    return float(np.mean([abs(scores[term] - gold[term]) for term in GAP_TERMS]))


def of_scenario(original: Predictions, gold: Predictions) -> dict[str, Split]:
    """The original's predictions in the splits of a scenario, which the gold model's rows define."""
    train = original["train"]
    return {
        "forget": train.at(gold["forget"].indices),
        "retain": train.at(gold["retain"].indices),
        "val": original["val"].at(gold["val"].indices),
        "test": original["test"].at(gold["test"].indices),
    }


def score_all(
    original: Predictions, gold: Predictions, unlearned: Mapping[str, Predictions], seed: int
) -> dict[str, Scores]:
    """Scores of the original ("doing nothing"), of gold and of every method, by row name.

    Args:
        original: of the original model (train, val, test).
        gold: of this seed's gold model (forget, retain, val, test).
        unlearned: by row name, like `gold`.
        seed: of the attack's subsampling.

    Raises:
        LotusError: a model was asked about other images than the gold model.

    """
    untouched = of_scenario(original, gold)
    rows: dict[str, Predictions] = {"original": untouched, "gold": gold, **unlearned}
    for name, row in rows.items():
        for split in SPLITS:
            if not np.array_equal(row[split].indices, gold[split].indices):
                raise LotusError(f"{name}: its {split} images are not those of the gold model")
    bare = {name: _own_scores(row, untouched, seed) for name, row in rows.items()}
    return {
        name: _with_gold(scores, rows[name], gold, bare["gold"], name == "gold")
        for name, scores in bare.items()
    }


def _own_scores(row: Predictions, original: Predictions, seed: int) -> dict[str, Any]:
    """What needs no gold model."""
    h = {name: entropy(softmax(row[name].logits)) for name in SPLITS}
    mia = attack(h["retain"], h["val"], h["forget"], h["test"], seed)
    return {
        **{f"accuracy_{name}": accuracy(row[name]) for name in SPLITS},
        "mia": mia.rate,
        "mia_auc": mia.auc,
        "mia_balanced_accuracy": mia.balanced_accuracy,
        "mia_tpr_at_1_fpr": mia.tpr_at_1_fpr,
        "rf_jsd": _rf_jsd(row, original),
        "same_as_original": all(
            np.array_equal(row[name].logits, original[name].logits) for name in SPLITS
        ),
    }


def _rf_jsd(row: Predictions, original: Predictions) -> float | None:
    """RF-JSD against the original model's test predictions; None for class forgetting."""
    forget, retain, test = row["forget"], row["retain"], original["test"]
    if not set(forget.labels.tolist()) & set(retain.labels.tolist()):
        return None
    return rf_jsd(softmax(forget.logits), forget.labels, softmax(test.logits), test.labels).value


def _with_gold(
    scores: Mapping[str, Any],
    row: Predictions,
    gold: Predictions,
    gold_scores: Mapping[str, Any],
    is_gold: bool,
) -> Scores:
    if is_gold:
        return Scores(**scores, jsd=None, avg_gap=None)
    divergence = jsd(softmax(row["forget"].logits), softmax(gold["forget"].logits))
    return Scores(**scores, jsd=divergence, avg_gap=avg_gap(scores, gold_scores))


def as_json(scores: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:
    """Rows as plain values; an undefined number (NaN) becomes null."""
    return {
        name: {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in asdict(row).items()
        }
        for name, row in scores.items()
    }
