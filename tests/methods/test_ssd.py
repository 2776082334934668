"""SSD against closed forms, under both protocols."""

import numpy as np
import pytest
import torch
from torch import nn
from unlearning import Parameters, unlearn, weights

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.methods import ssd
from lotus.methods.base import configured


def importance(*values):
    return {"theta": torch.tensor(values)}


def test_dampening_by_hand():
    model = Parameters(2.0, 3.0, 5.0, 7.0, 11.0)
    # In order: selected, not enough, zero importance in D, 0/0, a tie.
    both = importance(20.0, 5.0, 4.0, 0.0, 10.0), importance(1.0, 1.0, 0.0, 0.0, 1.0)
    assert ssd.dampen(model, *both, 10.0, 1.0) == pytest.approx(2 / 5)
    np.testing.assert_allclose(model.theta.detach(), [0.1, 3, 0, 7, 11], rtol=1e-6)
    ssd.dampen(model, *both, 10.0, 1.0)
    np.testing.assert_allclose(model.theta.detach(), [0.005, 3, 0, 7, 11], rtol=1e-6)


def test_dampening_never_strengthens():
    model = Parameters(2.0, 3.0, 5.0, 7.0, 11.0)
    both = importance(20.0, 5.0, 4.0, 0.5, 10.0), importance(1.0, 1.0, 1.0, 1.0, 1.0)
    ssd.dampen(model, *both, 1.0, 15.0)
    np.testing.assert_allclose(model.theta.detach(), [1.5, 3, 5, 7, 11], rtol=1e-6)


def test_dampening_leaves_what_has_no_importance():
    model = Parameters(2.0)
    model.extra = nn.Parameter(torch.tensor([3.0]))
    ssd.dampen(model, importance(20.0), importance(1.0), 10.0, 1.0)
    assert model.extra.tolist() == [3.0]


def test_importance_of_batches_and_of_images(toy):
    # The two images have the opposite gradients ±½.
    task = toy()
    images, model = task.forget + task.retain, task.original
    for size, squares, expected in (
        (2, ssd.batch_squares, 0),
        (1, ssd.batch_squares, 0.25),
        (2, ssd.per_sample_squares, 0.25),
        (1, ssd.per_sample_squares, 0.25),
    ):
        method = configured.make("ssd", {"per_sample": squares is ssd.per_sample_squares})
        found = method._importance(model, images.in_order(size))
        np.testing.assert_allclose(found["1.weight"].flatten(), [expected] * 2, atol=1e-7)


def test_importance_of_unequal_batches_counts_each_once(toy):
    task = toy()
    both = task.forget + task.retain
    found = configured.make("ssd", {})._importance(
        task.original, [both.draw(torch.tensor(p), None) for p in ([0], [0, 1], [0, 0, 1])]
    )
    # Mean gradients ½, 0 and (½ + ½ − ½)/3.
    expected = (0.25 + 0 + 1 / 36) / 3
    np.testing.assert_allclose(found["1.weight"].flatten(), [expected] * 2, rtol=1e-5)


def test_importance_skips_frozen_and_unreached_parameters(toy):
    task = toy()
    model = task.student()
    model.unused = nn.Parameter(torch.ones(2))
    model.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    found, _ = ssd.batch_squares(model, next(task.forget.in_order(1)))
    assert found["unused"].tolist() == [0, 0]
    assert "frozen" not in found


@pytest.mark.parametrize(
    ("given", "factor"),
    [
        ({}, 1 / 20),
        ({"dampening": 0.5}, 0.5 / 20),
        ({"alpha": 1.0, "dampening": 15.0}, 15 / 20),
        ({"alpha": 1.0, "dampening": 30.0}, 1),
        ({"alpha": 21.0}, 1),
        ({"per_sample": True}, 1 / 20),
    ],
)
def test_ssd_dampens_the_weights_of_the_forget_set(one_each, given, factor):
    # A weight that one image of 20 reaches has 20 times its importance in that image.
    start = np.random.default_rng(0).normal(size=(2, 20))
    task, reports = one_each(1, 19, weights=start)
    w = weights(unlearn("ssd", task, batch_size=1, **given))
    expected = start.copy()
    expected[:, 0] *= factor
    np.testing.assert_allclose(w, expected, rtol=1e-4)
    selected = 0 if given.get("alpha") == 21 else 1 / 20
    assert reports == [{"epoch": 0, "of": 1, "dampened": pytest.approx(selected)}]


def test_ssd_as_released_accumulates(one_each):
    start = np.random.default_rng(0).normal(size=(2, 20))
    task, reports = one_each(1, 19, weights=start, protocol=RELEASED)
    w = weights(unlearn("ssd", task, batch_size=1, passes=3))
    np.testing.assert_allclose(w[:, 0], start[:, 0] / 20**3, rtol=1e-4)
    np.testing.assert_allclose(w[:, 1:], start[:, 1:], rtol=1e-6)
    assert [r["epoch"] for r in reports] == [0, 1, 2]


@pytest.mark.parametrize(("alpha", "identity"), [(10.0, True), (3.0, False)])
def test_ssd_per_sample_is_the_identity_from_a_forget_share_of_one_in_alpha(
    task_of, conv_net, noise, cut, snapshot, same, alpha, identity
):
    # A tenth is forgotten.
    task, _ = task_of(conv_net(), *cut(noise(40), 4, 36), num_classes=3)
    unlearned = unlearn("ssd", task, per_sample=True, augmented=False, alpha=alpha)
    assert same(snapshot(unlearned), snapshot(task.original)) == identity


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_ssd_leaves_buffers_and_mode(small_task, protocol):
    task = small_task(protocol=protocol)
    unlearned = unlearn("ssd", task, batch_size=4, alpha=1.0)
    before = dict(task.original.named_buffers())
    for key, value in unlearned.named_buffers():
        assert torch.equal(value, before[key])
    assert not unlearned.training


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_ssd_reads_the_whole_in_order_only_as_released(one_each, watch, protocol):
    task, _ = one_each(6, 14, protocol=protocol)
    calls = watch(task.original)
    unlearn("ssd", task, batch_size=2, passes=1)
    shown = [p for call in calls for p in call.positions]
    forget, whole = shown[:6], shown[6:]
    assert sorted(forget) == list(range(6)) != forget
    assert sorted(whole) == list(range(20))
    assert (whole == list(range(20))) == (protocol == RELEASED)


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
@pytest.mark.parametrize("augmented", [True, False])
def test_ssd_augments_if_told(small_task, watch, protocol, augmented):
    task = small_task(protocol=protocol)
    calls = watch(task.original)
    unlearn("ssd", task, augmented=augmented, passes=1)
    plain = {image.numpy().tobytes() for image in task.forget.pixels / 255}
    for call in calls:
        as_stored = [image.numpy().tobytes() in plain for image in call.shown.contiguous()]
        assert all(as_stored) != augmented
