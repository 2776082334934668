"""NegGrad+: descend on the retain set and ascend on the forget set in one joint step."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from lotus.data.batches import Batch, ImageSet
from lotus.methods.base import Task, register
from lotus.settings import NonNegativeReal, PositiveReal, Share


@register("neggrad-plus")
@dataclass(frozen=True)
class NegGradPlus:
    """Keeps the retain loss low while raising the forget loss.

    L = α·CE(B_r) − (1−α)·CE(B_f), one retain and one forget batch a step, the forget batches cycled.
    Reads all forget and retain images. Source: Kurmanji et al., Towards Unbounded Machine Unlearning
    (SCRUB), 2023: SGD .01; α .9999 (large data), .95 (small).
    """

    alpha: Share = 0.9999
    epochs: NonNegativeInt = 5
    lr: PositiveReal = 0.01
    momentum: NonNegativeReal = 0.0
    weight_decay: NonNegativeReal = 0.0
    batch_size: PositiveInt = 128

    def unlearn(self, task: Task) -> nn.Module:
        """Epochs over D_r, each step paired with the next forget batch."""
        student = task.student().train()
        optimizer = torch.optim.SGD(
            student.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay
        )
        forget = _cycle(task.forget, self.batch_size, task.generator)
        for epoch in range(self.epochs):
            for retained in task.retain.shuffled(self.batch_size, task.generator):
                loss = joint_loss(student, retained, next(forget), self.alpha)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student.eval()


def joint_loss(student: nn.Module, retained: Batch, forgotten: Batch, alpha: float) -> Tensor:
    """α·CE(B_r) − (1−α)·CE(B_f), a scalar; at α = 1 the forget batch is not read."""
    loss = alpha * F.cross_entropy(student(retained.images), retained.labels)
    if alpha < 1:
        loss = loss - (1 - alpha) * F.cross_entropy(student(forgotten.images), forgotten.labels)
    return loss


def _cycle(images: ImageSet, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Batches without end, in a new order each time round."""
    while True:
        yield from images.shuffled(batch_size, generator)
