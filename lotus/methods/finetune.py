"""Finetuning: train on, without the forget set."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import NonNegativeInt, PositiveInt

from lotus.config.fields import NonNegativeReal, PositiveReal
from lotus.lazy_torch import F, nn, torch
from lotus.methods.base import Task, register


@register("finetune", alone=("retain",))
@dataclass(frozen=True)
class Finetune:
    """Continues training on the retain set; forgetting is left to catastrophic forgetting.

    Loss: L = CE(D_r).
    Reads: all retain images; never the forget set.
    Source: no single paper; SGD 1e-3, momentum .9, weight decay 5e-4, 10 epochs as in the LoTUS
        experiments.
    Not for: guarantees: nothing pushes the forget set out.
    """

    epochs: NonNegativeInt = 10
    lr: PositiveReal = 1e-3
    momentum: NonNegativeReal = 0.9
    weight_decay: NonNegativeReal = 5e-4
    batch_size: PositiveInt = 128

    def unlearn(self, task: Task) -> nn.Module:
        """Plain supervised epochs over D_r."""
        student = task.student().train()
        optimizer = torch.optim.SGD(
            student.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay
        )
        for epoch in range(self.epochs):
            for batch in task.shuffled(task.retain, self.batch_size):
                loss = F.cross_entropy(student(batch.images), batch.labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student
