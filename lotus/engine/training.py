"""The one supervised loop: trains the original and the gold model."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lotus.config.architectures import Training
from lotus.data.batches import ImageSet
from lotus.engine.checkpoint import Checkpoint
from lotus.engine.inference import mean_loss
from lotus.engine.progress import Progress
from lotus.lazy_torch import F, nn, torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class TrainingState:
    """The state of a training between two epochs: all that the next ones depend on.

    Attributes:
        done: epochs that are over.
        best_loss: lowest validation loss so far, in nats.
        best_epoch: that it was reached in, from 0; None while there is none.
        best_state: weights and buffers of that epoch.

    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    done: int = 0
    best_loss: float = float("inf")
    best_epoch: int | None = None
    best_state: dict[str, Tensor] | None = None

    def judge(self, val_loss: float) -> None:
        """Keeps a copy of the model if no earlier epoch's validation loss was as low."""
        if val_loss < self.best_loss:
            self.best_loss, self.best_epoch = val_loss, self.done
            # A state dict refers to the live weights, which the next epochs change.
            self.best_state = copy.deepcopy(self.model.state_dict())

    def is_out_of(self, patience: int | None) -> bool:
        """Whether so many epochs have brought no lower validation loss."""
        if patience is None or self.best_epoch is None:
            return False
        return self.done - 1 - self.best_epoch >= patience

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "layers": _layers_generators(self.generator.device),
            "done": self.done,
            "best": [self.best_loss, self.best_epoch, self.best_state],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes back to where `state` was taken."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["layers"][0])
        for of_gpu in state["layers"][1:]:
            torch.cuda.set_rng_state(of_gpu, self.generator.device)
        self.done = state["done"]
        self.best_loss, self.best_epoch, self.best_state = state["best"]


def _layers_generators(device: torch.device) -> list[Tensor]:
    """Returns the states of the generators that layers draw from by themselves, as dropout does."""
    of_gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *of_gpu]


def train(
    model: nn.Module,
    images: ImageSet,
    val: ImageSet,
    recipe: Training,
    generator: torch.Generator,
    progress: Progress,
    keep_last: bool = False,
    checkpoint: Checkpoint | None = None,
    fused: bool = False,
) -> int | None:
    """Trains `model` in place by cross-entropy and leaves it in eval mode.

    With `recipe.patience`, training stops after so many epochs without a lower validation loss, and
    a copy of the weights and buffers of the best epoch is put back; with `keep_last` (switch T1: the
    published code keeps a reference to the live weights) those of the last epoch run stay.

    Args:
        checkpoint: from which a killed training goes on, bit for bit as if it had not been killed.
        fused: see `make_optimizer`.

    Returns:
        The epoch (from 0) whose weights the model has; None if the recipe has none.

    """
    state = TrainingState(model, make_optimizer(model, recipe, fused), generator)
    if checkpoint is not None:
        checkpoint.resume(state)
    while state.done < recipe.epochs and not state.is_out_of(recipe.patience):
        epoch, optimizer = state.done, state.optimizer
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr * lr_factor(epoch, recipe)
        report = {"lr": optimizer.param_groups[0]["lr"]}
        report["loss"] = _train_epoch(model, images, optimizer, recipe.batch_size, generator)
        if recipe.patience is not None:
            report["val_loss"] = mean_loss(model, val)
            state.judge(report["val_loss"])
        state.done += 1
        progress(epoch, recipe.epochs, report)
        if checkpoint is not None:
            checkpoint.offer(state)
    model.eval()
    if keep_last or state.best_state is None:
        return state.done - 1 if state.done else None
    model.load_state_dict(state.best_state)
    return state.best_epoch


def _train_epoch(
    model: nn.Module,
    images: ImageSet,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    """One pass; returns the mean loss over the images."""
    model.train()
    # Summed on the device: to read each loss, the processor would wait for the GPU at every batch.
    total = torch.zeros((), device=images.pixels.device)
    for batch in images.shuffled(batch_size, generator):
        loss = F.cross_entropy(model(batch.images), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch.labels)
    return total.item() / len(images)


def make_optimizer(
    model: nn.Module, recipe: Training, fused: bool = False
) -> torch.optim.Optimizer:
    """The recipe's optimizer over all parameters.

    Args:
        fused: all of a step in one kernel, with other last bits; else as torch chooses.

    """
    # Left to torch unless it is asked for: `False` would also keep it from stepping tensors together.
    how: dict[str, Any] = {"fused": True} if fused else {}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay, **how
        )
    return torch.optim.AdamW(model.parameters(), recipe.lr, weight_decay=recipe.weight_decay, **how)


def lr_factor(epoch: int, recipe: Training) -> float:
    """Share of the peak rate in an epoch: linear warm-up, then as the schedule says.

    With e from 0, w epochs of warm-up and E in all: min(1, (e+1)/w), and for the linear schedule, which
    falls to 0 in the last epoch, that times 1 − max(0, e+1−w)/(E−w). As released.
    """
    done, warmup = epoch + 1, recipe.warmup_epochs
    rise = min(1.0, done / warmup) if warmup else 1.0
    if recipe.schedule == "constant":
        return rise
    return rise * (1 - max(0, done - warmup) / (recipe.epochs - warmup))
