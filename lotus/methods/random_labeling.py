"""Random Labeling: teach wrong labels for the forget set, together with the retain set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal
from lotus.data.batches import Batch, ImageSet
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register, sgd_or_adam

if TYPE_CHECKING:
    from torch import Tensor

RELEASED = {
    "optimizer": "sgd",
    "epochs": 10,
    "lr": 1e-3,
    "momentum": 0.9,
    "weight_decay": 5e-4,
}


@register(
    "random-labeling",
    released={"M9": RELEASED},
    alone=lambda _, on, __: ("forget", "retain") if on.has("M9") else (),
    unused=lambda own, *_: ("momentum",) if own.optimizer == "adam" else (),
)
@dataclass(frozen=True)
class RandomLabeling:
    """Overwrites what is known of the forget images with random labels.

    Loss: L = CE on the shuffled union of D_r and D_f, each forget image with a label drawn once: uniform
        over the C−1 wrong ones (`wrong`), or over all C (`any`, as SalUn). As released (M9) the labels
        are drawn anew each epoch, and a pass over D_f comes before one over D_r.
    Reads: all forget and retain images.
    Source: Graves, Nagisetty, Ganesh, Amnesiac Machine Learning, 2021; Adam 1e-4, 3 epochs as in the
        suite of Selective Synaptic Dampening.
    Not for: hiding what was forgotten: wrong and unsure answers on the forget set can betray it.
    """

    labels: Literal["wrong", "any"] = "wrong"
    optimizer: Literal["adam", "sgd"] = "adam"
    epochs: NonNegativeInt = 3
    lr: PositiveReal = 1e-4
    momentum: NonNegativeReal = 0.0
    weight_decay: NonNegativeReal = 0.0
    batch_size: PositiveInt = 128

    def unlearn(self, task: Task) -> nn.Module:
        """Supervised epochs over relabelled D_f ∪ D_r."""
        student = task.student().train()
        optimizer = sgd_or_adam(self.optimizer, student, self.lr, self.momentum, self.weight_decay)
        relabelled = relabel(task, self.labels == "wrong")
        for epoch in range(self.epochs):
            if task.released("M9") and epoch:
                relabelled = relabel(task, self.labels == "wrong")
            for batch in self._batches(task, relabelled):
                loss = F.cross_entropy(student(batch.images), batch.labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student

    def _batches(self, task: Task, relabelled: ImageSet) -> Iterator[Batch]:
        if not task.released("M9"):
            yield from task.shuffled(relabelled + task.retain, self.batch_size)
            return
        # The published code keeps one crop of each forget image for an epoch, in which it is read once.
        yield from task.shuffled(relabelled, self.batch_size)
        yield from task.shuffled(task.retain, self.batch_size)


def relabel(task: Task, wrong_only: bool) -> ImageSet:
    """The forget set with random labels."""
    labels = random_labels(task.forget.labels, task.num_classes, wrong_only, task.generator)
    return task.forget.relabelled(labels)


def random_labels(
    labels: Tensor, num_classes: int, wrong_only: bool, generator: torch.Generator
) -> Tensor:
    """Uniform labels, int64 `[n]`; with `wrong_only` uniform over the C−1 others."""
    shape, device = labels.shape, labels.device
    if not wrong_only:
        return torch.randint(num_classes, shape, generator=generator, device=device)
    # 1 … C−1 steps on from its own label, each of the others is equally likely, and its own impossible.
    offset = torch.randint(1, num_classes, shape, generator=generator, device=device)
    return (labels + offset) % num_classes
