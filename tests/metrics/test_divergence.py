"""Entropy, JSD and RF-JSD against closed forms."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from random_predictions import LN2, logits_of, random_rows

from lotus.errors import LotusError
from lotus.metrics.base.probabilities import entropy, entropy_of_logits, softmax
from lotus.metrics.base.released import (
    entropy32,
    softmax32,
)
from lotus.metrics.jsd import jsd
from lotus.metrics.rf_jsd import rf_jsd


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


def test_entropy_of_logits_is_precise_however_sure_a_prediction_is():
    """Against sixty decimals; of probabilities in double precision a third can be lost."""
    logits = np.array([[0, -1, 2], [0, 36, 1], [37, 0, 0], [-60, 60, 0], [200, 0, 199.5]])
    with localcontext() as context:
        context.prec = 60
        exact = []
        for row in logits:
            powers = [Decimal(z).exp() for z in row]
            shares = [power / sum(powers) for power in powers]
            exact.append(float(-sum(share * share.ln() for share in shares)))
    np.testing.assert_allclose(entropy_of_logits(logits.astype(np.float32)), exact, rtol=1e-12)
    assert abs(entropy(softmax(logits))[1:3] / exact[1:3] - 1).max() > 1e-3


def test_softmax_and_entropy_of_single_precision():
    z = np.array([[1.0, 2.0, 3.0], [200.0, 0.0, 0.0]])
    assert softmax32(z).dtype == np.float32
    np.testing.assert_allclose(softmax32(z), softmax(z), rtol=1e-6, atol=1e-38)
    assert entropy32(z).dtype == np.float32
    np.testing.assert_allclose(entropy32(z), entropy(softmax(z)), rtol=1e-5, atol=1e-12)
    # Underflows, where double precision does not.
    assert entropy32(z)[1] == 0 < entropy(softmax(z))[1]
