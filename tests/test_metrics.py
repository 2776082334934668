"""Metrics against closed forms and textbook implementations."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lotus.errors import LotusError
from lotus.metrics.correlation import correlate
from lotus.metrics.divergence import entropy, jsd, rf_jsd, softmax
from lotus.metrics.membership import attack, auc, tpr_at_fpr
from lotus.metrics.summary import as_json, avg_gap, score_all
from lotus.predictions import Split

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
    original = predict(0, {"train": np.arange(48)[::-1], **HELD_OUT}, labels)
    rows = {
        "copy": predict(0, {**PARTS, **HELD_OUT}, labels),
        "other": predict(2, {**PARTS, **HELD_OUT}, labels),
    }
    return original, predict(1, {**PARTS, **HELD_OUT}, labels), rows


def test_score_all_of_instance_forgetting():
    original, gold, rows = scenario()
    scores = score_all(original, gold, rows, seed=3)
    assert list(scores) == ["original", "gold", "copy", "other"]
    assert scores["gold"].avg_gap is None
    assert scores["gold"].jsd is None
    assert scores["gold"].rf_jsd is not None
    assert {row: s.same_as_original for row, s in scores.items()} == {
        "original": True,
        "gold": False,
        "copy": True,
        "other": False,
    }
    assert scores["copy"] == scores["original"]
    other = rows["other"]
    p, q = softmax(other["forget"].logits), softmax(gold["forget"].logits)
    assert scores["other"].jsd == pytest.approx(jsd(p, q))
    test = original["test"]
    reference = rf_jsd(p, other["forget"].labels, softmax(test.logits), test.labels)
    assert scores["other"].rf_jsd == pytest.approx(reference.value)
    right = other["retain"].logits.argmax(1) == other["retain"].labels
    assert scores["other"].accuracy_retain == pytest.approx(right.mean())
    gap = avg_gap(vars(scores["other"]), vars(scores["gold"]))
    assert scores["other"].avg_gap == pytest.approx(gap)


def test_score_all_of_class_forgetting_has_no_rf_jsd():
    labels = np.where(np.arange(96) < 12, 0, 1 + np.arange(96) % 2)
    scores = score_all(*scenario(labels), seed=0)
    assert all(row.rf_jsd is None for row in scores.values())


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
    scores = score_all(*scenario(), seed=0)
    undefined = dataclasses.replace(scores["other"], mia=float("nan"))
    content = as_json({"other": undefined})["other"]
    assert content.pop("mia") is None
    assert content == {k: v for k, v in vars(scores["other"]).items() if k != "mia"}


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
