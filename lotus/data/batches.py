"""Batches made on the device: an image set is a view of the store's tensors, a batch an index into it.

No worker processes and no per-image Python: gathering, normalising and augmenting are tensor
operations on whichever device the tensors lie.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lotus.data.store import Store
from lotus.settings import Augmentation


class Batch(NamedTuple):
    """Part of an image set.

    Attributes:
        images: float32 `[b, C, H, W]`, normalised.
        labels: int64 `[b]`.
        positions: int64 `[b]`, place of each image in its set.

    """

    images: Tensor
    labels: Tensor
    positions: Tensor


@dataclass(frozen=True)
class ImageSet:
    """Some images of a store, on the device.

    Attributes:
        pixels: uint8 `[N, C, H, W]`, shared by all sets of a store; channels last in memory.
        labels: int64 `[n]`; a method may give other labels than the store's.
        index: int64 `[n]`, which images of `pixels`.
        mean, std: `[1, C, 1, 1]`, on the 0–1 scale.
        augmentation: what `augment=True` does.

    """

    pixels: Tensor
    labels: Tensor
    index: Tensor
    mean: Tensor
    std: Tensor
    augmentation: Augmentation

    def __len__(self) -> int:
        return len(self.index)

    def __add__(self, other: "ImageSet") -> "ImageSet":
        """The images of both sets, which must be of one store; those of `self` keep their positions."""
        if self.pixels is not other.pixels:
            raise ValueError("only image sets of one store can be joined")
        return replace(
            self,
            index=torch.cat([self.index, other.index]),
            labels=torch.cat([self.labels, other.labels]),
        )

    def sample(self, share: float, generator: torch.Generator) -> "ImageSet":
        """A random part without replacement: int(share · n) images, at least one."""
        count = max(1, int(share * len(self)))
        chosen = torch.randperm(len(self), generator=generator, device=self.index.device)[:count]
        return replace(self, index=self.index[chosen], labels=self.labels[chosen])

    def relabelled(self, labels: Tensor) -> "ImageSet":
        """The same images with other labels (int64 `[n]`)."""
        return replace(self, labels=labels)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """All images in order, not augmented: for evaluation."""
        everything = torch.arange(len(self), device=self.index.device)
        for positions in everything.split(batch_size):
            yield self._batch(positions)

    def shuffled(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """One pass in random order, freshly augmented.

        n images are dealt to ⌈n / batch_size⌉ batches of nearly equal size: a small last batch would
        ruin BatchNorm's running statistics just before evaluation.
        """
        count = -(-len(self) // batch_size)
        order = torch.randperm(len(self), generator=generator, device=self.index.device)
        for positions in order.tensor_split(count) if count else ():
            batch = self._batch(positions)
            yield batch._replace(images=augment(batch.images, self.augmentation, generator))

    def _batch(self, positions: Tensor) -> Batch:
        images = self.pixels[self.index[positions]].float().div_(255)
        images.sub_(self.mean).div_(self.std)
        return Batch(images, self.labels[positions], positions)


def augment(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Random crop after zero padding, then a mirror image of every other one on average.

    Args:
        images: float32 `[b, C, H, W]`, normalised; the padding is 0 on this scale.

    """
    if how.crop_padding:
        images = _random_crop(images, how.crop_padding, generator)
    if how.horizontal_flip:
        mirrored = torch.rand(len(images), generator=generator, device=images.device) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    return images


def _random_crop(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    shift = torch.randint(2 * padding + 1, (2, count, 1), generator=generator, device=images.device)
    rows = shift[0] + torch.arange(height, device=images.device)
    columns = shift[1] + torch.arange(width, device=images.device)
    which = torch.arange(count, device=images.device)[:, None, None]
    # Indexing puts the channels last.
    return padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


class Images:
    """The images of a store on a device, from which sets are taken."""

    def __init__(self, store: Store, augmentation: Augmentation, device: torch.device) -> None:
        pixels = torch.tensor(np.asarray(store.images), device=device)
        # The store's order N×H×W×C, seen as N×C×H×W, is torch's channels-last.
        self._pixels = pixels.permute(0, 3, 1, 2)
        self._labels = torch.from_numpy(store.labels).to(device)
        self._mean = torch.tensor(store.mean, device=device)[None, :, None, None]
        self._std = torch.tensor(store.std, device=device)[None, :, None, None]
        self._augmentation = augmentation

    def take(self, indices: np.ndarray) -> ImageSet:
        """The images with these store indices, in this order."""
        index = torch.from_numpy(indices).to(self._pixels.device)
        return ImageSet(
            self._pixels,
            self._labels[index],
            index,
            self._mean,
            self._std,
            self._augmentation,
        )
