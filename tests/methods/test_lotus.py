"""LoTUS against closed forms, under both protocols."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from unlearning import LR, weights

from lotus.config.protocol import CORRECTED, RELEASED, parse
from lotus.methods.base import configured
from lotus.methods.lotus import targets


def lotus(**hyperparameters):
    return configured.make("lotus", hyperparameters)


@pytest.mark.parametrize(
    ("forget", "alpha", "class_forgetting", "expected"),
    [
        ((10, 10), 2, False, math.exp(0.2)),
        ((199, 200), 2, False, math.exp(0.19)),
        ((10, 10), 0, False, 1.0),
        ((10, 10), 32, True, math.exp(32)),
    ],
)
def test_lotus_temperature(accurate, forget, alpha, class_forgetting, expected):
    task, reports = accurate(forget, (9, 10), class_forgetting=class_forgetting)
    lotus(alpha=alpha, epochs=1).unlearn(task)
    assert [r["temperature"] for r in reports] == [pytest.approx(expected, rel=1e-12)]


@pytest.mark.parametrize("protocol", ["released", "corrected+m8"])
@pytest.mark.parametrize(
    ("forget", "val", "expected"),
    [
        ((9949, 10_000), (9, 10), 0.18),
        ((199, 200), (9, 10), 0.18),
        ((1, 1), (904, 1000), 0.2),
    ],
)
def test_lotus_as_released_rounds_accuracies(accurate, protocol, forget, val, expected):
    task, reports = accurate(forget, val, protocol=parse(protocol))
    lotus(epochs=1, batch_size=20_000).unlearn(task)
    assert reports[0]["temperature"] == pytest.approx(math.exp(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("forget", "val", "tolerance", "epochs"),
    [
        ((9, 10), (91, 100), 0.01, 0),
        # .02 − .03 is above −.01 in binary fractions.
        ((2, 100), (3, 100), 0.01, 0),
        ((9, 10), (181, 200), 0.01, 1),
        ((9, 10), (91, 100), 0.02, 1),
        ((9, 10), (9, 10), 0, 0),
    ],
)
def test_lotus_exit(accurate, snapshot, same, forget, val, tolerance, epochs):
    task, reports = accurate(forget, val)
    student = lotus(epochs=1, exit_tolerance=tolerance).unlearn(task)
    assert len(reports) == epochs
    assert same(snapshot(student), snapshot(task.original)) == (epochs == 0)


@pytest.mark.parametrize(
    ("forget", "val", "tolerance", "epochs"),
    [
        ((2, 100), (3, 100), 0.01, 1),
        ((3, 100), (4, 100), 0.01, 0),
        # In binary .03 is less than 3/100.
        ((0, 100), (3, 100), 0.03, 0),
    ],
)
def test_lotus_exit_as_released_is_of_binary_fractions(accurate, forget, val, tolerance, epochs):
    assert (forget[0] / 100 - val[0] / 100 <= -tolerance) == (epochs == 0)
    task, reports = accurate(forget, val, protocol=RELEASED)
    lotus(epochs=1, exit_tolerance=tolerance).unlearn(task)
    assert len(reports) == epochs


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_lotus_as_released_measures_on_augmented_forget_images(small_task, watch, protocol):
    task = small_task(protocol=protocol)
    calls = watch(task.original)
    lotus(epochs=1, exit_tolerance=1).unlearn(task)
    plain = [torch.equal(call.shown, task.forget.pixels[:12] / 255) for call in calls]
    # The validation images, the forget set by the student, then the training batches.
    assert plain[1] == (protocol == CORRECTED)
    assert not any(plain[2:])
    assert len(calls[1].shown) == 12
    assert torch.equal(calls[0].shown, task.val.pixels[52:] / 255)


@pytest.mark.parametrize("transform", ["gumbel", "softmax"])
def test_lotus_loss_of_a_uniform_student(seeded, transform):
    z = 3 * torch.randn(64, 10, generator=seeded(1))
    for seed, temperature in enumerate((0.1, 1.0, math.exp(8))):
        is_forget = torch.arange(64) % 2 == 0
        t = targets(z, is_forget, temperature, transform, seeded(seed))
        assert F.cross_entropy(torch.zeros(64, 10), t).item() == pytest.approx(math.log(10))


def test_lotus_reports_the_loss(task_of, noise, linear, cut):
    task, reports = task_of(linear(np.zeros((10, 72))), *cut(noise(29), 9, 20), num_classes=10)
    lotus(epochs=1, exit_tolerance=1).unlearn(task)
    assert reports[0]["loss"] == pytest.approx(math.log(10), rel=1e-6)


def test_lotus_reports_accuracy_and_gap(accurate):
    task, reports = accurate((199, 200), (9, 10))
    lotus(epochs=1).unlearn(task)
    assert reports[0]["forget_accuracy"] == pytest.approx(0.995)
    assert reports[0]["gap"] == pytest.approx(0.095)


def test_lotus_retain_targets_are_drawn_from_the_teacher(seeded):
    n = 40_000
    p = torch.tensor([0.844, 0.114, 0.042], dtype=torch.float64)
    z = (p.log() + 5).expand(n, 3)
    t = targets(z, torch.zeros(n, dtype=torch.bool), 7.0, "gumbel", seeded())
    assert ((t == 0) | (t == 1)).all()
    assert (t.sum(1) == 1).all()
    assert ((t.mean(0) - p).abs() <= 4 * (p * (1 - p) / n).sqrt()).all()


def test_lotus_forget_targets_have_the_means_of_the_specification(seeded):
    n = 40_000
    z = torch.tensor([0.844, 0.114, 0.042], dtype=torch.float64).log().expand(n, 3)
    is_forget = torch.ones(n, dtype=torch.bool)
    for temperature, mean in (
        (0.1, [0.843, 0.116, 0.041]),
        (1.0, [0.726, 0.185, 0.089]),
        (math.exp(2), [0.411, 0.315, 0.275]),
    ):
        t = targets(z, is_forget, temperature, "gumbel", seeded())
        np.testing.assert_allclose(t.mean(0), mean, atol=6e-3)


def test_lotus_softmax_targets(seeded):
    z = torch.tensor([[1.0, 3, 2], [5, 4, 0], [1, 3, 2]], dtype=torch.float64)
    t = targets(z, torch.tensor([False, False, True]), 2.0, "softmax", seeded())
    assert t[:2].tolist() == [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_allclose(t[2], (z[2] / 2).softmax(0), rtol=1e-12)


@pytest.mark.parametrize("transform", ["gumbel", "softmax"])
def test_lotus_forget_targets_of_a_class_are_uniform(seeded, transform):
    z = 10 * torch.randn(200, 5, dtype=torch.float64, generator=seeded(1))
    t = targets(z, torch.ones(200, dtype=torch.bool), math.exp(32), transform, seeded())
    assert (t - 0.2).abs().max() < 1e-12


def test_lotus_softens_what_is_forgotten_and_distils_the_rest(apart):
    task = apart([[2.0, 0], [0, 2.0]], class_forgetting=True)
    method = lotus(epochs=1, alpha=50, lr=LR, weight_decay=0, transform="softmax", exit_tolerance=1)
    change = weights(method.unlearn(task)) - weights(task.original)
    # Column 0 shows the forgotten image, which loses confidence; column 1 the retained one.
    np.testing.assert_allclose(change, [[-LR, -LR], [LR, LR]], rtol=1e-2)


def test_lotus_decay_is_apart_from_the_gradient(apart):
    task = apart([[2.0, 0], [0, 2.0]], class_forgetting=True)
    given = {"epochs": 1, "alpha": 50, "lr": 0.01, "weight_decay": 10, "transform": "softmax"}
    w = weights(lotus(**given).unlearn(task))
    np.testing.assert_allclose(w, [[1.8 - 0.01, -0.01], [0.01, 1.8 + 0.01]], rtol=1e-3)


def test_lotus_reads_a_share_of_the_retain_set(one_each):
    task, _ = one_each(1, 20)
    method = lotus(epochs=3, retain_fraction=0.3, weight_decay=0)
    read = (weights(method.unlearn(task))[:, 1:] != 0).any(0)
    assert read.sum() == 6
