"""Small image sets, stores and models that several test files use."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lotus.data.batches import ImageSet
from lotus.data.store import Store
from lotus.settings import Augmentation


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def seeded():
    """Seed → generator."""
    return lambda seed=0: torch.Generator().manual_seed(seed)


@pytest.fixture(scope="session")
def image_set():
    """Pixels uint8 `[n, C, H, W]` and labels → a set with mean 0 and std 1."""

    def make(pixels, labels, **augmentation):
        pixels = torch.as_tensor(np.asarray(pixels), dtype=torch.uint8)
        one = torch.ones(1, pixels.shape[1], 1, 1)
        return ImageSet(
            pixels,
            torch.as_tensor(np.asarray(labels), dtype=torch.int64),
            torch.arange(len(pixels)),
            0 * one,
            one,
            Augmentation(**augmentation),
        )

    return make


@pytest.fixture(scope="session")
def cut():
    """Consecutive parts of a set, which share its pixels as all sets of a store do."""

    def make(images, *sizes):
        ends = np.cumsum(sizes)
        assert ends[-1] == len(images)
        parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        return [replace(images, index=images.index[p], labels=images.labels[p]) for p in parts]

    return make


@pytest.fixture(scope="session")
def one_hot_images(image_set):
    """Images that show 1 at one of `size` pixels and 0 elsewhere."""

    def make(positions, labels, size):
        pixels = np.zeros((len(positions), 1, 1, size), np.uint8)
        pixels[np.arange(len(positions)), 0, 0, positions] = 255
        return image_set(pixels, labels)

    return make


@pytest.fixture(scope="session")
def noise(image_set):
    """Random 6×6 images with random labels of 3 classes."""

    def make(count, seed=0, **augmentation):
        rng = np.random.default_rng(seed)
        pixels = rng.integers(256, size=(count, 2, 6, 6))
        return image_set(pixels, rng.integers(3, size=count), **augmentation)

    return make


@pytest.fixture(scope="session")
def linear():
    """Logits = weights · pixels, weights `[classes, pixels]`."""

    def make(weights):
        layer = nn.Linear(len(weights[0]), len(weights), bias=False)
        layer.weight.data = torch.tensor(weights, dtype=torch.float32)
        return nn.Sequential(nn.Flatten(), layer).eval()

    return make


@pytest.fixture(scope="session")
def conv_net():
    """A small network with BatchNorm for the images of `noise`."""

    def make(seed=0):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = nn.Sequential(
                nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
            )
            net(torch.randn(32, 2, 6, 6))
        return net.eval()

    return make


@pytest.fixture(scope="session")
def snapshot():
    """A copy of all parameters and buffers."""
    return lambda model: {k: v.clone() for k, v in model.state_dict().items()}


@pytest.fixture(scope="session")
def same():
    """Whether two states agree bit for bit."""
    return lambda a, b: a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope="session")
def make_store():
    """Labels of the training and held-out part → a store of 4×4 images in memory."""

    def make(train, held_out, classes=("Cat", "Dog", "Ankle boot")):
        labels = np.array([*train, *held_out], dtype=np.int64)
        images = np.random.default_rng(0).integers(256, size=(len(labels), 4, 4, 1), dtype=np.uint8)
        source = {
            "parts": {"train": (0, len(train)), "test": (len(train), len(labels))},
            "mean": [0.0],
            "std": [1.0],
        }
        return Store(Path("nowhere"), images, labels, classes, source)

    return make
