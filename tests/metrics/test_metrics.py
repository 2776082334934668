"""Metrics against closed forms and textbook implementations."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lotus.errors import LotusError
from lotus.metrics.accuracy import accuracy
from lotus.metrics.avg_gap import avg_gap
from lotus.metrics.base import registry
from lotus.metrics.base.probabilities import entropy, softmax
from lotus.metrics.base.released import (
    entropy32,
    jsd_released_e4,
    mean_ag,
    mia_released_e6,
    rf_jsd_released_e4,
    round_divergence,
    round_share,
    softmax32,
)
from lotus.metrics.base.scoring import score_all
from lotus.metrics.jsd import jsd
from lotus.metrics.membership import attack, auc, tpr_at_fpr
from lotus.metrics.rf_jsd import rf_jsd
from lotus.metrics.streisand import standing
from lotus.predictions.predictions_file import Split
from lotus.results.correlation import correlate
from lotus.results.intervals import paired
from lotus.runs.objective import objective

LN2 = np.log(2)


def logits_of(shape):
    return hnp.arrays(np.float64, shape, elements=st.floats(-300, 300))


def random_rows(seed, count=20, classes=4):
    return softmax(np.random.default_rng(seed).normal(size=(count, classes)))


def test_softmax_is_stable_and_invariant_to_shifts():
    p = softmax(np.array([[1e4, 1e4, -1e4]], np.float32))
    assert p.tolist() == [[0.5, 0.5, 0.0]]
    assert p.dtype == np.float64
    z = np.log([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(softmax(z + 1e3), [[0.2, 0.3, 0.5]], rtol=1e-12)


def test_entropy_of_known_rows():
    rows = np.array([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(entropy(rows), [0, np.log(4), LN2], atol=1e-15)


def test_jsd_of_known_rows():
    eye = np.eye(3)
    assert jsd(eye, np.roll(eye, 1, axis=1)) == pytest.approx(LN2, rel=1e-15)
    assert jsd(eye, eye) == 0
    # ½[ln(1/.75)] + ½[½ ln(.5/.75) + ½ ln(.5/.25)]
    by_hand = 0.5 * np.log(4 / 3) + 0.25 * np.log(2 / 3) + 0.25 * np.log(2)
    assert jsd(np.array([[1.0, 0]]), np.array([[0.5, 0.5]])) == pytest.approx(by_hand, rel=1e-14)


def test_jsd_is_the_mean_over_rows():
    p, q = random_rows(0), random_rows(1)
    rows = [jsd(p[i : i + 1], q[i : i + 1]) for i in range(len(p))]
    assert jsd(p, q) == pytest.approx(np.mean(rows), rel=1e-12)


@given(logits_of((3, 4)), logits_of((3, 4)))
def test_jsd_is_symmetric_and_bounded(a, b):
    p, q = softmax(a), softmax(b)
    assert 0 <= jsd(p, q) <= LN2 + 1e-12
    assert jsd(p, q) == pytest.approx(jsd(q, p), abs=1e-14)
    assert jsd(p, p) == 0


@pytest.mark.parametrize(("p", "q"), [((0, 3), (0, 3)), ((2, 3), (3, 3)), ((2, 3), (2, 4))])
def test_jsd_refuses_empty_and_unequal_tables(p, q):
    with pytest.raises(LotusError, match="JSD"):
        jsd(np.ones(p), np.ones(q))


def test_rf_jsd_of_the_original_on_the_same_images_is_zero():
    p, labels = random_rows(0), np.arange(20) % 3
    found = rf_jsd(p, labels, p, labels)
    assert (found.value, found.classes, found.dropped) == (0, 3, ())


def test_rf_jsd_is_the_mean_over_classes_of_mean_predictions():
    p, q = np.eye(2)[[0, 1, 0, 0]], np.eye(2)[[1, 0, 1]]
    found = rf_jsd(p, np.array([0, 0, 1, 1]), q, np.array([0, 0, 1]))
    # Class 0: both (½, ½); class 1: disjoint.
    assert found.value == pytest.approx(LN2 / 2, rel=1e-14)


def test_rf_jsd_weighs_classes_equally_and_is_unchanged_by_duplicated_classes():
    p, q, labels = random_rows(0), random_rows(1), np.repeat([0, 1], [3, 17])
    once = rf_jsd(p, labels, q, labels).value
    copies = np.concatenate([labels, labels + 5])
    twice = rf_jsd(np.tile(p, (2, 1)), copies, np.tile(q, (2, 1)), copies)
    assert twice.value == pytest.approx(once, rel=1e-12)
    assert twice.classes == 4


def test_rf_jsd_reports_dropped_classes_and_needs_a_common_one():
    p, q = random_rows(0, 3), random_rows(1, 3)
    found = rf_jsd(p, np.array([0, 1, 1]), q, np.array([1, 1, 2]))
    assert (found.classes, found.dropped) == (1, (0, 2))
    assert found.value == pytest.approx(jsd(p[1:].mean(0)[None], q[:2].mean(0)[None]))
    with pytest.raises(LotusError, match="no class in common"):
        rf_jsd(p, np.zeros(3, int), q, np.ones(3, int))


def entropies(seed, shift, count=400):
    return np.abs(np.random.default_rng(seed).normal(shift, 0.3, count))


def test_attack_on_separable_entropies_finds_every_member():
    found = attack(entropies(0, 0), entropies(1, 5), entropies(2, 0), entropies(3, 5), 0)
    assert dataclasses.astuple(found) == (1, 1, 1, 1)
    forgotten = attack(entropies(0, 0), entropies(1, 5), entropies(2, 5), entropies(3, 5), 0)
    assert forgotten.rate == 0


def test_attack_on_equal_distributions_learns_nothing():
    found = attack(*(entropies(seed, 1, 4000) for seed in range(4)), 0)
    assert found.auc == pytest.approx(0.5, abs=0.03)
    assert found.balanced_accuracy == pytest.approx(0.5, abs=0.03)
    assert found.tpr_at_1_fpr < 0.03


def test_attack_on_constant_entropies_is_undefined(caplog):
    same = np.full(5, 0.3)
    assert all(np.isnan(dataclasses.astuple(attack(same, same, same, same, 0))))
    assert "undefined" in caplog.text


@pytest.mark.parametrize("position", range(4))
def test_attack_names_the_empty_set(position):
    sets = [entropies(0, 1, 5)] * 4
    sets[position] = np.array([])
    with pytest.raises(LotusError, match=("retain", "val", "forget", "test")[position]):
        attack(*sets, 0)


def test_attack_is_the_textbook_fit_with_half_the_penalty():
    # Few, overlapping points, where the penalty decides.
    retain, unseen = entropies(0, 0.5, 8), entropies(1, 0.8, 8)
    forget, test = entropies(2, 0.6, 500), entropies(3, 0.7, 500)
    features, member = np.concatenate([retain, unseen])[:, None], [1] * 8 + [0] * 8
    model = LogisticRegression(C=2.0).fit(features, member)
    judged, truth = np.concatenate([forget, test]), np.repeat([1, 0], 500)
    found = attack(retain, unseen, forget, test, 0)
    assert found.rate == pytest.approx(model.predict(forget[:, None]).mean())
    expected = balanced_accuracy_score(truth, model.predict(judged[:, None]))
    assert found.balanced_accuracy == pytest.approx(expected)
    assert found.auc == pytest.approx(roc_auc_score(truth, -judged))


def test_attack_balances_the_fit_by_seed():
    sets = entropies(0, 0.5, 30), entropies(1, 0.8, 5), entropies(2, 0.6), entropies(3, 0.7)
    rates = [attack(*sets, seed).rate for seed in range(8)]
    assert attack(*sets, 0).rate == rates[0]
    assert len(set(rates)) > 1
    # Unbalanced, the 6 times as many members would claim nearly every image.
    assert min(rates) < 0.9


@given(
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 5)),
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 5)),
)
def test_auc_with_ties_is_sklearns(positive, negative):
    truth = np.repeat([1, 0], [len(positive), len(negative)])
    expected = roc_auc_score(truth, np.concatenate([positive, negative]))
    assert auc(positive, negative) == pytest.approx(expected)


def test_tpr_at_fpr_by_hand():
    negative = np.arange(100.0)
    positive = np.array([98.5, 98.0, 99.0, 200.0])
    # One negative may exceed the threshold, so it is 98.
    assert tpr_at_fpr(positive, negative, 0.01) == 0.75
    # None may: above 99.
    assert tpr_at_fpr(positive, negative, 0.009) == 0.25
    assert tpr_at_fpr(positive, negative, 1.0) == 1


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
    with pytest.raises(LotusError, match="accuracy: no images"):
        accuracy(split.at(np.array([], dtype=np.int64)))


CLASSES = 3
PARTS = {"forget": np.arange(12), "retain": np.arange(12, 48)}
HELD_OUT = {"val": np.arange(48, 72), "test": np.arange(72, 96)}


def predict(seed, parts, labels=None):
    """Each image's logits and label depend on its index and the model's seed alone."""
    z = np.random.default_rng(seed).normal(size=(96, CLASSES)).astype(np.float32)
    labels = np.arange(96) % CLASSES if labels is None else labels
    return {name: Split(z[ids], labels[ids], ids) for name, ids in parts.items()}


def scenario(labels=None):
    # The original is recorded in another order than the scenario's.
    reordered = {name: ids[::-1] for name, ids in HELD_OUT.items()}
    original = predict(0, {"train": np.arange(48)[::-1], **reordered}, labels)
    rows = {
        "copy": predict(0, {**PARTS, **HELD_OUT}, labels),
        "other": predict(2, {**PARTS, **HELD_OUT}, labels),
    }
    return original, predict(1, {**PARTS, **HELD_OUT}, labels), rows


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


def test_attack_reads_what_was_said_to_it_first():
    """Under E1 the attack's predictions are apart from all others."""
    original, gold, rows = scenario()
    said = predict(7, {**PARTS, **HELD_OUT})
    said["retain"].logits[:] *= 5
    said["forget"].logits[:] *= 20
    rows["attacked"] = {**{f"mia.{name}": split for name, split in said.items()}, **rows["other"]}
    rows["said so"] = said
    scores = score_all(original, gold, rows, seed=0)
    found, other, so = (scores[name] for name in ("attacked", "other", "said so"))
    of_attack = {key for key in registry.columns() if key.startswith("mia")}
    assert {key: found[key] for key in of_attack} == {key: so[key] for key in of_attack}
    assert found["mia_auc"] != other["mia_auc"]
    assert found["mia_released_e6"] != other["mia_released_e6"]
    for key in {*registry.columns()} - of_attack - {"avg_gap", "avg_gap_released_e6"}:
        assert found[key] == other[key]


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


