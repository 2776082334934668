"""Batches made on the device: an image set is a view of the store's tensors, a batch an index into it.

No worker processes and no per-image Python: gathering, augmenting and normalising are tensor
operations on whichever device the tensors lie.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lotus.config.images import Augmentation, Dataset
from lotus.data.augment import augment
from lotus.data.pixels import MappedPixels, place, place_more
from lotus.data.store import Store
from lotus.errors import LotusError
from lotus.lazy_torch import F, torch

if TYPE_CHECKING:
    from torch import Tensor

FROZEN_AT_ONCE = 512


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
class View:
    """The part of each image that models see.

    Attributes:
        resize: length of the shorter side after resizing; None: as stored.
        crop: side of the square cut from the middle; None: all.
        reduced_first: resize to crop × crop before everything else (switch R2).

    """

    resize: int | None = None
    crop: int | None = None
    reduced_first: bool = False

    def __call__(self, images: Tensor) -> Tensor:
        """Maps float32 `[b, C, H, W]` to `[b, C, h, w]`; bilinear with antialiasing."""
        if self.reduced_first and self.crop is not None:
            images = _resized(images, (self.crop, self.crop))
        if self.resize is not None:
            height, width = images.shape[2:]
            images = _resized(images, _resized_shape(height, width, self.resize))
        if self.crop is not None:
            top = round((images.shape[2] - self.crop) / 2)
            left = round((images.shape[3] - self.crop) / 2)
            images = images[:, :, top : top + self.crop, left : left + self.crop]
        return images

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what is seen of an image of this size.

        Raises:
            LotusError: the crop is larger than the image.

        """
        if self.resize is not None:
            height, width = _resized_shape(height, width, self.resize)
        if self.crop is not None and self.crop > min(height, width):
            raise LotusError(
                f"crop = {self.crop} is larger than the images ({height}×{width}); choose a smaller "
                "crop, or a `resize` to at least that"
            )
        return (height, width) if self.crop is None else (self.crop, self.crop)


def _resized_shape(height: int, width: int, shorter: int) -> tuple[int, int]:
    """Returns height and width once the shorter side is `shorter`."""
    # In whole numbers: the shorter side times a rounded ratio can fall short of `shorter`.
    return height * shorter // min(height, width), width * shorter // min(height, width)


def _resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(images, size, mode="bilinear", antialias=True)


