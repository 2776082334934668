"""All numbers of a benchmark's models, and which are absent."""

import dataclasses

import numpy as np
import pytest
from random_predictions import CLASSES, HELD_OUT, PARTS, predict, scenario
from scipy.stats import ks_2samp

from lotus.errors import LotusError
from lotus.metrics.accuracy import accuracy
from lotus.metrics.avg_gap import avg_gap
from lotus.metrics.base import registry
from lotus.metrics.base.probabilities import entropy, softmax
from lotus.metrics.base.released import (
    entropy32,
    jsd_released_e4,
    mia_released_e6,
    rf_jsd_released_e4,
    softmax32,
)
from lotus.metrics.base.scoring import score_all
from lotus.metrics.jsd import jsd
from lotus.metrics.rf_jsd import rf_jsd
from lotus.predictions.predictions_file import Split


def test_avg_gap_by_hand():
    gold = {"mia": 0.5, "accuracy_forget": 0.5, "accuracy_retain": 1.0, "accuracy_test": 0.5}
    mine = {"mia": 0.7, "accuracy_forget": 0.9, "accuracy_retain": 0.9, "accuracy_test": 0.4}
    assert avg_gap(mine, gold) == pytest.approx((0.2 + 0.4 + 0.1 + 0.1) / 4)
    for term in gold:
        assert avg_gap({**gold, term: gold[term] - 0.4}, gold) == pytest.approx(0.1)


def test_avg_gap_with_the_released_mia():
    gold = {"mia": 0.5, "accuracy_forget": 0.5, "accuracy_retain": 1.0, "accuracy_test": 0.5}
    mine = {**gold, "mia": 0.9, "mia_released_e6": 0.6}
    assert avg_gap(mine, {**gold, "mia_released_e6": 0.8}, "mia_released_e6") == pytest.approx(0.05)


def test_accuracy_by_hand():
    z = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
    split = Split(z, np.array([0, 1, 1, 1]), np.arange(4))
    assert accuracy(split) == 0.75
    with pytest.raises(LotusError, match="accuracy: there are no images"):
        accuracy(split.at(np.array([], dtype=np.int64)))


def test_score_all_of_instance_forgetting():
    original, gold, rows = scenario()
    scores = score_all(original, gold, rows, seed=3)
    assert list(scores) == ["original", "gold", "copy", "other"]
    assert scores["gold"]["avg_gap"] is None
    assert scores["gold"]["jsd"] is None
    assert scores["gold"]["rf_jsd"] is not None
    assert {row: s["same_as_original"] for row, s in scores.items()} == {
        "original": True,
        "gold": False,
        "copy": True,
        "other": False,
    }
    assert scores["copy"] == scores["original"]
    other = rows["other"]
    p, q = softmax(other["forget"].logits), softmax(gold["forget"].logits)
    assert scores["other"]["jsd"] == pytest.approx(jsd(p, q))
    test = original["test"]
    reference = rf_jsd(p, other["forget"].labels, softmax(test.logits), test.labels)
    assert scores["other"]["rf_jsd"] == pytest.approx(reference.value)
    right = other["retain"].logits.argmax(1) == other["retain"].labels
    assert scores["other"]["accuracy_retain"] == pytest.approx(right.mean())
    gap = avg_gap(scores["other"], scores["gold"])
    assert scores["other"]["avg_gap"] == pytest.approx(gap)


def test_score_all_of_class_forgetting_has_no_rf_jsd():
    labels = np.where(np.arange(96) < 12, 0, 1 + np.arange(96) % 2)
    scores = score_all(*scenario(labels), seed=0)
    assert all(row["rf_jsd"] is None for row in scores.values())


@pytest.mark.parametrize("split", ["forget", "retain", "val", "test"])
def test_score_all_refuses_other_images(split):
    original, gold, rows = scenario()
    part = rows["other"][split]
    rows["other"][split] = part.at(part.indices[::-1])
    with pytest.raises(LotusError, match=f"other: its {split} images"):
        score_all(original, gold, rows, 0)


def test_score_all_refuses_an_empty_split():
    original, gold, rows = scenario()
    with pytest.raises(LotusError, match="forget"):
        empty = {
            name: {**row, "forget": row["forget"].at(PARTS["forget"][:0])}
            for name, row in {"gold": gold, **rows}.items()
        }
        score_all(original, empty.pop("gold"), empty, 0)


def test_undefined_numbers_become_null():
    original, gold, rows = scenario()
    same = {
        name: dataclasses.replace(split, logits=0 * split.logits)
        for name, split in rows["other"].items()
    }
    found = score_all(original, gold, {**rows, "other": same}, seed=0)["other"]
    undefined = {name for name in registry.columns() if found[name] is None}
    of_attack = {"mia", "mia_auc", "mia_balanced_accuracy", "mia_tpr_at_1_fpr"}
    assert undefined == {*of_attack, "avg_gap", "mia_released_e5_e6"}


