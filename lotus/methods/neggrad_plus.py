"""NegGrad+: descend on the retain set and ascend on the forget set in one joint step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal, Share
from lotus.data.batches import Batch, ImageSet
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register

if TYPE_CHECKING:
    from torch import Tensor

RELEASED = {"epochs": 10, "lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}


@register(
    "neggrad-plus",
    released={"M2": RELEASED},
    alone=lambda own, on, _: ("forget", "retain") if own.alpha < 1 or on.has("M2") else ("retain",),
)
@dataclass(frozen=True)
class NegGradPlus:
    """Keeps the retain loss low while raising the forget loss.

    Loss: L = α·CE(B_r) − (1−α)·CE(B_f), one retain and one forget batch a step, the forget batches
        cycled. As released (M2) the sign is lost: CE(D_f), then CE(D_r), both descended.
    Reads: all forget and retain images.
    Source: Kurmanji et al., Towards Unbounded Machine Unlearning (SCRUB), 2023: SGD .01; α .9999
        (large data), .95 (small).
    Not for: many epochs at a small α: the forget loss has no upper bound.
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
        # Outside the loop: an epoch goes on in the forget set where the last one stopped.
        forget = self._cycle(task, task.forget)
        for epoch in range(self.epochs):
            losses = (
                self._descent(task, student)
                if task.released("M2")
                else self._joint(task, student, forget)
            )
            for loss in losses:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student

    def _joint(self, task: Task, student: nn.Module, forget: Iterator[Batch]) -> Iterator[Tensor]:
        for retained in task.shuffled(task.retain, self.batch_size):
            yield joint_loss(student, retained, next(forget), self.alpha)

    def _descent(self, task: Task, student: nn.Module) -> Iterator[Tensor]:
        for images in (task.forget, task.retain):
            for batch in task.shuffled(images, self.batch_size):
                yield F.cross_entropy(student(batch.images), batch.labels)

    def _cycle(self, task: Task, images: ImageSet) -> Iterator[Batch]:
        """Batches without end, in a new order each time round."""
        while True:
            yield from task.shuffled(images, self.batch_size)


def joint_loss(student: nn.Module, retained: Batch, forgotten: Batch, alpha: float) -> Tensor:
    """α·CE(B_r) − (1−α)·CE(B_f), a scalar; at α = 1 the forget batch is not read."""
    loss = alpha * F.cross_entropy(student(retained.images), retained.labels)
    if alpha < 1:
        loss = loss - (1 - alpha) * F.cross_entropy(student(forgotten.images), forgotten.labels)
    return loss
