"""The published code's forms of the metrics."""

import numpy as np
import pytest
from hypothesis import given
from random_predictions import entropies, logits_of, random_rows
from sklearn.linear_model import LogisticRegression

from lotus.errors import LotusError
from lotus.metrics.base.probabilities import softmax
from lotus.metrics.base.released import (
    jsd_released_e4,
    mean_ag,
    mia_released_e6,
    rf_jsd_released_e4,
    round_divergence,
    round_share,
)
from lotus.metrics.jsd import jsd
from lotus.metrics.rf_jsd import rf_jsd


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
