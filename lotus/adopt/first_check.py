"""Asks a checkpoint about some held-out images, before anything is built or trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lotus import models
from lotus.adopt.sections import Sections
from lotus.config.images import StoreOptions
from lotus.data import content as contents
from lotus.data.batches import Images
from lotus.data.build import read_content, source_of
from lotus.data.content import Content, Files
from lotus.data.decode import read_image, shape_of
from lotus.data.raw import find_all
from lotus.data.store import Store
from lotus.engine import inference
from lotus.engine.device import prepare
from lotus.layout import RAW
from lotus.models.checkpoints import Form, load_checkpoint
from lotus.predictions.collapse import highest_near_chance
from lotus.runs.networks import make_network, seen_shape

ASKED = 500
"""Images of each part that are looked at: enough to tell a wrong order of classes, and soon done."""


@dataclass(frozen=True)
class FirstCheck:
    """Result of asking a checkpoint for held-out images.

    Attributes:
        form: in which its weights came.
        right, asked: how many of how many images it got right.
        classes: names, in the order of the images' labels.
        limit: accuracy up to which a model knows nothing of the images.

    """

    form: Form
    right: int
    asked: int
    classes: tuple[str, ...]
    limit: float

    @property
    def is_near_chance(self) -> bool:
        """Whether it knows no more of the images than their most frequent class."""
        return self.right <= self.limit * self.asked

    def lines(self) -> list[str]:
        """Returns what is to be said of it."""
        said = [
            f"the checkpoint: {self.form}",
            f"it gets {self.right} of {self.asked} held-out images right "
            f"({self.right / self.asked:.3f})",
        ]
        if self.is_near_chance:
            shown = ", ".join(self.classes[:4]) + (", …" if len(self.classes) > 4 else "")
            said.append(
                f"WARNING: that is near chance (at most {self.limit:.3f}). The usual causes: the model was "
                "trained with another normalisation (--mean, --std) or image size (--size), or its classes "
                f"stand in another order than here ({shown})"
            )
        return said


def first_check(sections: Sections, mirrors: Sequence[str], device: str) -> FirstCheck:
    """Returns how a checkpoint fares on images that were not trained on.

    Args:
        mirrors: folders that are looked at for a registered data set.

    Raises:
        LotusError: the images cannot be read, or the checkpoint is of another network, of other channels or
            of another number of classes.

    """
    options = sections.use.store
    whole = _content(sections.dataset, options, mirrors)
    store = _sample(whole, options)
    used = prepare(device, 1)
    shape = seen_shape(store, sections.use)
    network = make_network(
        models.without_weights(sections.architecture), shape, len(store.classes), 0, used
    )
    checkpoint = sections.architecture.checkpoint
    assert checkpoint is not None
    form = load_checkpoint(network, checkpoint, shape, len(store.classes))
    held_out = store.part("test")
    images = Images(store, sections.use, used.torch).take(held_out)
    right = inference.accuracy(network, images)
    largest = np.bincount(store.labels[held_out]).max() / len(held_out)
    return FirstCheck(
        form, int(right * len(held_out)), len(held_out), store.classes, highest_near_chance(largest)
    )


def _content(dataset: str, options: StoreOptions, mirrors: Sequence[str]) -> Content:
    described = source_of(dataset, options)
    found = find_all(dataset, described, options, mirrors, RAW / described.name)
    content = read_content(dataset, described, options, tuple(file.path for file in found))
    contents.check(dataset, content)
    return content


def _sample(content: Content, options: StoreOptions) -> Store:
    """Some images of both parts, drawn at random, as a store in memory."""
    rng = np.random.default_rng(0)
    chosen = {
        part: np.sort(rng.permutation(np.arange(*content.parts[part]))[:ASKED])
        for part in ("train", "test")
    }
    indices = np.concatenate([*chosen.values()])
    images = _pixels(content.images, indices)
    train = len(chosen["train"])
    mean, std = options.mean, options.std
    if mean is None or std is None:
        mean, std = contents.channel_statistics(images, train)
    source: dict[str, Any] = {
        "mean": [*mean],
        "std": [*std],
        "parts": {"train": [0, train], "test": [train, len(indices)]},
    }
    return Store(Path(), images, content.labels[indices], content.classes, source)


def _pixels(images: np.ndarray | Files, indices: np.ndarray) -> np.ndarray:
    if not isinstance(images, Files):
        found: np.ndarray = images[indices]
        return found
    files = images.at(indices)
    if files.side is None:
        # All have to be of the first one's size; what is not says so as the store is built.
        shape_of(replace(files, paths=files.paths[:1]))
    return np.stack([read_image(path, files.side) for path in files.paths])
