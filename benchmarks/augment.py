"""Images per second: augmented batches of the device beside torchvision, image by image.

Both apply the same drawn parameters, and what they make is compared first. Rounds are paired: each
times both, one after the other, in alternating order.

    python benchmarks/augment.py [--device cuda] [--batch-size 256] [--batches 4] [--rounds 7]
"""

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from lotus.config.images import Affine, Augmentation, ColourJitter
from lotus.data import augment
from lotus.data.batches import ImageSet
from lotus.engine.device import prepare

CASES = {
    "CIFAR, 32×32": (32, Augmentation(crop_padding=4, horizontal_flip=True)),
    "MUFAC, 128×128": (
        128,
        Augmentation(
            horizontal_flip=True,
            affine=Affine(shear=10, scale=(0.8, 1.2)),
            colour_jitter=ColourJitter(brightness=0.2, contrast=0.2, saturation=0.2),
        ),
    ),
}
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
ADJUST = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation)

Draw = Callable[[ImageSet, Tensor, torch.Generator], Tensor]


def random_images(count: int, side: int, how: Augmentation, device: torch.device) -> ImageSet:
    pixels = torch.randint(256, (count, side, side, 3), dtype=torch.uint8, device=device)
    mean, std = (torch.tensor(v, device=device)[None, :, None, None] for v in (MEAN, STD))
    everything = torch.arange(count, device=device)
    return ImageSet(pixels.permute(0, 3, 1, 2), everything, everything, mean, std, how)


def on_the_device(images: ImageSet, positions: Tensor, generator: torch.Generator) -> Tensor:
    return images.draw(positions, generator).images


def image_by_image(images: ImageSet, positions: Tensor, generator: torch.Generator) -> Tensor:
    how, count = images.augmentation, len(positions)
    batch = list(images.pixels[images.index[positions]].cpu())
    batch = [image.float().div(255) for image in batch]
    if how.crop_padding:
        corners = augment.draw_shift(count, how.crop_padding, generator).T.tolist()
        side = batch[0].shape[1:]
        padded = [tv.pad(image, how.crop_padding) for image in batch]
        batch = [tv.crop(x, *corner, *side) for x, corner in zip(padded, corners, strict=True)]
    if how.horizontal_flip:
        mirrored = augment.draw_mirrored(count, generator).tolist()
        batch = [tv.hflip(x) if turned else x for x, turned in zip(batch, mirrored, strict=True)]
    if how.affine.is_random:
        drawn = (values.tolist() for values in augment.draw_affine(count, how.affine, generator))
        nearest = InterpolationMode.NEAREST
        batch = [
            tv.affine(x, 0, [0, 0], scale, [shear, 0], nearest, 0)
            for x, shear, scale in zip(batch, *drawn, strict=True)
        ]
    if how.colour_jitter.is_random:
        drawn = augment.draw_jitter(count, how.colour_jitter, generator)
        factors, order = (values.tolist() for values in drawn)
        for place in range(3):
            batch = [
                ADJUST[o[place]](x, f[o[place]])
                for x, f, o in zip(batch, factors, order, strict=True)
            ]
    batch = [tv.normalize(image, MEAN, STD) for image in batch]
    return torch.stack(batch).to(positions.device)


def rate(draw: Draw, images: ImageSet, batches: int, generator: torch.Generator) -> float:
    """Images per second."""
    device = images.labels.device
    synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    synchronize()
    start = perf_counter()
    for _ in range(batches):
        draw(images, torch.randperm(len(images), device=device), generator)
    synchronize()
    return batches * len(images) / (perf_counter() - start)


def share_that_differs(images: ImageSet, device: torch.device) -> float:
    ours, theirs = (
        draw(images, images.index, torch.Generator(device).manual_seed(0))
        for draw in (on_the_device, image_by_image)
    )
    return ((ours - theirs).abs() > 1e-4).any(1).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--batches", type=int, default=4, help="in each half of a round")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    device = prepare(chosen.device, chosen.threads)
    print(device.hardware)
    for name, (side, how) in CASES.items():
        images = random_images(chosen.batch_size, side, how, device.torch)
        print(f"{name}: {share_that_differs(images, device.torch):.1e} of the pixels differ")
        generator = torch.Generator(device.torch).manual_seed(1)
        ways: list[Draw] = [on_the_device, image_by_image]
        rates: dict[Draw, list[float]] = {way: [] for way in ways}
        for _ in range(chosen.rounds):
            for way in ways:
                rates[way].append(rate(way, images, chosen.batches, generator))
            ways.reverse()
        for way, found in rates.items():
            print(f"  {way.__name__:<15} {median(found):12.0f} images/s")
        ratios = [ours / theirs for ours, theirs in zip(*rates.values(), strict=True)]
        print(f"  ratio {median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