@dataclass(frozen=True)
class ImageSet:
    """Some images of a store, on the device.

    Attributes:
        pixels: uint8 `[N, C, H, W]`, channels last in memory; shared by all sets of a store, and in its
            memory map if the device lacks room for them. Of a frozen set float32, normalised; its mean
            and std undo the scale of bytes.
        labels: int64 `[n]`; a method may give other labels than the store's.
        index: int64 `[n]`, which images of `pixels`.
        mean, std: `[1, C, 1, 1]`, on the 0–1 scale.
        augmentation: the random changes of a drawn batch.
        view: what is seen of each image, before augmentation.

    """

    pixels: Tensor | MappedPixels
    labels: Tensor
    index: Tensor
    mean: Tensor
    std: Tensor
    augmentation: Augmentation
    view: View = View()

    def __len__(self) -> int:
        return len(self.index)

    def __add__(self, other: ImageSet) -> ImageSet:
        """The images of both sets, which must be of one store; those of `self` keep their positions."""
        if self.pixels is not other.pixels:
            raise ValueError("image sets can be joined only if they are of one store")
        return replace(
            self,
            index=torch.cat([self.index, other.index]),
            labels=torch.cat([self.labels, other.labels]),
        )

    def sample(self, share: float, generator: torch.Generator) -> ImageSet:
        """A random part without replacement: int(share · n) images, at least one."""
        count = max(1, int(share * len(self)))
        chosen = torch.randperm(len(self), generator=generator, device=self.index.device)[:count]
        return replace(self, index=self.index[chosen], labels=self.labels[chosen])

    def relabelled(self, labels: Tensor) -> ImageSet:
        """The same images with other labels (int64 `[n]`)."""
        return replace(self, labels=labels)

    def of_each_class(self, count: int) -> ImageSet:
        """The first `count` images of each label, in the order of the set."""
        rank = torch.zeros_like(self.labels)
        for label in self.labels.unique():
            here = self.labels == label
            rank[here] = torch.arange(int(here.sum()), device=rank.device)
        return self.part(rank < count)

    def part(self, which: Tensor) -> ImageSet:
        """The images at these positions (int64) or where this is true (bool `[n]`)."""
        return replace(self, index=self.index[which], labels=self.labels[which])

    def frozen(self, generator: torch.Generator) -> ImageSet:
        """The same images with one augmentation drawn for good; takes memory of its own."""
        images = torch.cat([batch.images for batch in self.in_order(FROZEN_AT_ONCE, generator)])
        return ImageSet(
            images,
            self.labels,
            torch.arange(len(self), device=self.index.device),
            torch.zeros_like(self.mean),
            torch.full_like(self.std, 1 / 255),
            Augmentation(),
        )

    @property
    def valid_range(self) -> tuple[Tensor, Tensor]:
        """Values of a black and a white pixel after normalisation, each `[1, C, 1, 1]`."""
        return -self.mean / self.std, (1 - self.mean) / self.std

    def in_order(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> Iterator[Batch]:
        """All images in order; augmented if there is a generator to draw from."""
        everything = torch.arange(len(self), device=self.index.device)
        for positions in everything.split(batch_size):
            yield self.draw(positions, generator)

    def shuffled(
        self, batch_size: int, generator: torch.Generator, keep_partial: bool = False
    ) -> Iterator[Batch]:
        """One pass in random order, freshly augmented; `keep_partial` as in `deal`."""
        for positions in deal(len(self), batch_size, generator, keep_partial):
            yield self.draw(positions, generator)

    def draw(self, positions: Tensor, generator: torch.Generator | None) -> Batch:
        """The images at these positions (int64 `[b]`); augmented if there is a generator.

        Normalised last: black borders and the limits of colour are those of the 0–1 scale.
        """
        images = self.view(self.pixels[self.index[positions]].float().div_(255))
        if generator is not None:
            images = augment(images, self.augmentation, generator)
        return Batch(images.sub_(self.mean).div_(self.std), self.labels[positions], positions)


def deal(
    count: int, batch_size: int, generator: torch.Generator, keep_partial: bool
) -> Sequence[Tensor]:
    """Positions 0 … count−1 in random order, in batches.

    They are dealt to ⌈count / batch_size⌉ batches of nearly equal size: a small last batch would ruin
    BatchNorm's running statistics just before evaluation. With `keep_partial` (switch T2) all batches
    but the last have the full size.
    """
    order = torch.randperm(count, generator=generator, device=generator.device)
    if not count:
        return ()
    parts: Sequence[Tensor] = (
        order.split(batch_size) if keep_partial else order.tensor_split(-(-count // batch_size))
    )
    return parts


class Images:
    """Images of a store, on a device or on their way to it, from which sets are taken.

    Args:
        use: how the data set is used: what is seen of an image, and how it is augmented.
        only: store indices of the images that can be taken; no set of them can reach any other image.
        reduced_first: as `View.reduced_first`.

    """

    def __init__(
        self,
        store: Store,
        use: Dataset,
        device: torch.device,
        only: np.ndarray | None = None,
        reduced_first: bool = False,
    ) -> None:
        self._rows = np.arange(len(store.labels)) if only is None else np.unique(only)
        self._pixels = place(store.images, self._rows, device)
        self._labels = torch.from_numpy(store.labels[self._rows]).to(device)
        self._mean = torch.tensor(store.mean, device=device)[None, :, None, None]
        self._std = torch.tensor(store.std, device=device)[None, :, None, None]
        self._augmentation = use.augmentation
        self._view = View(use.resize, use.crop, reduced_first)

    def and_all_others(self, store: Store) -> Images:
        """The images of the whole store, of which those that are here are not read again."""
        others = np.setdiff1d(np.arange(len(store.labels)), self._rows)
        device = self._labels.device
        whole = copy.copy(self)
        whole._pixels = place_more(self._pixels, store.images, self._rows, others, device)
        whole._labels = torch.cat([self._labels, torch.from_numpy(store.labels[others]).to(device)])
        whole._rows = np.concatenate([self._rows, others])
        return whole

    def take(self, indices: np.ndarray) -> ImageSet:
        """The images with these store indices, in this order.

        Raises:
            LotusError: one of them was not loaded.

        """
        if not np.isin(indices, self._rows).all():
            raise LotusError("some of the requested images were not loaded")
        order = np.argsort(self._rows)
        places = order[np.searchsorted(self._rows, indices, sorter=order)]
        index = torch.from_numpy(places).to(self._labels.device)
        return ImageSet(
            self._pixels,
            self._labels[index],
            index,
            self._mean,
            self._std,
            self._augmentation,
            self._view,
        )
