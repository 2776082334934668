"""What a model says, in batches: logits, and how many images it gets right."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lotus.data.batches import ImageSet

BATCH = 512


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode without gradients; its mode is put back afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        model.train(was_training)


def logits(model: nn.Module, images: ImageSet) -> np.ndarray:
    """Logits float32 `[n, classes]` on the images as they are, in order."""
    with evaluation_mode(model):
        rows = [model(batch.images).float().cpu() for batch in images.in_order(BATCH)]
    return torch.cat(rows).numpy()


def accuracy(model: nn.Module, images: ImageSet) -> Fraction:
    """Exact share of images classified as their label, not augmented."""
    with evaluation_mode(model):
        right = [
            int((model(batch.images).argmax(1) == batch.labels).sum())
            for batch in images.in_order(BATCH)
        ]
    return Fraction(sum(right), len(images))


def mean_loss(model: nn.Module, images: ImageSet) -> float:
    """Mean cross-entropy in nats, not augmented."""
    with evaluation_mode(model):
        losses = [
            F.cross_entropy(model(batch.images), batch.labels, reduction="sum").item()
            for batch in images.in_order(BATCH)
        ]
    return sum(losses) / len(images)