# The published code's forms


def ag(p, q):
    """½KL(m‖p) + ½KL(m‖q), row by row."""
    m = (p + q) / 2
    return (m * np.log(m / np.sqrt(p * q))).sum(axis=1)


@pytest.mark.parametrize("count", [1, 3, 200])
def test_released_jsd_is_mean_ag_over_the_number_of_rows(count):
    p, q = random_rows(0, count), random_rows(1, count)
    value = jsd_released_e4(p, q)
    assert mean_ag(value, count) == pytest.approx(value * count)
    assert mean_ag(value, count) == pytest.approx(ag(p, q).mean(), rel=1e-6)
    jeffreys = ((p - q) * np.log(p / q)).sum(axis=1).mean()
    assert mean_ag(value, count) == pytest.approx(jeffreys / 4 - jsd(p, q), rel=1e-6)
    assert jsd(p, q) < jeffreys / 8 < mean_ag(value, count)


def test_released_jsd_of_disjoint_and_of_equal_rows():
    eye = np.eye(3)
    found = mean_ag(jsd_released_e4(eye, np.roll(eye, 1, axis=1)), 3)
    epsilon = 1e-8
    assert found == pytest.approx(np.log((1 + epsilon) / (2 * np.sqrt(epsilon))), rel=1e-6)
    assert found == pytest.approx(8.5172, abs=5e-5)
    assert jsd_released_e4(eye, eye) == pytest.approx(0, abs=1e-15)


