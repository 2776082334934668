"""What the GPU's benchmark works on: sizes, the paper's network, and images with classes to learn."""

import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lotus.config.architectures import ARCHITECTURE, Architecture
from lotus.config.images import Augmentation, Dataset
from lotus.data.batches import Images, ImageSet
from lotus.data.content import Content
from lotus.data.store import Store, open_store, write_store
from lotus.engine.device import Device

FASTEST = "precision=bf16,deterministic=off"
AUGMENTATION = Augmentation(crop_padding=4, horizontal_flip=True)
"""As the paper's on CIFAR-10."""


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Attributes:
        width: of the paper's network.
        images, small_images: training images of it, and of the small network.
        timed_batches: of one timed epoch.
        matrix: rows and columns of the matrices whose product is the device's own limit.
        sharing: numbers of models that train at once, and seconds for which they do.

    """

    width: int = 64
    batch_size: int = 512
    images: int = 10_000
    small_images: int = 1000
    timed_batches: int = 30
    matrix: int = 8192
    sharing: tuple[int, ...] = (1, 2, 4, 8)
    shared_seconds: float = 5.0


QUICK = Sizes(8, 32, 200, 300, 3, 512, (1, 2), 1.0)
"""For a rehearsal."""
SIDE, SMALL_SIDE = 32, 28
"""Of images like CIFAR-10's, and like Fashion-MNIST's."""


def architecture(width: int, epochs: int, batch_size: int) -> Architecture:
    """The paper's network."""
    training = {"epochs": epochs, "warmup_epochs": 0, "batch_size": batch_size, "lr": 0.05}
    return ARCHITECTURE.validate_python({"model": "resnet18", "width": width, "training": training})


def random_store(folder: Path, count: int, side: int, channels: int) -> Store:
    """A store of ten classes: each has a pattern of its own under noise, so that it can be learned."""
    rng = np.random.default_rng(0)
    total = count + max(200, count // 5)
    labels = np.arange(total) % 10
    patterns = rng.integers(64, 192, size=(10, 4, 4, channels))
    patterns = patterns.repeat(side // 4, axis=1).repeat(side // 4, axis=2)
    images = rng.integers(-40, 40, size=(total, side, side, channels)) + patterns[labels]
    content = Content(
        labels=labels,
        parts={"train": (0, count), "test": (count, total)},
        classes=tuple("abcdefghij"),
        images=images.astype(np.uint8),
    )
    scale = {"mean": [0.5] * channels, "std": [0.25] * channels}
    write_store(folder, content.images, content, {"dataset": "random", **scale}, None)
    return open_store(folder)


def shown(store: Store, device: Device, count: int) -> ImageSet:
    """Training images on the device, as often as it takes for so many."""
    everything = store.part("train")
    use = Dataset(augmentation=AUGMENTATION)
    taken = Images(store, use, device.torch, everything).take(everything)
    return taken.part(torch.arange(count, device=device.torch) % len(everything))


def failure(error: BaseException) -> str:
    """Says what failed, and where, in a line."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:300]
    return f"failed: {type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno})"
