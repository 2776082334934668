"""Asks a model in batches: for logits, and for the share of images that it gets right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lotus.data.batches import ImageSet
from lotus.engine.frozen import Answer, frozen
from lotus.errors import LotusError
from lotus.lazy_torch import F, nn, torch

if TYPE_CHECKING:
    from torch import Tensor

DRAWN_AT_ONCE = 512
"""Images that are gathered, and augmented, at once: another number would draw other augmentations."""

CACHED = 2**22
"""Numbers of a layer's output that a processor's cache holds with room for the next layer's (16 MiB)."""

MANY = 2**29
"""Numbers of a layer's outputs for all images, from which on a network is frozen: of 8,192 images in the
paper's ResNet18 at 32×32."""

FEW = 16
"""Images that are enough to try a frozen network."""


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode without gradients; the mode of each module is put back afterwards."""
    # One by one: a method may leave some modules in train mode and others not.
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        for module, was_training in modes:
            module.training = was_training


def logits(
    model: nn.Module, images: ImageSet, augmented: torch.Generator | None = None
) -> np.ndarray:
    """Logits float32 `[n, classes]` in order, on the images as they are or `augmented` once."""
    return outputs(model, images, augmented).float().cpu().numpy()


def logits_in_train_mode(
    model: nn.Module, images: ImageSet, augmented: torch.Generator | None = None
) -> np.ndarray:
    """As `logits`, in train mode: BatchNorm normalises by the images that are asked together.

    Its running statistics, which change thereby, are put back.
    """
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    with evaluation_mode(model):
        model.train()
        found = [
            model(batch.images).float().cpu().numpy()
            for batch in images.in_order(DRAWN_AT_ONCE, augmented)
        ]
    model.load_state_dict(kept)
    return np.concatenate(found)


def outputs(model: nn.Module, images: ImageSet, augmented: torch.Generator | None = None) -> Tensor:
    """As `logits`, a tensor on the images' device."""
    with evaluation_mode(model):
        ask = _prepared(model, images)
        return torch.cat([said for said, _ in _answers(model, images, augmented, ask)])


def _prepared(model: nn.Module, images: ImageSet) -> Answer:
    """The network, or what answers like it where there are so many images that it pays to make that."""
    if images.pixels.device.type != "cpu" or len(images) < FEW:
        return model
    some = images.draw(torch.arange(FEW), None).images
    return frozen(model, some) if len(images) * _size_of_map(model, some) >= MANY else model


def accuracy(
    model: nn.Module, images: ImageSet, augmented: torch.Generator | None = None
) -> Fraction:
    """Exact share of images classified as their label, as they are or `augmented` once."""
    with evaluation_mode(model):
        right = [
            (said.argmax(1) == labels).sum() for said, labels in _answers(model, images, augmented)
        ]
    # Added up on the device: to read each count, the processor would wait for the GPU at every batch.
    # LoTUS holds the gap of two accuracies against a tolerance; a rounded quotient could miss equality.
    return Fraction(int(torch.stack(right).sum()), len(images))


def mean_loss(model: nn.Module, images: ImageSet) -> float:
    """Mean cross-entropy in nats, not augmented."""
    with evaluation_mode(model):
        losses = [
            F.cross_entropy(said, labels, reduction="sum")
            for said, labels in _answers(model, images)
        ]
    # Read at once, after the device has done them all; added up in double precision.
    return float(sum(torch.stack(losses).tolist())) / len(images)