@given(logits_of((3, 4)), logits_of((3, 4)))
def test_released_jsd_is_symmetric_and_not_below_the_textbooks(a, b):
    p, q = softmax(a), softmax(b)
    assert jsd_released_e4(p, q) == pytest.approx(jsd_released_e4(q, p), abs=1e-12)
    # Up to what the clamp adds and the two totals differ by.
    assert mean_ag(jsd_released_e4(p, q), 3) >= jsd(p, q) - 1e-6


@pytest.mark.parametrize(("p", "q"), [((0, 3), (0, 3)), ((2, 3), (3, 3)), ((2, 3), (2, 4))])
def test_released_jsd_refuses_empty_and_unequal_tables(p, q):
    with pytest.raises(LotusError, match="JSD"):
        jsd_released_e4(np.ones(p), np.ones(q))


def test_released_rf_jsd_halves_when_every_class_is_duplicated():
    p, q, labels = random_rows(0), random_rows(1), np.arange(20) % 3
    copies = np.concatenate([labels, labels + 5])
    tables = p, labels, q, labels
    doubled = np.tile(p, (2, 1)), copies, np.tile(q, (2, 1)), copies
    once, twice = rf_jsd_released_e4(*tables), rf_jsd_released_e4(*doubled)
    assert twice == pytest.approx(once / 2, rel=1e-9)
    assert rf_jsd(*doubled).value == pytest.approx(rf_jsd(*tables).value, rel=1e-12)
    assert rf_jsd_released_e4(p, labels, p, labels) == pytest.approx(0, abs=1e-15)


