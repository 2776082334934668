"""Random changes of a batch of images: drawn for each image, applied to all at once on the device.

Each change comes as two functions: one draws its parameters, one value per image, from a generator;
the other applies given parameters and is the same function of an image as torchvision's transform of
float images. Images are float32 `[b, C, H, W]` on the 0–1 scale, where black is 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lotus.config.images import Affine, Augmentation, ColourJitter
from lotus.lazy_torch import torch

if TYPE_CHECKING:
    from torch import Tensor

LUMA = (0.2989, 0.587, 0.114)
"""Shares of red, green and blue in the grey of a colour image (ITU-R BT.601)."""


def augment(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Crop, then mirror image, then affine map, then colour jitter: those that are asked for."""
    count = len(images)
    if how.crop_padding:
        shift = draw_shift(count, how.crop_padding, generator)
        images = crop(images, shift - how.crop_padding, edge=how.padding_mode == "edge")
    if how.horizontal_flip:
        images = mirror(images, draw_mirrored(count, generator))
    if how.affine.is_random:
        images = affine(images, *draw_affine(count, how.affine, generator))
    if how.colour_jitter.is_random:
        images = jitter(images, *draw_jitter(count, how.colour_jitter, generator))
    return images


def draw_shift(count: int, padding: int, generator: torch.Generator) -> Tensor:
    """Row and column of each crop in the padded image: int64 `[2, b]`, uniform in 0…2·padding."""
    return torch.randint(2 * padding + 1, (2, count), generator=generator, device=generator.device)


def draw_mirrored(count: int, generator: torch.Generator) -> Tensor:
    """Draws which images are mirrored: bool `[b]`, half of them on average."""
    return _uniform(count, 0, 1, generator) < 0.5


def draw_affine(count: int, how: Affine, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Shear in degrees and scale of each image: float32 `[b]`, uniform in ±shear and in `scale`."""
    shear = _uniform(count, -how.shear, how.shear, generator)
    low, high = how.scale
    return shear, _uniform(count, low, high, generator)


def draw_jitter(count: int, how: ColourJitter, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Factors and order of the three changes of colour.

    Returns:
        factors: float32 `[b, 3]`, of brightness, contrast and saturation, each uniform in
            [max(0, 1 − v), 1 + v].
        order: int64 `[b, 3]`, which of the three comes first, second and third; all six orders alike.

    """
    factors = [
        _uniform(count, max(0.0, 1 - v), 1 + v, generator)
        for v in (how.brightness, how.contrast, how.saturation)
    ]
    order = torch.rand(count, 3, generator=generator, device=generator.device).argsort(1)
    return torch.stack(factors, 1), order


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    drawn = torch.rand(count, generator=generator, device=generator.device)
    return low + (high - low) * drawn


def crop(images: Tensor, corner: Tensor, edge: bool) -> Tensor:
    """Windows of the images' own size.

    Args:
        corner: int64 `[2, b]`, row and column in the image of the window's upper left pixel; may be
            negative.
        edge: what lies outside repeats the nearest pixel of the image, instead of being black.

    """
    height, width = images.shape[2:]
    rows = corner[0, :, None, None] + torch.arange(height, device=images.device)[:, None]
    columns = corner[1, :, None, None] + torch.arange(width, device=images.device)
    if edge:
        rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    return _pixels_at(images, rows, columns)


def mirror(images: Tensor, mirrored: Tensor) -> Tensor:
    """Left and right exchanged where `mirrored` (bool `[b]`) is true."""
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def affine(images: Tensor, shear: Tensor, scale: Tensor) -> Tensor:
    """Sheared along the rows and scaled about the middle of the image; nearest pixel, black outside.

    Args:
        shear: float32 `[b]`, angle in degrees.
        scale: float32 `[b]`, above 1 enlarges.

    """
    height, width = images.shape[2:]
    y, x = (torch.arange(n, device=images.device) + (0.5 - n / 2) for n in (height, width))
    slope = torch.tan(shear * (math.pi / 180))[:, None, None]
    scale = scale[:, None, None]
    y = y[:, None] / scale
    rows = (y + height / 2).floor().long()
    columns = (x / scale + slope * y + width / 2).floor().long()
    return _pixels_at(images, rows, columns)


def jitter(images: Tensor, factors: Tensor, order: Tensor) -> Tensor:
    """Brightness, contrast and saturation changed one after the other; cut to 0…1 after each.

    Each moves a pixel away from (factor > 1) or towards (factor < 1) another value: black, the mean
    grey of the image, the pixel's own grey. Saturation leaves grey images as they are.

    Args:
        factors: float32 `[b, 3]`, of brightness, contrast and saturation.
        order: int64 `[b, 3]`, which of them comes first, second and third.

    """
    # Whole channels are quicker to blend with one grey than pixels are.
    images = images.contiguous()
    for which in order.unbind(1):
        factor = factors.gather(1, which[:, None])[:, :, None, None]
        which = which[:, None, None, None]
        grey = _grey(images)
        other = torch.where(which == 2, grey, grey.mean((2, 3), keepdim=True) * (which == 1))
        images = torch.lerp(other, images, factor).clamp_(0, 1)
    return images.contiguous(memory_format=torch.channels_last)


def _grey(images: Tensor) -> Tensor:
    """`[b, 1, H, W]`; of other than three channels their mean."""
    if images.shape[1] != len(LUMA):
        return images.mean(1, keepdim=True)
    return LUMA[0] * images[:, :1] + LUMA[1] * images[:, 1:2] + LUMA[2] * images[:, 2:]


def _pixels_at(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The pixels with these rows and columns (int64, broadcast to `[b, H, W]`); black outside."""
    count, channels, height, width = images.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    first = torch.arange(count, device=images.device)[:, None, None] * (height * width)
    place = first + rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
    # Channels last, a pixel is one row.
    pixels = images.permute(0, 2, 3, 1).reshape(-1, channels).index_select(0, place.flatten())
    found = pixels.view(count, height, width, channels).mul_(inside[..., None])
    return found.permute(0, 3, 1, 2)
