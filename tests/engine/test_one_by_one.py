"""E1: image by image, in the mode that the model was left in."""

import copy
from contextlib import suppress

import numpy as np
import pytest
import torch
from image_by_image import one_at_a_time
from torch import nn

from lotus.engine import inference
from lotus.errors import LotusError


def batch_norm_net(affine=True, **more):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(8, affine=affine, **more)
        if affine:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        net = nn.Sequential(
            *(nn.Conv2d(2, 8, 3), norm, nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8)),
            *(nn.Flatten(), nn.Linear(32, 3)),
        )
        net(torch.randn(32, 2, 6, 6))
    return net


@pytest.mark.parametrize("more", [{}, {"affine": False}, {"momentum": 0.3, "eps": 0.1}])
@pytest.mark.parametrize("size", [7, 512])
def test_one_by_one_is_a_loop_over_batches_of_one(noise, monkeypatch, more, size):
    monkeypatch.setattr(inference, "DRAWN_AT_ONCE", size)
    images, model = noise(40), batch_norm_net(**more)
    slow, start = copy.deepcopy(model), copy.deepcopy(model.state_dict())
    expected = one_at_a_time(slow, images)
    found = inference.logits_one_by_one(model, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for key, value in model.state_dict().items():
        np.testing.assert_allclose(value, slow.state_dict()[key], atol=1e-5, err_msg=key)
    assert model[1].num_batches_tracked == start["1.num_batches_tracked"] + 40
    assert not torch.equal(model[1].running_mean, start["1.running_mean"])
    assert not torch.equal(model[4].running_var, start["4.running_var"])
    assert model.training


def test_one_by_one_through_the_augmentation(noise, seeded):
    images, model = noise(20, crop_padding=2), batch_norm_net()
    slow = copy.deepcopy(model)
    found = inference.logits_one_by_one(model, images, seeded())
    np.testing.assert_allclose(found, one_at_a_time(slow, images, seeded()), atol=1e-4)
    assert not np.allclose(found, inference.logits_one_by_one(model, images), atol=1e-2)


def test_one_by_one_differs_from_batches_in_train_mode_alone(noise, snapshot, same):
    images, model = noise(40), batch_norm_net()
    assert not np.allclose(
        inference.logits_one_by_one(copy.deepcopy(model), images), inference.logits(model, images)
    )
    before = snapshot(model.eval())
    found = inference.logits_one_by_one(model, images)
    assert np.array_equal(found, inference.logits(model, images))
    assert same(before, snapshot(model))
    assert not model.training


def test_one_by_one_respects_single_layers_in_eval_mode(noise):
    model = batch_norm_net()
    model[4].eval()
    slow = copy.deepcopy(model)
    expected = one_at_a_time(slow, noise(10))
    np.testing.assert_allclose(inference.logits_one_by_one(model, noise(10)), expected, atol=1e-4)
    assert torch.equal(model[4].running_mean, slow[4].running_mean)


def test_one_by_one_without_running_statistics(noise):
    model = nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False), nn.Flatten())
    with pytest.raises(LotusError, match="running statistics"):
        inference.logits_one_by_one(model, noise(5))


def test_two_values_per_channel_have_a_variance(noise):
    model = nn.Sequential(nn.AdaptiveAvgPool2d((1, 2)), nn.BatchNorm2d(2), nn.Flatten())
    slow = copy.deepcopy(model)
    expected = one_at_a_time(slow, noise(9))
    np.testing.assert_allclose(inference.logits_one_by_one(model, noise(9)), expected, atol=1e-3)
    np.testing.assert_allclose(model[1].running_var, slow[1].running_var, rtol=1e-4)


def one_value_per_channel():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(2), nn.Flatten())


@pytest.mark.parametrize(
    "model",
    [one_value_per_channel(), nn.Sequential(nn.Flatten(), nn.BatchNorm1d(72))],
    ids=["maps", "vectors"],
)
def test_one_value_per_channel_is_refused_as_by_torch(noise, model):
    with pytest.raises(LotusError, match=r"E1.*released-e1") as caught:
        inference.logits_one_by_one(model.train(), noise(5))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        one_at_a_time(model, noise(5))
    assert inference.logits_one_by_one(model.eval(), noise(5)).shape == (
        5,
        len(model(noise(1).pixels / 255)[0]),
    )


def test_batch_norm_without_momentum_is_refused(noise):
    with pytest.raises(LotusError, match="momentum"):
        inference.logits_one_by_one(batch_norm_net(momentum=None), noise(5))


@pytest.mark.parametrize("model", [batch_norm_net(), one_value_per_channel().train()])
def test_one_by_one_leaves_no_patched_forward(noise, model):
    with suppress(LotusError):
        inference.logits_one_by_one(model, noise(5))
    assert not any("forward" in vars(module) for module in model.modules())