def _answers(
    model: nn.Module,
    images: ImageSet,
    augmented: torch.Generator | None = None,
    ask: Answer | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields a model's logits `[b, classes]` and the labels `[b]` of all images, in order.

    Args:
        ask: what answers in the model's place; None: the model.

    """
    ask, at_once = ask or model, 0
    for batch in images.in_order(DRAWN_AT_ONCE, augmented):
        at_once = at_once or _asked_at_once(model, batch.images)
        for part, labels in zip(
            batch.images.split(at_once), batch.labels.split(at_once), strict=True
        ):
            yield ask(part), labels


def _asked_at_once(model: nn.Module, images: Tensor) -> int:
    """Returns how many images a network is asked together: on a processor, as many as its cache holds.

    On real images and the paper's ResNet18 64 at once are 1.3 times as fast as 512 (`make bench`).
    """
    size = _size_of_map(model, images)
    if images.device.type != "cpu" or not size:
        return len(images)
    # A power of two from 16 on: then rows of matrices fall to the same lanes, and bits stay the same.
    return int(2 ** max(4, (CACHED // size).bit_length() - 1))


def _size_of_map(model: nn.Module, images: Tensor) -> int:
    """Returns the numbers in the first convolution's output for an image; 0 without convolutions.

    In image classifiers it is about the largest output.
    """
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None:
        return 0
    height, width = (
        side // step for side, step in zip(images.shape[2:], first.stride, strict=True)
    )
    return max(1, first.out_channels * height * width)


def logits_one_by_one(
    model: nn.Module, images: ImageSet, augmented: torch.Generator | None = None
) -> np.ndarray:
    """Logits float32 `[n, classes]` as of batches of one image, in the mode that `model` is in (E1).

    In train mode BatchNorm then normalises each image by its own statistics and takes them over into its
    running statistics, image after image: **this changes the model**. Done here for many images at
    once: they do not see each other, and the running average over them has a closed form.

    Raises:
        LotusError: a BatchNorm layer sees one value per channel, which has no variance: PyTorch cannot
            do this either.

    """
    with torch.no_grad(), _alone(model):
        said = torch.cat([said for said, _ in _answers(model, images, augmented)])
    return said.float().cpu().numpy()


@contextmanager
def _alone(model: nn.Module) -> Iterator[None]:
    """BatchNorm layers in train mode treat each image of a batch as a batch of its own."""
    layers = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    layers = [layer for layer in layers if layer.training]
    try:
        for layer in layers:
            layer.forward = partial(_normalise_alone, layer)  # type: ignore[method-assign]
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


def _normalise_alone(layer: nn.modules.batchnorm._BatchNorm, x: Tensor) -> Tensor:
    # Channels last, as convolutions leave them: [b, H·W, C].
    values = x.movedim(1, -1).flatten(1, -2) if x.dim() > 2 else x[:, None]
    if values.shape[1] < 2:
        raise LotusError(
            "switch E1 evaluates image by image in train mode, but a BatchNorm layer of this network "
            "has one value per channel then, and no variance; use a protocol without E1 "
            "(released-e1), larger images or no max-pool"
        )
    if layer.momentum is None or layer.running_mean is None or layer.running_var is None:
        raise LotusError("switch E1: BatchNorm needs a momentum and running statistics")
    mean = values.mean(1)
    variance = (values - mean[:, None]).square().mean(1)
    count, keep = len(x), 1 - layer.momentum
    # BatchNorm would set running ← keep · running + momentum · found, image after image. Unrolled, the
    # last image weighs momentum, each earlier one `keep` times the one after it.
    age = torch.arange(count - 1, -1, -1, device=x.device, dtype=torch.float64)
    weight = (layer.momentum * keep**age).to(x.dtype)
    # It normalises by the biased variance, and keeps the unbiased one.
    unbiased = variance * (values.shape[1] / (values.shape[1] - 1))
    for running, found in ((layer.running_mean, mean), (layer.running_var, unbiased)):
        running.mul_(keep**count).add_(weight @ found)
    if layer.num_batches_tracked is not None:
        layer.num_batches_tracked += count
    scale = (variance + layer.eps).rsqrt()
    shift = -mean * scale
    if layer.affine:
        scale, shift = scale * layer.weight, shift * layer.weight + layer.bias
    spatial = (..., *[None] * (x.dim() - 2))
    return torch.addcmul(shift[spatial], x, scale[spatial])
