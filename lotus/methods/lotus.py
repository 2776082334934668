"""LoTUS: distil the original model, its predictions on the forget set softened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal, Real, Share
from lotus.engine.inference import accuracy
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register

if TYPE_CHECKING:
    from torch import Tensor

# exp(α·d) with an accuracy gap d ≤ 1 stays finite in double precision.
Alpha = Annotated[Real, Field(ge=0, le=700)]


@register("lotus", released={"M8": {}})
@dataclass(frozen=True)
class LoTUS:
    """Softens the original's predictions on D_f until accuracy there falls to that on unseen images.

    Loss: L = −Σ_k t_k ln p_k(student), t = l·gs(z_o, τ) + (1−l)·gs(z_o, τ→0⁺), l = 1 on D_f and 0 on
        D_r, with gs(z, τ) = softmax((z+g)/τ), g ~ Gumbel(0, 1); before each epoch
        τ = exp(α·(Acc(f_u, D_f) − Acc(f_o, D_v))), the second accuracy 0 when a class is forgotten; it
        ends early once the accuracy gap is ≤ −exit_tolerance.
    Reads: the forget set, a fixed random share of the retain set, validation images (accuracy only) and
        the original's outputs.
    Source: Spartalis et al., LoTUS, CVPR 2025 (arXiv 2503.18314): AdamW 1e-4 (ViT 1e-6), α 2 (8 for
        ResNet18 on CIFAR-10, 32 for classes), 10 epochs (ViT 3).
    Not for: lowering forget accuracy below that of unseen images: it stops there by design.
    """

    alpha: Alpha = 2.0
    epochs: NonNegativeInt = 10
    lr: PositiveReal = 1e-4
    weight_decay: NonNegativeReal = 5e-4
    batch_size: PositiveInt = 128
    retain_fraction: Share = 0.3
    transform: Literal["gumbel", "softmax"] = "gumbel"
    exit_tolerance: NonNegativeReal = 0.01

    def unlearn(self, task: Task) -> nn.Module:
        """The paper's algorithm: one temperature per epoch, one loss on D_f ∪ (part of D_r)."""
        student = task.student()
        union = task.forget + task.retain.sample(self.retain_fraction, task.generator)
        teacher = task.teacher(union)
        optimizer = self._optimizer(task, student)
        unseen = 0 if self._forgets_a_class(task) else self._unseen_accuracy(task)
        for epoch in range(self.epochs):
            known = self._forget_accuracy(task, student)
            gap = known - unseen
            if gap <= -self._tolerance(task):
                break
            temperature = math.exp(self.alpha * gap)
            student.train()
            for batch in task.shuffled(union, self.batch_size):
                # The union has the forget images first, and positions are those in the union.
                is_forget = batch.positions < len(task.forget)
                t = targets(teacher(batch), is_forget, temperature, self.transform, task.generator)
                loss = F.cross_entropy(student(batch.images), t)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            told = {"temperature": temperature, "forget_accuracy": float(known)}
            task.progress(epoch, self.epochs, {"loss": loss.item(), **told, "gap": float(gap)})
        return student.eval()

    def _optimizer(self, task: Task, student: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.AdamW(student.parameters(), self.lr, weight_decay=self.weight_decay)

    def _forgets_a_class(self, task: Task) -> bool:
        return task.class_forgetting

    def _unseen_accuracy(self, task: Task) -> Fraction | float:
        exactly = accuracy(task.original, task.val)
        return round(float(exactly), 2) if task.released("M8") else exactly

    def _forget_accuracy(self, task: Task, student: nn.Module) -> Fraction | float:
        if task.released("M8"):
            return round(float(accuracy(student, task.forget, task.generator)), 2)
        return accuracy(student, task.forget)

    def _tolerance(self, task: Task) -> Fraction | float:
        """The decimal that was written (.01), not its binary neighbour: the exit compares counts."""
        return self.exit_tolerance if task.released("M8") else Fraction(str(self.exit_tolerance))


def targets(
    teacher_logits: Tensor,
    is_forget: Tensor,
    temperature: float,
    transform: Literal["gumbel", "softmax"],
    generator: torch.Generator,
) -> Tensor:
    """Returns what the student is to say.

    Retain rows get the limit τ→0⁺: the one-hot arg-max of z + g, which is a draw from the teacher's
    softmax (`gumbel`), or of z (`softmax`). Forget rows get the transform at `temperature`.

    Args:
        teacher_logits: `[b, classes]`.
        is_forget: bool `[b]`.
        temperature: τ > 0.

    Returns:
        Probabilities `[b, classes]`.

    """
    hard, soft = teacher_logits, teacher_logits
    if transform == "gumbel":
        hard = hard + gumbel_like(hard, generator)
        soft = soft + gumbel_like(soft, generator)
    one_hot = F.one_hot(hard.argmax(1), hard.shape[1]).to(soft.dtype)
    return torch.where(is_forget[:, None], (soft / temperature).softmax(1), one_hot)


def gumbel_like(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Independent Gumbel(0, 1) noise: −ln of an exponential variable."""
    return -torch.empty_like(logits).exponential_(generator=generator).log()
