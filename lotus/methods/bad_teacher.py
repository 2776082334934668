"""Bad Teacher: learn the retain set from the original, the forget set from an untrained network."""

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

RELEASED = {"epochs": 10, "batch_size": 128}


@register("bad-teacher", released={"M7": RELEASED, "R1": {}})
@dataclass(frozen=True)
class BadTeacher:
    """Distils from two teachers: the original on D_r, an incompetent one on D_f.

    Loss: L(x) = (1−l)·KL(T_s(x)‖S(x)) + l·KL(T_d(x)‖S(x)), mean over the batch; l = 1 on D_f and 0 on
        D_r; T_s the original, T_d an untrained network, both in eval mode. As released (M7) the sum is
        also divided by C, and every epoch reads D_f first, in order.
    Reads: the forget set, a random share of the retain set, the original's outputs.
    Source: Chundawat et al., Can Bad Teaching Induce Forgetting?, 2023: Adam 1e-4, 1 epoch, batch 256.
    Not for: hiding what was forgotten: a random teacher is surer or less sure than unseen images are.
    """

    epochs: NonNegativeInt = 1
    lr: PositiveReal = 1e-4
    weight_decay: NonNegativeReal = 0.0
    batch_size: PositiveInt = 256
    retain_fraction: Share = 0.3
    temperature: PositiveReal = 1.0

    def unlearn(self, task: Task) -> nn.Module:
        """Epochs over D_f ∪ (part of D_r), each image taught by its teacher."""
        with task.preparing():
            incompetent = task.untrained().eval()
            union = task.forget + task.retain.sample(self.retain_fraction, task.generator)
        competent, bad = task.teacher(union), task.teacher(union, incompetent)
        student = task.student().train()
        optimizer = torch.optim.Adam(student.parameters(), self.lr, weight_decay=self.weight_decay)
        for epoch in range(self.epochs):
            for batch in self._batches(task, union):
                is_forget = batch.positions < len(task.forget)
                # l is 0 or 1: of the two divergences in the loss, one remains for each image.
                taught = torch.where(is_forget[:, None], bad(batch), competent(batch))
                loss = distillation(student(batch.images), taught, self.temperature)
                if task.released("M7"):
                    loss = loss / task.num_classes
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student

    def _batches(self, task: Task, union: ImageSet) -> Iterator[Batch]:
        if task.released("M7"):
            return union.in_order(self.batch_size, task.generator)
        return task.shuffled(union, self.batch_size)


def distillation(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """Mean over the batch of KL(teacher‖student), in nats, both softened by `temperature`; a scalar.

    Args:
        student_logits, teacher_logits: `[b, classes]`; the teacher's carry no gradient.

    """
    return F.kl_div(
        (student_logits / temperature).log_softmax(1),
        (teacher_logits / temperature).log_softmax(1),
        reduction="batchmean",
        log_target=True,
    )