def test_released_rf_jsd_is_of_class_means():
    p, q, labels = random_rows(0), random_rows(1), np.repeat([2, 4], [3, 17])
    means = [np.stack([rows[:3].mean(0), rows[3:].mean(0)]) for rows in (p, q)]
    found = mean_ag(rf_jsd_released_e4(p, labels, q, labels), 2)
    assert found == pytest.approx(ag(*means).mean(), rel=1e-6)


def test_released_rf_jsd_divides_each_class_by_its_sum():
    p, q, labels = random_rows(0), random_rows(1), np.arange(20) % 3
    expected = rf_jsd_released_e4(p, labels, q, labels)
    weight = (1 + labels)[:, None] / 10
    assert rf_jsd_released_e4(weight * p, labels, q, labels) == pytest.approx(expected)
    assert rf_jsd_released_e4(p, labels, weight * q, labels) == pytest.approx(expected)


def test_released_rf_jsd_drops_test_classes_below_1000_alone():
    p, q = random_rows(0, 4), random_rows(1, 4)
    labels = np.array([0, 0, 1, 1])
    expected = rf_jsd_released_e4(p, labels, q, labels)
    more = np.concatenate([q, q[:1]])
    for extra, stops in ((2, False), (999, False), (1000, True)):
        there = np.append(labels, extra)
        if stops:
            with pytest.raises(LotusError, match=r"classes \[1000\]"):
                rf_jsd_released_e4(p, labels, more, there)
        else:
            assert rf_jsd_released_e4(p, labels, more, there) == expected
    with pytest.raises(LotusError, match=r"classes \[1\]"):
        rf_jsd_released_e4(p, labels, q[:2], labels[:2])


def test_softmax_and_entropy_of_single_precision():
    z = np.array([[1.0, 2.0, 3.0], [200.0, 0.0, 0.0]])
    assert softmax32(z).dtype == np.float32
    np.testing.assert_allclose(softmax32(z), softmax(z), rtol=1e-6, atol=1e-38)
    assert entropy32(z).dtype == np.float32
    np.testing.assert_allclose(entropy32(z), entropy(softmax(z)), rtol=1e-5, atol=1e-12)
    # Underflows, where double precision does not.
    assert entropy32(z)[1] == 0 < entropy(softmax(z))[1]


