"""SalUn: Random Labeling, held to the weights that are salient for the forget set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal, Share
from lotus.data.batches import Batch
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register
from lotus.methods.random_labeling import relabel

if TYPE_CHECKING:
    from torch import Tensor

RELEASED = {"mask_share": 0.1, "labels": "wrong", "lr": 1e-3, "batch_size": 128}
Mask: TypeAlias = "Mapping[str, Tensor]"
"""Parameter name → bool, shaped like the parameter; true where it may change."""


@register(
    "salun",
    released={"M5": RELEASED, "R1": {}},
    alone=lambda own, *_: ("forget", "retain") if own.order == "separate" else (),
)
@dataclass(frozen=True)
class SalUn:
    """Relabels the forget set at random and trains only the weights it depends on most.

    Loss: L = CE on randomly relabelled D_f, then on D_r (or on their shuffled union), labels uniform over
        all C classes; θ changes only where |Σ_batches ∂CE(D_f)/∂θ| at θ_o is among the largest
        `mask_share`; elsewhere it is put back and its momentum cleared after each step. As released
        (M5) gradients are masked in the forget pass (or the union) only, and the rest drifts.
    Reads: all forget and retain images.
    Source: Fan et al., SalUn, 2024 (with the authors' correction of February 2026: weights outside the
        mask stay): SGD .013, momentum .9, weight decay 5e-4, mask 50 %, 10 epochs, batch 256; on CIFAR-10
        `separate` passes, on CIFAR-100 and Tiny-ImageNet the `union`, as `config/paper.yaml` has them.
    Not for: hiding what was forgotten, as Random Labeling.
    """

    mask_share: Share = 0.5
    labels: Literal["wrong", "any"] = "any"
    order: Literal["separate", "union"] = "separate"
    epochs: NonNegativeInt = 10
    lr: PositiveReal = 0.013
    momentum: NonNegativeReal = 0.9
    weight_decay: NonNegativeReal = 5e-4
    batch_size: PositiveInt = 256

    def unlearn(self, task: Task) -> nn.Module:
        """Masked supervised epochs over freshly relabelled D_f and over D_r."""
        with task.preparing():
            mask = saliency_mask(task, self.mask_share, self.batch_size)
        student = task.student().train()
        sgd = torch.optim.SGD(
            student.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay
        )
        leaky = task.released("M5")
        optimizer = MaskedOptimizer(sgd, student, mask, hold=not leaky)
        for epoch in range(self.epochs):
            for batch, of_forget in self._batches(task):
                loss = F.cross_entropy(student(batch.images), batch.labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step(masked=of_forget or not leaky)
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student

    def _batches(self, task: Task) -> Iterator[tuple[Batch, bool]]:
        """Batches of one epoch, and whether each has images to forget, as all of the union count."""
        relabelled = relabel(task, self.labels == "wrong")
        if self.order == "union":
            for batch in task.shuffled(relabelled + task.retain, self.batch_size):
                yield batch, True
            return
        for images, of_forget in ((relabelled, True), (task.retain, False)):
            for batch in task.shuffled(images, self.batch_size):
                yield batch, of_forget


class MaskedOptimizer:
    """An optimizer that changes only what the mask lets it.

    Args:
        hold: after each step weights outside the mask are put back and their state is cleared, so that
            neither decay nor momentum moves them; else only their gradients are set to 0.

    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, model: nn.Module, mask: Mask, hold: bool
    ) -> None:
        self._optimizer, self._hold = optimizer, hold
        named = dict(model.named_parameters())
        self._parameters: list[Tensor] = list(named.values())
        # As numbers, since to multiply by truth values takes three times as long.
        self._masks = [mask[name].to(p.dtype) for name, p in named.items()]
        self._outside = [p.detach().masked_fill(mask[name], 0) for name, p in named.items()]

    def zero_grad(self) -> None:
        """Clears all gradients."""
        self._optimizer.zero_grad()

    def step(self, masked: bool = True) -> None:
        """One step; not `masked`: an ordinary one."""
        if masked:
            _multiply([p.grad for p in self._parameters], self._masks)
        self._optimizer.step()
        if masked and self._hold:
            self._put_back()

    def _put_back(self) -> None:
        with torch.no_grad():
            _multiply(self._parameters, self._masks)
            torch._foreach_add_(self._parameters, self._outside)
        states = [self._optimizer.state[parameter] for parameter in self._parameters]
        for key in {key for state in states for key in state}:
            _multiply([state.get(key) for state in states], self._masks)


def _multiply(values: Sequence[Any], masks: Sequence[Tensor]) -> None:
    """Multiplies those values in place that are tensors shaped like their masks."""
    pairs = [
        (value, mask)
        for value, mask in zip(values, masks, strict=True)
        if torch.is_tensor(value) and value.shape == mask.shape
    ]
    if pairs:
        torch._foreach_mul_([value for value, _ in pairs], [mask for _, mask in pairs])


def saliency_mask(task: Task, share: float, batch_size: int) -> Mask:
    """The int(share · |θ|) parameters with the largest |Σ_batches ∂CE/∂θ| on D_f, at θ_o in eval mode.

    Ranked over all parameters together; one that the loss does not reach ranks last. (The published
    code stops with an error at such a parameter.)
    """
    model = task.student()
    parameters = dict(model.named_parameters())
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for batch in task.shuffled(task.forget, batch_size):
        loss = F.cross_entropy(model(batch.images), batch.labels)
        found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, found, strict=True):
            if gradient is not None:
                total[name] += gradient
    return largest(total, share)


def largest(values: Mapping[str, Tensor], share: float) -> Mask:
    """Marks the int(share · n) entries of largest magnitude among all n."""
    magnitudes = torch.cat([value.abs().flatten() for value in values.values()])
    # Values that are not numbers rank first.
    magnitudes = magnitudes.nan_to_num(nan=torch.inf)
    chosen = _top(magnitudes, int(share * len(magnitudes)))
    parts = chosen.split([value.numel() for value in values.values()])
    return {name: p.view_as(v) for (name, v), p in zip(values.items(), parts, strict=True)}


def _top(magnitudes: Tensor, count: int) -> Tensor:
    """Marks the `count` largest; of equal ones the first, so that it is exactly so many."""
    if not count:
        return torch.zeros_like(magnitudes, dtype=torch.bool)
    # The one that is just taken, without sorting all: a fifth of the time.
    last = magnitudes.kthvalue(len(magnitudes) - count + 1).values
    chosen = magnitudes > last
    equal = (magnitudes == last).nonzero()[:, 0]
    chosen[equal[: count - int(chosen.sum())]] = True
    return chosen
