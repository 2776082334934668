"""SCRUB: move away from the original model on the forget set, stay with it on the retain set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal
from lotus.config.protocol import Protocol
from lotus.lazy_torch import F, nn
from lotus.methods.bad_teacher import distillation
from lotus.methods.base import Task, register, sgd_or_adam
from lotus.methods.base.teacher import Teacher

if TYPE_CHECKING:
    from torch import Tensor

RELEASED = {
    "optimizer": "adam",
    "epochs": 10,
    "max_epochs": 10,
    "weight_decay": 0.1,
    "gamma": 1.0,
    "alpha": 1.0,
    "forget_batch_size": 128,
}


def _unused(own: Scrub, protocol: Protocol, _: bool) -> tuple[str, ...]:
    if protocol.has("M1"):
        # The original is returned, whatever was done to the student.
        return tuple(field.name for field in fields(own))
    unused = ["momentum"] if own.optimizer == "adam" else []
    unused += ["forget_batch_size"] if not own.max_epochs else []
    return (*unused, *(["temperature"] if not (own.max_epochs or own.alpha) else []))


@register(
    "scrub",
    released={"M1": RELEASED},
    alone=lambda own, *_: ("forget", "retain") if own.max_epochs else ("retain",),
    unused=_unused,
)
@dataclass(frozen=True)
class Scrub:
    """The student disobeys the original on D_f and obeys it on D_r, in alternating passes.

    Loss: d(B) = T²·mean_x KL(p_o‖p_S) at temperature T. While epoch < m a max step: −d(B_f); in every
        epoch a min step: γ·CE(B_r) + α·d(B_r). As released (M1) the optimizer owns another copy of the
        model than the one these losses reach, and that copy is returned: the original, bit for bit.
    Reads: all forget and retain images, the original's outputs.
    Source: Kurmanji et al., Towards Unbounded Machine Unlearning, 2023; defaults are their code's for
        large CIFAR-10: SGD 5e-4, γ .99, α .001, T 4, 3 epochs, 2 with a max step. For CIFAR-100 it has
        Adam 5e-4, γ 1, α .5, 5 epochs, all with one, as has `config/paper.yaml`.
    Not for: models without capacity to spare: max steps unlearn neighbours too, min steps must repair.
    """

    optimizer: Literal["sgd", "adam"] = "sgd"
    epochs: NonNegativeInt = 3
    max_epochs: NonNegativeInt = 2
    lr: PositiveReal = 5e-4
    momentum: NonNegativeReal = 0.9
    weight_decay: NonNegativeReal = 5e-4
    gamma: NonNegativeReal = 0.99
    alpha: NonNegativeReal = 0.001
    temperature: PositiveReal = 4.0
    milestones: tuple[PositiveInt, ...] = (3, 5, 9)
    forget_batch_size: PositiveInt = 32
    batch_size: PositiveInt = 128

    def unlearn(self, task: Task) -> nn.Module:
        """Max epochs over D_f, min epochs over D_r; the rate falls tenfold after each milestone."""
        student = task.student().train()
        # No loss reaches the copy of M1: without gradients, the optimizer passes over its weights.
        returned = task.student() if task.released("M1") else student
        teachers = task.teacher(task.forget), task.teacher(task.retain)
        optimizer = sgd_or_adam(self.optimizer, returned, self.lr, self.momentum, self.weight_decay)
        for epoch in range(self.epochs):
            for group in optimizer.param_groups:
                group["lr"] = self.lr * 0.1 ** sum(epoch + 1 > m for m in self.milestones)
            for loss in self._losses(task, student, teachers, epoch):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return returned

    def _losses(
        self, task: Task, student: nn.Module, teachers: tuple[Teacher, Teacher], epoch: int
    ) -> Iterator[Tensor]:
        of_forget, of_retain = teachers
        if epoch < self.max_epochs:
            for batch in task.shuffled(task.forget, self.forget_batch_size):
                yield -self._distance(of_forget(batch), student(batch.images))
        for batch in task.shuffled(task.retain, self.batch_size):
            logits = student(batch.images)
            obeying = self.alpha * self._distance(of_retain(batch), logits)
            yield self.gamma * F.cross_entropy(logits, batch.labels) + obeying

    def _distance(self, taught: Tensor, logits: Tensor) -> Tensor:
        return self.temperature**2 * distillation(logits, taught, self.temperature)