@pytest.mark.parametrize("seed", range(3))
def test_released_attack_is_scikit_learns_with_class_weights(seed):
    retain, unseen = entropies(seed, 0.5, 60), entropies(seed + 3, 0.8, 20)
    forget = entropies(seed + 6, 0.6, 400)
    weight = np.where(np.arange(80) < 60, 80 / (2 * 60), 80 / (2 * 20))
    model = LogisticRegression(C=2.0)
    model.fit(np.concatenate([retain, unseen])[:, None], np.repeat([1, 0], [60, 20]), weight)
    found = mia_released_e6(retain, unseen, forget)
    assert found == model.predict(forget[:, None]).mean()
    assert 0 < found < 1


def test_released_attack_does_not_follow_the_larger_class():
    retain, unseen, forget = entropies(0, 0.5, 600), entropies(1, 0.8, 20), entropies(2, 0.6)
    model = LogisticRegression(C=2.0)
    model.fit(np.concatenate([retain, unseen])[:, None], np.repeat([1, 0], [600, 20]))
    assert model.predict(forget[:, None]).mean() == 1
    assert mia_released_e6(retain, unseen, forget) < 0.9


@pytest.mark.parametrize("position", range(3))
def test_released_attack_names_the_empty_set(position):
    sets = [entropies(0, 1, 5)] * 3
    sets[position] = np.array([])
    with pytest.raises(LotusError, match=("retain", "test and val", "forget")[position]):
        mia_released_e6(*sets)


def test_rounding_as_released():
    assert [round_share(x) for x in (0.994, 0.9951, 1.0)] == [0.99, 1.0, 1.0]
    assert [round_divergence(x) for x in (1.29e-4, 0.0000005001, 0.00000049)] == [
        *(0.000129, 0.000001, 0),
    ]


# The objective of tuning


def of_labels(said, labels, sure=None):
    """Logits that say these classes, more surely where asked for."""
    z = np.eye(3, dtype=np.float32)[said]
    return Split(
        z * (1 if sure is None else np.array(sure)[:, None]),
        np.array(labels),
        np.arange(len(labels)),
    )


def test_objective_by_hand():
    original = {
        "forget": of_labels([0, 1, 0, 1], [0, 1, 0, 1]),
        "retain": of_labels([0, 1, 0, 1], [0, 1, 0, 1]),
        "val": of_labels([0, 1, 1, 1], [0, 1, 0, 1]),
    }
    unlearned = {
        # Surer than half of the validation images.
        "forget": of_labels([0, 1, 1, 0], [0, 1, 0, 1], [3, 3, 3, 3]),
        "retain": of_labels([0, 1, 0, 0], [0, 1, 0, 1]),
        "val": of_labels([0, 0, 1, 1], [0, 1, 0, 1], [2, 2, 4, 4]),
    }
    found = objective(unlearned, original)
    assert found == {
        "objective": pytest.approx((0.25 + 0.25 + 0.25 + 0) / 4),
        "forgetting": pytest.approx(0.5 - 0.75 + 0.5),
        "retaining": 0.25,
        "generalising": 0.25,
        "blending": 0,
    }


def test_objective_of_a_model_that_betrays_its_forget_set():
    original = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    for sure in ([9, 9], [0.1, 0.1]):
        unlearned = {**original, "forget": of_labels([0, 1], [0, 1], sure)}
        found = objective(unlearned, original)
        assert found["blending"] == 1
        assert found["objective"] == pytest.approx(0.25)
        assert found["forgetting"] == 0


def test_objective_rewards_neither_retained_nor_validation_accuracy_above_the_original():
    original = {name: of_labels([0, 0], [0, 1]) for name in ("forget", "retain", "val")}
    better = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    found = objective(better, original)
    assert (found["retaining"], found["generalising"]) == (0, 0)
    assert found["forgetting"] == 0.5


