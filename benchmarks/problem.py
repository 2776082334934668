"""The images and networks that are measured with: real images, split as an experiment has them.

Retain, forget, validation and test images are in the proportions of the paper's CIFAR (9:1:1:1), and
fewer. Without a folder of CIFAR-10 they are the Fashion-MNIST images of the repository, with black
borders and three equal channels: as large as CIFAR's, and no time here depends on what they show.
"""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lotus import models
from lotus.config.architectures import ARCHITECTURE, Architecture
from lotus.config.images import Augmentation, Dataset
from lotus.config.protocol import CORRECTED, Protocol
from lotus.config.scenarios import Scenario
from lotus.data.batches import Images
from lotus.data.content import Content, joined
from lotus.data.sources import cifar10, fashion_mini
from lotus.data.sources._idx import read_idx
from lotus.data.splits import ForgetSet, HeldOut, choose_forget_set, halve_held_out
from lotus.data.store import Store, open_store, write_store
from lotus.engine.progress import Progress
from lotus.methods.base import Task

CLASSES = 10
AT_ONCE = 64
SHARPNESS = 8
"""By which logits of least squares, which are about 1, become those of a trained network."""
EMBEDDED = Path(__file__).resolve().parents[1] / fashion_mini.FOLDER


@dataclass(frozen=True)
class Problem:
    """A store, its splits, and a network of the paper for its images."""

    store: Store
    held_out: HeldOut
    chosen: ForgetSet
    use: Dataset
    architecture: Architecture

    def images(self) -> Images:
        """All images, on the processor."""
        return Images(self.store, self.use, torch.device("cpu"))

    def network(self, seed: int = 0) -> nn.Module:
        """A network in eval mode that tells the classes apart, though only its last layer was fitted.

        No time depends on what weights are; but a model near chance is asked more, and gets no metrics.
        """
        built = models.build(self.architecture, self.shape, CLASSES, seed)
        every = self.images().take(np.concatenate([self.chosen.forget, self.chosen.retain]))
        last = [module for module in built.modules() if isinstance(module, nn.Linear)][-1]
        seen: list[torch.Tensor] = []
        handle = last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        with torch.no_grad():
            # Once for the statistics of BatchNorm, once for what the last layer reads.
            for mode in (True, False):
                built.train(mode)
                seen.clear()
                for batch in every.in_order(AT_ONCE):
                    built(batch.images)
            handle.remove()
            _fit(last, torch.cat(seen), every.labels)
        return built.eval()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images."""
        _, height, width, channels = self.store.images.shape
        return channels, height, width

    def task(
        self,
        original: nn.Module,
        progress: Progress,
        protocol: Protocol = CORRECTED,
        kind: type[Task] = Task,
        preparing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Task:
        """The task of unlearning that a run sets up."""
        images = self.images()
        untrained = models.build(self.architecture, self.shape, CLASSES, 1)
        return kind(
            original=original,
            forget=images.take(self.chosen.forget),
            retain=images.take(self.chosen.retain),
            val=images.take(self.held_out.val),
            num_classes=CLASSES,
            class_forgetting=False,
            generator=torch.Generator().manual_seed(1),
            progress=progress,
            untrained=lambda: copy.deepcopy(untrained),
            protocol=protocol,
            preparing=preparing,
        )


def resnet18(width: int, max_pool: bool = True) -> Architecture:
    """The paper's ResNet18 of a width; 64 is the paper's."""
    return ARCHITECTURE.validate_python(
        {"model": "resnet18", "width": width, "max_pool": max_pool, "training": {}}
    )


def small_vit() -> Architecture:
    """A vision transformer for 32×32 pixels, a sixth as wide and a third as deep as the paper's."""
    described = {"model": "vit", "patch_size": 4, "embed_dim": 128, "depth": 4, "num_heads": 4}
    return ARCHITECTURE.validate_python({**described, "training": {}})


def make(
    folder: Path,
    forget: int,
    architecture: Architecture,
    cifar: Path | None = None,
    augmentation: Augmentation | None = None,
) -> Problem:
    """Makes the store and the splits.

    Args:
        folder: an empty one, for the store.
        forget: number of forget images, a multiple of 10; of the others it follows.
        cifar: a folder with `cifar-10-batches-py`.
        augmentation: default: the paper's for CIFAR, a crop of the image with a border of 4 pixels.

    """
    if forget % CLASSES:
        raise ValueError("the forget images are to be as many of each of 10 classes")
    content = (
        _embedded() if cifar is None else cifar10.SOURCE.read((cifar / "cifar-10-batches-py",))
    )
    source = cifar10.SOURCE if cifar is not None else fashion_mini.SOURCE
    mean, std = (list(value) * (3 // len(value)) for value in (source.mean, source.std))
    about = {"dataset": source.name, "mean": mean, "std": std, "files": [], "content": ""}
    kept = _first_of_each_class(content, forget, -(-forget // 5))
    write_store(folder / "store", kept.images, kept, about, None)
    store = open_store(folder / "store")
    return Problem(
        store,
        halve_held_out(store, 0),
        choose_forget_set(store, Scenario(forget_fraction=0.1), 0),
        Dataset(augmentation=augmentation or Augmentation(crop_padding=4)),
        architecture,
    )


def _fit(layer: nn.Linear, features: torch.Tensor, labels: torch.Tensor) -> None:
    """Sets a layer to the least squares of the classes, with a ridge."""
    centred = features - features.mean(0)
    wanted = nn.functional.one_hot(labels, CLASSES) - 1 / CLASSES
    gram = centred.T @ centred
    ridge = gram.diagonal().mean() * 0.01 * torch.eye(len(gram))
    layer.weight.copy_(SHARPNESS * torch.linalg.solve(gram + ridge, centred.T @ wanted).T)
    layer.bias.copy_(-layer.weight @ features.mean(0))


def default_store(folder: Path) -> Path:
    """Writes the store of the default experiment, and returns its folder."""
    source = fashion_mini.SOURCE
    content = source.read(tuple(EMBEDDED / file.name for file in source.files))
    assert isinstance(content.images, np.ndarray)
    about = {"dataset": source.name, "mean": source.mean, "std": source.std, "files": []}
    write_store(folder / source.name, content.images, content, about, None)
    return folder / source.name


def _embedded() -> Content:
    """The 10,000 images in the repository, the last 2,000 held out."""
    images, labels = read_idx(*(EMBEDDED / file.name for file in fashion_mini.SOURCE.files))
    coloured = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)]).repeat(3, axis=3)
    cut = 8000
    parts = {"train": (coloured[:cut], labels[:cut]), "test": (coloured[cut:], labels[cut:])}
    return joined(parts, fashion_mini.CLASSES)


def _first_of_each_class(content: Content, train: int, test: int) -> Content:
    """The first images of each class: so many of the training part, and of the test part."""
    parts = {}
    for part, count in {"train": train, "test": test}.items():
        first, end = content.parts[part]
        labels = content.labels[first:end]
        places = [np.flatnonzero(labels == label)[:count] for label in range(CLASSES)]
        chosen = np.sort(np.concatenate(places)) + first
        parts[part] = (content.images[chosen], content.labels[chosen])
    return joined(parts, content.classes)
