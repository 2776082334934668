"""Holds the pixels of a store: on the device, or, if they are too many, in the store's memory map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lotus.lazy_torch import torch

if TYPE_CHECKING:
    from torch import Tensor

COPIED_ON_PROCESSOR = 256 * 2**20
"""Bytes up to which pixels are copied out of the map on the processor: the copy is quicker to read."""

SHARE_OF_FREE = 0.5
"""Share of a GPU's free memory that pixels may take; the rest is for the model."""

COPIED_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class MappedPixels:
    """Pixels that stay in the memory map; indexed as a tensor of them would be, with the same result.

    Attributes:
        images: uint8 `[N, H, W, C]`, memory-mapped.
        rows: int64 `[n]`, which of `images` can be reached; an index counts these.
        device: where indexed images go.

    """

    images: np.ndarray
    rows: np.ndarray
    device: torch.device

    def __getitem__(self, index: Tensor) -> Tensor:
        """The images with these indices (int64 `[b]`): uint8 `[b, C, H, W]`, on the device."""
        rows = self.rows[index.cpu().numpy()]
        # In the order of the file, which is the quickest to read.
        order = np.argsort(rows)
        read = torch.empty(
            (len(rows), *self.images.shape[1:]),
            dtype=torch.uint8,
            pin_memory=self.device.type == "cuda",
        )
        # Any other mode writes to a copy first; the rows are known to exist.
        np.take(self.images, rows[order], axis=0, out=read.numpy(), mode="clip")
        back = torch.from_numpy(np.argsort(order)).to(self.device)
        return _channels_first(read.to(self.device, non_blocking=True)[back])


def place(images: np.ndarray, rows: np.ndarray, device: torch.device) -> Tensor | MappedPixels:
    """Some images of a store (uint8 `[N, H, W, C]`), on the device if there is room for them.

    Returns:
        uint8 `[n, C, H, W]`, channels last in memory.

    """
    shape = (len(rows), *images.shape[1:])
    if np.prod(shape) > room(device):
        return MappedPixels(images, rows, device)
    pixels = torch.empty(shape, dtype=torch.uint8, device=device)
    # In parts, so that the host does not hold them all a second time.
    for first in range(0, len(rows), COPIED_AT_ONCE):
        part = slice(first, first + COPIED_AT_ONCE)
        pixels[part] = torch.from_numpy(images[rows[part]])
    return _channels_first(pixels)


def place_more(
    placed: Tensor | MappedPixels,
    images: np.ndarray,
    rows: np.ndarray,
    more: np.ndarray,
    device: torch.device,
) -> Tensor | MappedPixels:
    """The pixels that `place` returned for `rows`, and after them those of `more`, read now."""
    added = place(images, more, device)
    size = (len(rows) + len(more)) * np.prod(images.shape[1:])
    if isinstance(placed, MappedPixels) or isinstance(added, MappedPixels) or size > room(device):
        return MappedPixels(images, np.concatenate([rows, more]), device)
    # In the store's order of axes, so that the result is channels last in memory, too.
    both = torch.cat([pixels.permute(0, 2, 3, 1) for pixels in (placed, added)])
    return _channels_first(both)


def room(device: torch.device) -> int:
    """Bytes that pixels may take on the device."""
    if device.type == "cuda":
        return int(SHARE_OF_FREE * torch.cuda.mem_get_info(device)[0])
    return COPIED_ON_PROCESSOR


def _channels_first(images: Tensor) -> Tensor:
    """The store's order N×H×W×C, seen as N×C×H×W, is torch's channels-last."""
    return images.permute(0, 3, 1, 2)