def test_objective_of_a_class_wants_its_accuracy_gone_and_the_other_classes_kept():
    original = {
        "forget": of_labels([2, 2], [2, 2]),
        "retain": of_labels([0, 1], [0, 1]),
        "val": of_labels([0, 1, 2, 2], [0, 1, 2, 2]),
    }
    # Forgotten, and the forgotten class on validation images too; it is compared with those alone.
    gone = {
        "forget": of_labels([0, 1], [2, 2]),
        "retain": of_labels([0, 1], [0, 1]),
        "val": of_labels([0, 1, 0, 1], [0, 1, 2, 2], [9, 9, 1, 1]),
    }
    assert objective(gone, original) == {
        **{"objective": 0, "forgetting": 0, "retaining": 0, "generalising": 0, "blending": 0}
    }
    assert objective(original, original)["forgetting"] == 1
    lost = {**gone, "val": of_labels([1, 1, 0, 1], [0, 1, 2, 2])}
    assert objective(lost, original)["generalising"] == 0.5


@pytest.mark.parametrize("split", ["forget", "retain", "val"])
def test_objective_of_numbers_that_are_not_finite_is_the_worst(split):
    original = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    bad = of_labels([0, 1], [0, 1])
    bad.logits[0, 0] = np.nan
    assert objective({**original, split: bad}, original) == {"objective": 1.0}


def test_correlation_of_a_line_and_of_a_monotone_curve():
    x = np.array([0.3, 0.1, 0.7, 1.5, 0.2])
    line = correlate(x, 2 * x - 1)
    assert [line.pearson, line.low, line.high, line.spearman] == pytest.approx([1, 1, 1, 1])
    assert line.points == 5
    curve = correlate(x, -np.exp(5 * x))
    assert curve.spearman == pytest.approx(-1)
    assert -1 < curve.pearson < -0.5
    assert curve.low <= curve.pearson <= curve.high


def test_correlation_is_numpys():
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    assert correlate(x, y).pearson == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert correlate(x, y) == correlate(x, y)


