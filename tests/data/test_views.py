"""Resizing and cropping on the device."""

import numpy as np
import pytest
import torch

from lotus.config.images import Augmentation, Dataset
from lotus.data.batches import Images, View


@pytest.mark.parametrize("size", [(40, 64), (64, 40), (48, 48)])
def test_a_view_is_torchvisions_resize_and_crop(size):
    from torchvision.transforms.v2 import functional as tv

    images = torch.rand(3, 2, *size)
    expected = tv.center_crop(tv.resize(images, [32], antialias=True), [28, 28])
    found = View(resize=32, crop=28)(images)
    assert found.shape == (3, 2, 28, 28)
    torch.testing.assert_close(found, expected)
    reduced = tv.center_crop(
        tv.resize(tv.resize(images, [28, 28], antialias=True), [32], antialias=True), [28, 28]
    )
    torch.testing.assert_close(View(32, 28, reduced_first=True)(images), reduced)
    assert not torch.allclose(reduced, expected, atol=1e-3)


@pytest.mark.parametrize("size", [(256, 320), (224, 224), (64, 64), (32, 48)])
def test_resizing_to_224_is_torchvisions(size):
    from torchvision.transforms import functional as tv

    images = torch.rand(2, 3, *size)
    expected = tv.resize(images, [224], antialias=True)
    found = View(resize=224)(images)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_a_view_says_what_it_leaves(make_store):
    assert View().shape(10, 20) == (10, 20)
    assert View(resize=32).shape(40, 80) == (32, 64)
    assert View(resize=32, crop=28).shape(40, 80) == (28, 28)
    store = make_store([0, 1, 2], [0, 1])
    use = Dataset(resize=8, crop=6, augmentation=Augmentation(crop_padding=1))
    batch = next(Images(store, use, torch.device("cpu")).take(np.arange(3)).in_order(3))
    assert batch.images.shape == (3, 1, 6, 6)
