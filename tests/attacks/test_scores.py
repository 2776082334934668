"""The score of each attack, against its formula written out, and by what it must not depend on."""

import numpy as np
import pytest
from attacked import panel_of, predictions_of_seeds
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lotus.attacks.base import Known, References, registry
from lotus.attacks.base.answers import confidence
from lotus.attacks.base.normal import OWN_DEVIATION, normal
from lotus.attacks.base.rmia import A
from lotus.errors import LotusError
from lotus.metrics.base.probabilities import softmax

LOGITS = np.random.default_rng(0).normal(0, 2, (9, 4)).astype(np.float32)
LABELS = np.arange(9) % 4
P = softmax(LOGITS)
OWN = P[np.arange(9), LABELS]


def score(name, known):
    return registry.specs()[name].score(known)


def test_attacks_stand_in_their_order_and_each_says_who_published_it():
    assert [*registry.specs()] == [
        *("entropy", "loss", "confidence", "modified-entropy", "correctness"),
        *("lira-offline", "lira-online", "rmia-offline", "rmia-online", "u-lira"),
    ]
    assert all(any(c.isdigit() for c in spec.source) for spec in registry.specs().values())


def test_attacks_without_other_models_are_their_formulas():
    known = Known(LOGITS, LABELS)
    assert score("entropy", known) == pytest.approx((P * np.log(P)).sum(axis=1))
    assert score("loss", known) == pytest.approx(np.log(OWN))
    assert score("confidence", known) == pytest.approx(np.log(OWN / (1 - OWN)))
    terms = P * np.log(1 - P)
    terms[np.arange(9), LABELS] = (1 - OWN) * np.log(OWN)
    assert score("modified-entropy", known) == pytest.approx(terms.sum(axis=1))
    assert (score("correctness", known) == (P.argmax(axis=1) == LABELS)).all()


def test_large_logits_saturate_nothing():
    steps = np.arange(0, 200, 10, dtype=np.float32)
    logits = np.stack([steps + 100, np.zeros_like(steps), np.zeros_like(steps)], axis=1)
    known = Known(logits, np.zeros(len(steps), int))
    for name in ("confidence", "modified-entropy"):
        found = score(name, known)
        assert np.isfinite(found).all()
    # 1 − p is 0 in float64 from some 37 on; the odds, and all that keeps the digits near 1, still tell
    # the images apart.
    assert (np.diff(score("confidence", known)) > 9.9).all()
    for name in ("loss", "entropy", "modified-entropy"):
        assert (np.diff(score(name, known)) > 0).all(), name
        assert len(np.unique(score(name, known))) == len(steps)


@given(
    hnp.arrays(np.float32, (5, 3), elements=st.floats(-50, 50, width=32)),
    st.floats(-100, 100),
)
def test_a_constant_added_to_all_logits_changes_no_score(logits, constant):
    labels = np.arange(5) % 3
    moved = Known(logits.astype(np.float64) + constant, labels)
    for name in ("entropy", "loss", "confidence", "modified-entropy"):
        assert score(name, moved) == pytest.approx(
            score(name, Known(logits.astype(np.float64), labels)), abs=1e-7
        )


def references(seed, usable=None):
    logits = np.random.default_rng(seed).normal(0, 2, (3, 9, 4))
    return References(logits, LABELS, np.ones((3, 9), bool) if usable is None else usable)


def test_offline_lira_counts_deviations_from_models_without_the_image():
    usable = np.ones((3, 9), bool)
    usable[0, :4] = usable[1, 0] = False
    out = references(1, usable)
    values = [
        [confidence(of, LABELS)[i] for of, u in zip(out.logits, usable, strict=True) if u[i]]
        for i in range(9)
    ]
    squares = sum(np.square(v - np.mean(v)).sum() for v in values)
    shared = np.sqrt(squares / sum(len(v) - 1 for v in values))
    own = confidence(LOGITS, LABELS)
    expected = [
        (own[i] - np.mean(v)) / (shared * np.sqrt(1 + 1 / len(v))) for i, v in enumerate(values)
    ]
    assert score("lira-offline", Known(LOGITS, LABELS, out)) == pytest.approx(expected)


def test_many_models_give_each_image_a_deviation_of_its_own():
    values = np.random.default_rng(0).normal([0, 5], [1, 4], (OWN_DEVIATION, 2))
    found = normal(values)
    assert found.deviation == pytest.approx(values.std(axis=0, ddof=1) * np.sqrt(1 + 1 / 64))
    few = normal(values[:-1])
    assert few.deviation[0] == few.deviation[1]


def test_online_lira_is_a_ratio_of_normal_densities():
    from scipy.stats import norm

    out, trained = references(1), references(2)
    own = confidence(LOGITS, LABELS)
    of = [normal(it.confidence) for it in (trained, out)]
    with_image, without = (norm.logpdf(own, it.mean, it.deviation) for it in of)
    found = score("lira-online", Known(LOGITS, LABELS, out, trained))
    assert found == pytest.approx(with_image - without)


def test_rmia_counts_the_images_that_are_outdone_pair_by_pair():
    z = np.random.default_rng(5).normal(0, 2, (7, 4))
    z_labels = np.arange(7) % 4
    z_out = References(
        np.random.default_rng(6).normal(0, 2, (3, 7, 4)), z_labels, np.ones((3, 7), bool)
    )
    z_in = References(
        np.random.default_rng(7).normal(0, 2, (3, 7, 4)), z_labels, np.ones((3, 7), bool)
    )
    out, trained = references(1), references(2)
    known = Known(LOGITS, LABELS, out, trained, Known(z, z_labels, z_out, z_in))

    def mean(of, labels):
        return np.mean([softmax(one)[np.arange(len(labels)), labels] for one in of.logits], axis=0)

    p_z = softmax(z)[np.arange(7), z_labels]
    for name, p_x, p_of_z in (
        (
            "rmia-offline",
            ((1 + A) * mean(out, LABELS) + 1 - A) / 2,
            ((1 + A) * mean(z_out, z_labels) + 1 - A) / 2,
        ),
        (
            "rmia-online",
            (mean(out, LABELS) + mean(trained, LABELS)) / 2,
            (mean(z_out, z_labels) + mean(z_in, z_labels)) / 2,
        ),
    ):
        wins = (OWN / p_x)[:, None] >= (p_z / p_of_z)[None, :]
        assert score(name, known) == pytest.approx(wins.mean(axis=1))


def test_a_file_that_states_no_attack_is_named(monkeypatch):
    monkeypatch.setattr(
        registry.pkgutil, "iter_modules", lambda path: [type("M", (), {"name": "base"})]
    )
    monkeypatch.setattr(registry, "NO_ATTACKS", frozenset())
    registry.specs.cache_clear()
    with pytest.raises(LotusError, match=r"lotus/attacks/base.py: states no attack"):
        registry.specs()
    monkeypatch.undo()
    registry.specs.cache_clear()


def test_the_attack_sees_what_the_model_said_when_it_asked():
    predictions = predictions_of_seeds()
    plain = panel_of(predictions).models["method", 1]
    asked = dict(predictions["method", 1])
    asked["mia.forget"] = type(asked["forget"])(
        asked["forget"].logits + np.float32(1) * np.eye(4, dtype=np.float32)[0],
        asked["forget"].labels,
        asked["forget"].indices,
    )
    seen = panel_of({**predictions, ("method", 1): asked}).models["method", 1]
    forget, test = plain.parts["forget"], plain.parts["test"]
    assert not np.array_equal(seen.answers(forget), plain.answers(forget))
    assert np.array_equal(seen.answers(test), plain.answers(test))