@pytest.mark.parametrize(
    ("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [0, 0, 0]), ([1, 2], [1, 2])]
)
def test_correlation_without_spread_is_undefined(x, y):
    found = correlate(np.array(x, float), np.array(y, float))
    assert all(np.isnan([found.pearson, found.low, found.high, found.spearman]))
    assert found.points == len(x)


# Predictions as they should not be


def damaged(name, **parts):
    """The scenario with a split of `other` replaced in part."""
    original, gold, rows = scenario()
    rows["other"][name] = dataclasses.replace(rows["other"][name], **parts)
    return original, gold, rows


def test_damaged_splits_are_named_by_row_and_split():
    split = scenario()[2]["other"]["val"]
    n, classes = split.logits.shape
    for parts, said in (
        ({"logits": split.logits[:, 0]}, "logits are"),
        ({"logits": split.logits[:, :0]}, "logits are"),
        ({"logits": split.logits.astype(str)}, "logits are"),
        ({"labels": split.labels[1:]}, rf"labels are .*accepted: whole numbers \[{n}\]"),
        ({"labels": split.labels.astype(float)}, "labels are float64"),
        ({"labels": split.labels - 1 - split.labels.max()}, r"label -\d+; accepted: 0…"),
        ({"labels": split.labels + classes}, rf"label \d+; accepted: 0…{classes - 1}"),
        ({"indices": split.indices[:, None]}, "indices are"),
        ({"indices": np.full(n, 7)}, "image 7 stands there twice"),
    ):
        with pytest.raises(LotusError, match=f"other: split 'val': {said}"):
            score_all(*damaged("val", **parts), 0)


def test_rows_that_do_not_agree_are_named():
    split = scenario()[2]["other"]["forget"]
    classes = split.logits.shape[1]
    other = (split.labels + 1) % classes
    with pytest.raises(LotusError, match=r"other: split 'forget': image \d+ has label"):
        score_all(*damaged("forget", labels=other), 0)
    wider = np.pad(split.logits, ((0, 0), (0, 1)))
    with pytest.raises(LotusError, match=f"{classes + 1} classes, but those of original are"):
        score_all(*damaged("forget", logits=wider), 0)


def test_splits_and_images_that_are_absent_are_named():
    original, gold, rows = scenario()
    with pytest.raises(LotusError, match="original: predictions without a split 'train'"):
        score_all(gold, gold, rows, 0)
    with pytest.raises(LotusError, match="gold: predictions without a split 'forget'"):
        score_all(original, original, rows, 0)
    few = {**original, "train": original["train"].at(original["train"].indices[:3])}
    with pytest.raises(LotusError, match=r"original: predictions lack some.*those of gold"):
        score_all(few, gold, rows, 0)
    with pytest.raises(LotusError, match="gold or of a method"):
        score_all(original, None, {}, 0)


@given(st.data())
def test_scores_of_any_numbers_are_shares_and_nats_or_none(data):
    """Also of one class, of equal and of huge logits."""
    classes = data.draw(st.integers(1, 3))
    sizes = {name: data.draw(st.integers(1, 4)) for name in ("forget", "retain", "val", "test")}
    ends = np.cumsum([0, *sizes.values()]).tolist()
    values = st.sampled_from([0, 0, 1, -1, 1e-30, 3e38, -3e38])

    def row():
        logits = data.draw(hnp.arrays(np.float32, (ends[-1], classes), elements=values))
        return Split(logits, labels, np.arange(ends[-1]))

    labels = data.draw(hnp.arrays(np.int64, ends[-1], elements=st.integers(0, classes - 1)))
    places = {n: np.arange(*ends[i : i + 2]) for i, n in enumerate(sizes)}
    train = np.concatenate([places["forget"], places["retain"]])
    whole = row()
    original = {n: whole.at(places[n]) for n in ("val", "test")} | {"train": whole.at(train)}
    gold, other = ({n: said.at(p) for n, p in places.items()} for said in (row(), row()))
    shared = [set(labels[places[n]].tolist()) for n in ("forget", "retain", "test")]
    if shared[0] & shared[1] and not shared[0] & shared[2]:
        with pytest.raises(LotusError, match="no class in common"):
            score_all(original, gold, {"other": other}, 0)
        return
    found = score_all(original, gold, {"other": other}, 0)
    for scores in found.values():
        for name in registry.columns():
            assert scores[name] is None or np.isfinite(scores[name]), name
            assert scores[name] is None or name.startswith("ks") or scores[name] >= -1e-9, name


def test_sets_without_a_number_are_named():
    some = np.array([0.1, 0.2])
    for bad in (np.array([]), np.array([np.nan]), np.array([np.inf])):
        for call in (
            lambda bad: attack(some, bad, some, some, 0),
            lambda bad: auc(some, bad),
            lambda bad: tpr_at_fpr(bad, some, 0.01),
            lambda bad: mia_released_e6(some, some, bad),
            lambda bad: standing(bad, some),
        ):
            with pytest.raises(LotusError, match=r"set (is empty|has a value that is not finite)"):
                call(bad)
    with pytest.raises(LotusError, match=r"needs pairs, not \[2\] and \[1\]"):
        correlate(some, some[:1])
    with pytest.raises(LotusError, match=r"needs pairs, not \[2\] and \[1\]"):
        paired(some, some[:1])
    assert np.isnan(correlate(np.array([1, 2, np.nan]), np.array([1.0, 2, 3])).pearson)


def test_tuning_without_validation_images_of_a_class_is_refused():
    original = {name: of_labels([0, 1], [0, 1]) for name in ("forget", "retain", "val")}
    gone = {**original, "forget": of_labels([2], [2])}
    with pytest.raises(LotusError, match="no validation image is of a class that is forgotten"):
        objective(gone, original)
    gone = {**original, "retain": of_labels([2], [2])}
    with pytest.raises(LotusError, match="no validation image is of a class that is kept"):
        objective(gone, original)
