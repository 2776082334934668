"""All metrics of one scenario and seed: original, gold if there is one, and every method."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.metrics import released
from lotus.metrics.check import check_row, check_together
from lotus.metrics.divergence import entropy, jsd, rf_jsd, softmax
from lotus.metrics.membership import attack
from lotus.metrics.streisand import standing
from lotus.predictions.predictions_file import ATTACKED, CALIBRATION, Predictions, Split

GAP_TERMS = ("mia", "accuracy_forget", "accuracy_retain", "accuracy_test")
SPLITS = ("forget", "retain", "val", "test")


@dataclass(frozen=True)
class Scores:
    """One model in one scenario; accuracies as shares, divergences in nats, nothing rounded.

    Names that end in `_released_…` are of the published code's conventions (`released.py`); the
    switches follow. None: undefined or not applicable.

    Attributes:
        mia: share of forget images that the attack calls members.
        mia_auc, mia_balanced_accuracy, mia_tpr_at_1_fpr: of the same attack (`membership.py`).
        mia_released_e6: by the published attack.
        mia_released_e5_e6: the same with synthetic calibration images in place of validation images.
        jsd, jsd_released_e4: to this seed's gold model on the forget set; None for gold itself, and
            for all where there is no gold model.
        rf_jsd: None where a whole class is forgotten, for which it is not valid.
        rf_jsd_released_e4: the published form, computed for classes too; None where that stops.
        avg_gap: to this seed's gold model, mean over `GAP_TERMS`; None as `jsd`.
        avg_gap_released_e6: the same with `mia_released_e6`.
        ks_forget_test, ks_forget_above_test: how far forget images stand out from test images by the
            entropy of predictions, and at higher entropy (`streisand.py`).
        same_as_original: every prediction equals the original model's.
        collapsed: why the model is of no use; empty if it is not so.

    """

    accuracy_forget: float | None = None
    accuracy_retain: float | None = None
    accuracy_val: float | None = None
    accuracy_test: float | None = None
    mia: float | None = None
    mia_auc: float | None = None
    mia_balanced_accuracy: float | None = None
    mia_tpr_at_1_fpr: float | None = None
    mia_released_e6: float | None = None
    mia_released_e5_e6: float | None = None
    jsd: float | None = None
    jsd_released_e4: float | None = None
    rf_jsd: float | None = None
    rf_jsd_released_e4: float | None = None
    avg_gap: float | None = None
    avg_gap_released_e6: float | None = None
    ks_forget_test: float | None = None
    ks_forget_above_test: float | None = None
    same_as_original: bool = False
    collapsed: str = ""


METRICS = tuple(f.name for f in fields(Scores) if f.name not in ("same_as_original", "collapsed"))


def accuracy(split: Split) -> float:
    """Share of images whose largest logit is their label.

    Raises:
        LotusError: no images.

    """
    if not len(split.labels):
        raise LotusError("accuracy: no images")
    return float((split.logits.argmax(axis=1) == split.labels).mean())


def avg_gap(scores: Mapping[str, Any], gold: Mapping[str, Any], mia: str = "mia") -> float:
    """Mean of |ΔMIA|, |ΔAcc_f|, |ΔAcc_r|, |ΔAcc_t| to the gold model of the same seed (Eq. 15).

    Args:
        mia: name of the MIA to take.

    """
    terms = [mia if term == "mia" else term for term in GAP_TERMS]
    return float(np.mean([abs(scores[term] - gold[term]) for term in terms]))


def of_scenario(original: Predictions, other: Predictions) -> dict[str, Split]:
    """The original's predictions in the splits of a scenario.

    Args:
        other: of any other model of the scenario, gold or unlearned: its rows define the splits.

    """
    train = original["train"]
    return {
        "forget": train.at(other["forget"].indices),
        "retain": train.at(other["retain"].indices),
        "val": original["val"].at(other["val"].indices),
        "test": original["test"].at(other["test"].indices),
    }


def score_all(
    original: Predictions,
    gold: Predictions | None,
    unlearned: Mapping[str, Predictions],
    seed: int,
    collapsed: Mapping[str, str] | None = None,
) -> dict[str, Scores]:
    """Scores of the original ("doing nothing"), of gold and of every method, by row name.

    The images of each split are those of the gold model, without one those of the first method.

    Args:
        original: of the original model (train, val, test).
        gold: of this seed's gold model (forget, retain, val, test), None if none was retrained.
        unlearned: by row name, like `gold`; at least one where there is no gold.
        seed: of the attack's subsampling.
        collapsed: by row name, why a model is of no use; its numbers are given where they exist.

    Raises:
        LotusError: a model was asked about other images than the rest, or its predictions are damaged;
            names the row and the split.

    """
    others = {**({"gold": gold} if gold is not None else {}), **unlearned}
    if not others:
        raise LotusError(
            "metrics need the predictions of gold or of a method beside the original's"
        )
    check_row("original", original, ("train", "val", "test"))
    for name, row in others.items():
        check_row(name, row, SPLITS)
    first, expected = next(iter(others.items()))
    try:
        untouched = of_scenario(original, expected)
    except LotusError as error:
        raise LotusError(f"original: {error}: those of {first}") from error
    rows: dict[str, Predictions] = {"original": untouched, **others}
    why = collapsed or {}
    for name, row in rows.items():
        for split in SPLITS:
            if not np.array_equal(row[split].indices, expected[split].indices):
                raise LotusError(f"{name}: its {split} images are not those of {first}")
    check_together(rows)
    numbers = {
        name: _own_scores(row, untouched, seed) for name, row in rows.items() if _finite(row)
    }
    for name, scores in numbers.items():
        if gold is not None and name != "gold" and "gold" in numbers:
            scores |= _against_gold(scores, rows[name], gold, numbers["gold"])
    return {name: Scores(**numbers.get(name, {}), collapsed=why.get(name, "")) for name in rows}


def _finite(row: Predictions) -> bool:
    return all(np.isfinite(split.logits).all() for split in row.values())


def _own_scores(row: Predictions, original: Predictions, seed: int) -> dict[str, Any]:
    """What needs no gold model."""
    asked = [name for name in (*SPLITS, CALIBRATION) if name in row]
    attacked = {name: row.get(ATTACKED + name, row[name]) for name in asked}
    h = {name: entropy(softmax(attacked[name].logits)) for name in SPLITS}
    mia = attack(h["retain"], h["val"], h["forget"], h["test"], seed)
    stands = standing(*(entropy(softmax(row[name].logits)) for name in ("forget", "test")))
    return {
        **{f"accuracy_{name}": accuracy(row[name]) for name in SPLITS},
        "mia": mia.rate,
        "mia_auc": mia.auc,
        "mia_balanced_accuracy": mia.balanced_accuracy,
        "mia_tpr_at_1_fpr": mia.tpr_at_1_fpr,
        **_released_mia(attacked),
        "rf_jsd": _rf_jsd(row, original),
        "rf_jsd_released_e4": _rf_jsd_released(row, original),
        "ks_forget_test": stands.distance,
        "ks_forget_above_test": stands.above,
        "same_as_original": all(
            np.array_equal(row[name].logits, original[name].logits) for name in SPLITS
        ),
    }


def _released_mia(attacked: Mapping[str, Split]) -> dict[str, float | None]:
    h = {name: released.entropy32(split.logits) for name, split in attacked.items()}
    unseen = np.concatenate([h["test"], h["val"]])
    found: dict[str, float | None] = {
        "mia_released_e6": released.mia_released_e6(h["retain"], unseen, h["forget"])
    }
    if CALIBRATION in attacked:
        synthetic = np.concatenate([h["test"], h[CALIBRATION]])
        found["mia_released_e5_e6"] = released.mia_released_e6(h["retain"], synthetic, h["forget"])
    return found


def _rf_jsd(row: Predictions, original: Predictions) -> float | None:
    """RF-JSD against the original model's test predictions; None for class forgetting."""
    forget, retain, test = row["forget"], row["retain"], original["test"]
    if not set(forget.labels.tolist()) & set(retain.labels.tolist()):
        return None
    return rf_jsd(softmax(forget.logits), forget.labels, softmax(test.logits), test.labels).value


def _rf_jsd_released(row: Predictions, original: Predictions) -> float | None:
    forget, test = row["forget"], original["test"]
    said, expected = released.softmax32(forget.logits), released.softmax32(test.logits)
    try:
        return released.rf_jsd_released_e4(said, forget.labels, expected, test.labels)
    except LotusError:
        return None


def _against_gold(
    scores: Mapping[str, Any], row: Predictions, gold: Predictions, gold_scores: Mapping[str, Any]
) -> dict[str, float]:
    mine, theirs = row["forget"].logits, gold["forget"].logits
    return {
        "jsd": jsd(softmax(mine), softmax(theirs)),
        "jsd_released_e4": released.jsd_released_e4(
            released.softmax32(mine), released.softmax32(theirs)
        ),
        "avg_gap": avg_gap(scores, gold_scores),
        "avg_gap_released_e6": avg_gap(scores, gold_scores, "mia_released_e6"),
    }


def as_json(scores: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:
    """Rows as plain values; an undefined number (NaN) becomes null."""
    return {
        name: {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in asdict(row).items()
        }
        for name, row in scores.items()
    }
