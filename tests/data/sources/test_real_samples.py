"""Stores of samples of the real data, where a folder of them is given."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stores import build

from lotus.data.sources._tiny_imagenet import CLASSES as TINY

pytestmark = pytest.mark.usefixtures("empty_project")


@pytest.fixture
def samples():
    if "LOTUS_SAMPLES" not in os.environ:
        pytest.skip("LOTUS_SAMPLES names no folder with samples of the real data")
    return Path(os.environ["LOTUS_SAMPLES"])


def taken_from(samples, name):
    if not (samples / name).exists():
        pytest.skip(f"{name} is not among the samples")
    return name


def test_real_tiny_imagenet(samples):
    name = taken_from(samples, "tiny-imagenet-200-subset.tar.xz")
    store = build("tiny-imagenet", samples, raw=name, content="any", limit=3, workers=2)
    assert store.images.shape == (200 * 6, 64, 64, 3)
    folder = next(Path("data/raw/tiny-imagenet").rglob("words.txt"))
    words = dict(line.split("\t") for line in folder.read_text().splitlines())
    assert {wnid: names.split(",")[0] for wnid, names in words.items()} == TINY
    assert sorted((folder.parent / "wnids.txt").read_text().split()) == list(TINY)
    last = folder.parent / "train/n01443537/images/n01443537_10.JPEG"
    assert np.array_equal(store.images[2], np.asarray(Image.open(last).convert("RGB")))


def test_real_imagenet(samples):
    name = taken_from(samples, "imagenet-sample.tar.xz")
    with tarfile.open(samples / name) as opened:
        opened.extractall("sample", filter="data")
    root = next(Path("sample").rglob("short96"))
    for part in ("train", "val"):
        (root.parent / "sorted").mkdir(exist_ok=True)
        (root.parent / "sorted" / part).symlink_to(root.absolute())
    store = build("imagenet1k", root.parent / "sorted", content="any", side=32, workers=2)
    assert store.images.shape == (2000, 32, 32, 3)
    assert np.array_equal(store.labels[:1000], np.arange(1000))
    assert np.array_equal(store.images[:1000], store.images[1000:])


def test_real_fashion_mnist(samples):
    taken_from(samples, "fashion-mnist")
    store = build("fashion-mnist", samples)
    assert store.source["checked_by"] == "checksums of the publisher"
    assert np.bincount(store.labels[:60_000]).tolist() == 10 * [6000]


@pytest.mark.parametrize(("name", "folder"), [("cifar10", "cifar-10-batches-py"),
                                              ("cifar100", "cifar-100-python")])  # fmt: skip
def test_real_cifar(samples, name, folder):
    taken_from(samples, folder)
    store = build(name, samples, content="any")
    assert store.source["parts"] == {"train": [0, 50_000], "test": [50_000, 60_000]}
    mean = np.asarray(store.images[:50_000]).mean((0, 1, 2)) / 255
    wanted = {"cifar10": (0.4914, 0.4822, 0.4465), "cifar100": (0.5071, 0.4865, 0.4409)}[name]
    np.testing.assert_allclose(mean, wanted, atol=1e-3)
