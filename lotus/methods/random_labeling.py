"""Random Labeling: teach wrong labels for the forget set, together with the retain set."""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from lotus.methods.base import Task, register
from lotus.settings import NonNegativeReal, PositiveReal


@register("random-labeling")
@dataclass(frozen=True)
class RandomLabeling:
    """Overwrites what is known of the forget images with random labels.

    L = CE on the shuffled union of D_r and D_f, each forget image with a label drawn once: uniform
    over the C−1 wrong ones (`wrong`), or over all C (`any`, as SalUn). Reads all forget and retain
    images. Source: Graves, Nagisetty, Ganesh, Amnesiac Machine Learning, 2021; Adam 1e-4, 3 epochs as
    in the suite of Selective Synaptic Dampening.
    """

    labels: Literal["wrong", "any"] = "wrong"
    epochs: NonNegativeInt = 3
    lr: PositiveReal = 1e-4
    weight_decay: NonNegativeReal = 0.0
    batch_size: PositiveInt = 128

    def unlearn(self, task: Task) -> nn.Module:
        """Supervised epochs over relabelled D_f ∪ D_r."""
        student = task.student().train()
        optimizer = torch.optim.Adam(student.parameters(), self.lr, weight_decay=self.weight_decay)
        drawn = random_labels(
            task.forget.labels, task.num_classes, self.labels == "wrong", task.generator
        )
        union = task.forget.relabelled(drawn) + task.retain
        for epoch in range(self.epochs):
            for batch in union.shuffled(self.batch_size, task.generator):
                loss = F.cross_entropy(student(batch.images), batch.labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            task.progress(epoch, self.epochs, {"loss": loss.item()})
        return student.eval()


def random_labels(
    labels: Tensor, num_classes: int, wrong_only: bool, generator: torch.Generator
) -> Tensor:
    """Uniform labels, int64 `[n]`; with `wrong_only` uniform over the C−1 others."""
    shape, device = labels.shape, labels.device
    if not wrong_only:
        return torch.randint(num_classes, shape, generator=generator, device=device)
    offset = torch.randint(1, num_classes, shape, generator=generator, device=device)
    return (labels + offset) % num_classes
