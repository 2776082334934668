"""The one supervised loop: trains the original and the gold model."""

import copy
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional as F

from lotus.data.batches import ImageSet
from lotus.inference import mean_loss
from lotus.settings import Training

Progress = Callable[[int, int, Mapping[str, float]], None]
"""Called after each epoch: its number from 0, how many there are, what to report of it."""


def train(
    model: nn.Module,
    images: ImageSet,
    val: ImageSet,
    recipe: Training,
    generator: torch.Generator,
    progress: Progress,
    keep_last: bool = False,
) -> int:
    """Trains `model` in place by cross-entropy and leaves it in eval mode.

    With `recipe.patience`, training stops after so many epochs without a lower validation loss, and
    a copy of the weights and buffers of the best epoch is put back; with `keep_last` (switch T1: the
    published code keeps a reference to the live weights) those of the last epoch run stay.

    Returns:
        The epoch (from 0) whose weights the model has.

    """
    optimizer = make_optimizer(model, recipe)
    best_loss, best_epoch, best_state = float("inf"), recipe.epochs - 1, None
    for epoch in range(recipe.epochs):
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr * lr_factor(epoch, recipe)
        report = {"lr": optimizer.param_groups[0]["lr"]}
        report["loss"] = _train_epoch(model, images, optimizer, recipe.batch_size, generator)
        if recipe.patience is not None:
            report["val_loss"] = mean_loss(model, val)
            if report["val_loss"] < best_loss:
                best_loss, best_epoch = report["val_loss"], epoch
                best_state = copy.deepcopy(model.state_dict())
        progress(epoch, recipe.epochs, report)
        if recipe.patience is not None and epoch - best_epoch >= recipe.patience:
            break
    model.eval()
    if keep_last or best_state is None:
        return epoch
    model.load_state_dict(best_state)
    return best_epoch


def _train_epoch(
    model: nn.Module,
    images: ImageSet,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    """One pass; returns the mean loss over the images."""
    model.train()
    total = torch.zeros((), device=images.pixels.device)
    for batch in images.shuffled(batch_size, generator):
        loss = F.cross_entropy(model(batch.images), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch.labels)
    return total.item() / len(images)


def make_optimizer(model: nn.Module, recipe: Training) -> torch.optim.Optimizer:
    """The recipe's optimizer over all parameters."""
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay
        )
    return torch.optim.AdamW(model.parameters(), recipe.lr, weight_decay=recipe.weight_decay)


def lr_factor(epoch: int, recipe: Training) -> float:
    """Share of the peak rate in an epoch: linear warm-up, then linear decay to 0 in the last one.

    As released: min(1, (e+1)/w) · (1 − max(0, e+1−w)/(E−w)).
    """
    done, warmup = epoch + 1, recipe.warmup_epochs
    rise = min(1.0, done / warmup) if warmup else 1.0
    return rise * (1 - max(0, done - warmup) / (recipe.epochs - warmup))