def test_score_all_has_the_released_numbers_too():
    original, gold, rows = scenario()
    scores, other = score_all(original, gold, rows, seed=3), rows["other"]
    forget, test = softmax32(other["forget"].logits), softmax32(original["test"].logits)
    expected = jsd_released_e4(forget, softmax32(gold["forget"].logits))
    assert scores["other"]["jsd_released_e4"] == expected
    labels = other["forget"].labels, original["test"].labels
    expected = rf_jsd_released_e4(forget, labels[0], test, labels[1])
    assert scores["other"]["rf_jsd_released_e4"] == pytest.approx(expected, rel=1e-5)
    h = {name: entropy32(split.logits) for name, split in other.items()}
    unseen = np.concatenate([h["test"], h["val"]])
    expected = mia_released_e6(h["retain"], unseen, h["forget"])
    assert scores["other"]["mia_released_e6"] == expected
    gap = avg_gap(scores["other"], scores["gold"], "mia_released_e6")
    assert scores["other"]["avg_gap_released_e6"] == pytest.approx(gap)
    assert scores["gold"]["jsd_released_e4"] is None
    assert scores["gold"]["rf_jsd_released_e4"] is not None
    assert scores["other"]["mia_released_e5_e6"] is None


def test_score_all_of_class_forgetting_has_the_released_rf_jsd():
    labels = np.where(np.arange(96) < 12, 0, np.arange(96) % CLASSES)
    labels[12:48] = 1 + labels[12:48] % 2
    original, gold, rows = scenario(labels)
    scores = score_all(original, gold, rows, seed=0)
    assert all(row["rf_jsd"] is None for row in scores.values())
    assert all(row["rf_jsd_released_e4"] is not None for row in scores.values())


def test_score_all_has_no_released_rf_jsd_where_the_published_code_stops():
    labels = np.arange(96) % CLASSES
    labels[HELD_OUT["test"]] = 1
    original, gold, rows = scenario(labels)
    assert score_all(original, gold, rows, seed=0)["other"]["rf_jsd_released_e4"] is None


def test_how_far_the_forget_set_stands_out_is_told_of_every_model():
    original, gold, rows = scenario()
    for name, row in {"gold": gold, **rows}.items():
        found = score_all(original, gold, rows, seed=0)[name]
        h = [entropy(softmax(row[part].logits)) for part in ("forget", "test")]
        assert found["ks_forget_test"] == pytest.approx(ks_2samp(*h).statistic)
        assert found["ks_forget_above_test"] <= found["ks_forget_test"]


def test_synthetic_images_replace_validation_images_under_e5():
    original, gold, rows = scenario()
    synthetic = Split(3 * predict(9, HELD_OUT)["val"].logits, np.zeros(24, int), np.arange(24))
    rows["other"] = {**rows["other"], "calibration": synthetic}
    other = rows["other"]
    h = {name: entropy32(split.logits) for name, split in other.items()}
    unseen = np.concatenate([h["test"], h["calibration"]])
    scores = score_all(original, gold, rows, seed=0)
    expected = mia_released_e6(h["retain"], unseen, h["forget"])
    assert scores["other"]["mia_released_e5_e6"] == expected
    assert scores["other"]["mia_released_e6"] != expected
    assert scores["copy"]["mia_released_e5_e6"] is None


def test_under_e1_the_attack_on_synthetic_images_reads_what_was_said_to_it():
    original, gold, rows = scenario()
    said = {
        name: 3 * predict(seed, HELD_OUT)["val"].logits for name, seed in (("", 9), ("mia.", 8))
    }
    synthetic = {
        f"{name}calibration": Split(logits, np.zeros(24, int), np.arange(24))
        for name, logits in said.items()
    }
    other = rows["other"] = {**rows["other"], **synthetic}
    h = {name: entropy32(split.logits) for name, split in other.items()}
    expected = mia_released_e6(
        h["retain"], np.concatenate([h["test"], h["mia.calibration"]]), h["forget"]
    )
    assert score_all(original, gold, rows, seed=0)["other"]["mia_released_e5_e6"] == expected


def test_without_a_gold_model_everything_else_is_the_same():
    original, gold, rows = scenario()
    beside, alone = score_all(original, gold, rows, 3), score_all(original, None, rows, 3)
    assert list(alone) == ["original", "copy", "other"]
    of_gold = {"jsd", "jsd_released_e4", "avg_gap", "avg_gap_released_e6"}
    for name, scores in alone.items():
        assert scores == beside[name] | dict.fromkeys(of_gold)


def test_without_a_gold_model_the_methods_must_agree_on_the_images():
    original, _, rows = scenario()
    part = rows["other"]["forget"]
    rows["other"]["forget"] = part.at(part.indices[::-1])
    with pytest.raises(LotusError, match="other: its forget images are not those of copy"):
        score_all(original, None, rows, 0)


def test_a_row_whose_logits_are_not_finite_has_no_numbers():
    original, gold, rows = scenario()
    whole = score_all(original, gold, rows, seed=0)["copy"]
    rows["other"]["val"].logits[3, 1] = np.nan
    scores = score_all(original, gold, rows, 0, {"other": "weights are not finite"})
    row = scores["other"]
    assert [row[key] for key in registry.columns()] == [None] * len(registry.columns())
    assert row["collapsed"] == "weights are not finite"
    assert scores["copy"] == whole
    assert scores["copy"]["collapsed"] == ""


def test_a_collapsed_row_keeps_the_numbers_that_it_has():
    original, gold, rows = scenario()
    sound = score_all(original, gold, rows, 0)["other"]
    found = score_all(original, gold, rows, 0, {"other": "near chance"})["other"]
    assert found == sound | {"collapsed": "near chance"}


def test_without_a_finite_gold_model_there_are_no_gaps():
    original, gold, rows = scenario()
    gold["forget"].logits[0, 0] = np.inf
    scores = score_all(original, gold, rows, 0)
    assert scores["gold"]["mia"] is None
    assert scores["other"]["mia"] is not None
    assert [scores["other"]["avg_gap"], scores["other"]["jsd"]] == [None, None]
