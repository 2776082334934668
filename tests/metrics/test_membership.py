"""The membership attack against a textbook fit, AUC and TPR against scikit-learn and by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from random_predictions import HELD_OUT, PARTS, entropies, predict, scenario
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.metrics.base.scoring import score_all
from lotus.metrics.membership import attack, auc, tpr_at_fpr


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


@pytest.mark.parametrize(("images", "is_defined"), [(99, False), (100, True)])
def test_one_false_alarm_in_a_hundred_takes_a_hundred_images(images, is_defined):
    found = attack(*(entropies(seed, 1, 50) for seed in range(3)), entropies(3, 1, images), 0)
    assert np.isfinite(found.tpr_at_1_fpr) == is_defined
    assert np.isfinite([found.rate, found.auc, found.balanced_accuracy]).all()


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
