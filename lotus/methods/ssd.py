"""SSD (Selective Synaptic Dampening): shrink the weights that matter to the forget set above all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import PositiveReal
from lotus.data.batches import Batch
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register

if TYPE_CHECKING:
    from torch import Tensor

RELEASED = {"passes": 10, "per_sample": False, "augmented": True}
Importance: TypeAlias = "dict[str, Tensor]"
"""Parameter name → mean squared gradient, shaped like the parameter."""


@register("ssd", released={"M3": RELEASED})
@dataclass(frozen=True)
class SSD:
    """Dampens, without a gradient step, the weights that are far more important to D_f than to D.

    Loss: none. Importance I_X = mean over batches of (∂CE/∂θ)²; where I_f > α·I_D:
        θ ← θ·min(1, λ·I_D / I_f). As released (M3) the pass is repeated, and D is read class by class.
    Reads: all forget and retain images (D is both).
    Source: Foster, Schoepf, Brintrup, Fast Machine Unlearning Without Retraining Through Selective
        Synaptic Dampening, 2024: α 10, λ 1, one pass; their code squares batch means (batch 128), the
        paper's formula squares single images (`per_sample`).
    Not for: forget shares s ≥ 1/α: with per-sample importance it then changes nothing, and what batches
        select is noise.
    """

    alpha: PositiveReal = 10.0
    dampening: PositiveReal = 1.0
    passes: NonNegativeInt = 1
    batch_size: PositiveInt = 128
    per_sample: bool = False
    augmented: bool = True

    def unlearn(self, task: Task) -> nn.Module:
        """Two importances and one multiplication; the model stays in eval mode."""
        student = task.student()
        everything = task.forget + task.retain
        chance = task.generator if self.augmented else None
        for number in range(self.passes):
            forget = [task.forget.draw(p, chance) for p in self._deal(task, len(task.forget))]
            whole = (
                everything.in_order(self.batch_size, chance)
                if task.released("M3")
                else (everything.draw(p, chance) for p in self._deal(task, len(everything)))
            )
            of_forget, of_all = self._importance(student, forget), self._importance(student, whole)
            share = dampen(student, of_forget, of_all, self.alpha, self.dampening)
            task.progress(number, self.passes, {"dampened": share})
        return student

    def _deal(self, task: Task, count: int) -> Iterable[Tensor]:
        return task.deal(count, self.batch_size)

    def _importance(self, model: nn.Module, batches: Iterable[Batch]) -> Importance:
        squares = per_sample_squares if self.per_sample else batch_squares
        total: Importance = {}
        weight = 0
        for batch in batches:
            found, count = squares(model, batch)
            weight += count
            total = total or {name: torch.zeros_like(square) for name, square in found.items()}
            # In place and all at once: parameter by parameter it takes longer than the squares.
            torch._foreach_add_([*total.values()], [*found.values()])
        return {name: square / weight for name, square in total.items()}


def batch_squares(model: nn.Module, batch: Batch) -> tuple[Importance, int]:
    """The squared gradient of the batch's mean loss, counted once (the authors' code)."""
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    loss = F.cross_entropy(model(batch.images), batch.labels)
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {
        name: torch.zeros_like(p) if g is None else g**2
        for (name, p), g in zip(named.items(), gradients, strict=True)
    }, 1


def per_sample_squares(model: nn.Module, batch: Batch) -> tuple[Importance, int]:
    """The sum over images of squared gradients, counted by image (the paper's formula)."""
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    rest = {k: v for k, v in model.state_dict().items() if k not in parameters}

    def loss(weights: Importance, image: Tensor, label: Tensor) -> Tensor:
        logits = torch.func.functional_call(model, {**weights, **rest}, (image[None],))
        return F.cross_entropy(logits, label[None])

    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(
        parameters, batch.images, batch.labels
    )
    return {name: (g**2).sum(0) for name, g in gradients.items()}, len(batch.labels)


def dampen(
    model: nn.Module, of_forget: Importance, of_all: Importance, alpha: float, dampening: float
) -> float:
    """Where I_f > α·I_D: θ ← θ·min(1, λ·I_D / I_f), in place.

    Returns:
        Share of the parameters that were selected.

    """
    selected, count = 0, 0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name not in of_forget:
                continue
            chosen = of_forget[name] > alpha * of_all[name]
            # 0/0 is NaN where no gradient reaches a weight; such a weight is not chosen.
            factor = (dampening * of_all[name] / of_forget[name]).clamp(max=1)
            parameter.copy_(torch.where(chosen, parameter * factor, parameter))
            selected += int(chosen.sum())
            count += parameter.numel()
    return selected / max(count, 1)
