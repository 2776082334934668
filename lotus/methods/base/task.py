"""The task that a method is given, and the form of a method."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol

from lotus.config.protocol import CORRECTED
from lotus.config.protocol import Protocol as Switches
from lotus.data.batches import Batch, ImageSet, deal
from lotus.engine.progress import Progress
from lotus.errors import LotusError
from lotus.lazy_torch import nn, torch
from lotus.methods.base.teacher import REMEMBERED, Teacher


def _no_untrained() -> nn.Module:
    raise LotusError("this task was made without a function that builds an untrained network")


@dataclass(frozen=True)
class Task:
    """Everything a method may use.

    Attributes:
        original: the trained model, in eval mode on the device; to be read, never changed.
        forget, retain: training images to forget and to keep.
        val: held-out images that are neither trained nor tested on, or synthetic ones in their place.
        num_classes: number of outputs.
        class_forgetting: the forget set is a whole class.
        generator: the only source of randomness; lies on the device.
        progress: to be called after each epoch.
        untrained: makes a network like the original, with fresh weights, on the device (M7: of timm's
            ViT-B/16 the head alone is fresh, the body pretrained).
        preparing: what happens inside `with task.preparing():` counts as preparation, not unlearning.
        protocol: which behaviours of the published code are on; see `released`.

    """

    original: nn.Module
    forget: ImageSet
    retain: ImageSet
    val: ImageSet
    num_classes: int
    class_forgetting: bool
    generator: torch.Generator
    progress: Progress
    untrained: Callable[[], nn.Module] = _no_untrained
    preparing: Callable[[], AbstractContextManager[None]] = nullcontext
    protocol: Switches = CORRECTED

    def student(self) -> nn.Module:
        """A fresh copy of the original model, to be changed."""
        return copy.deepcopy(self.original)

    def released(self, switch: str) -> bool:
        """Whether the behaviour `switch` of the published code is on."""
        return self.protocol.has(switch)

    def teacher(self, images: ImageSet, network: nn.Module | None = None) -> Teacher:
        """Returns a function of the batches of `images`: what a network says of each, without gradients.

        Args:
            images: the set that the batches are drawn from.
            network: in eval mode; None: the original model.

        """
        numbers = len(images) * self.num_classes
        comes_as_stored = not images.augmentation.is_random
        asked_once = comes_as_stored and numbers * torch.float32.itemsize <= REMEMBERED
        return Teacher(self.original if network is None else network, images, asked_once)

    def shuffled(self, images: ImageSet, batch_size: int) -> Iterator[Batch]:
        """One pass over `images` in random order, freshly augmented."""
        return images.shuffled(batch_size, self.generator, self.released("T2"))

    def deal(self, count: int, batch_size: int) -> Sequence[torch.Tensor]:
        """Positions of `count` things in random order, in batches (`lotus.data.batches.deal`)."""
        return deal(count, batch_size, self.generator, self.released("T2"))


class Method(Protocol):
    """The form that `register` wants of a class."""

    def unlearn(self, task: Task) -> nn.Module:
        """The unlearned model, in the mode in which the work leaves it (of consequence under E1)."""


def sgd_or_adam(
    kind: Literal["sgd", "adam"],
    model: nn.Module,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """An optimizer over all parameters; `momentum` is SGD's."""
    if kind == "adam":
        return torch.optim.Adam(model.parameters(), lr, weight_decay=weight_decay)
    return torch.optim.SGD(model.parameters(), lr, momentum, weight_decay=weight_decay)
