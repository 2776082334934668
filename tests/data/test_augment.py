"""Random changes of images: each against torchvision's, image by image, and what is drawn."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode, Normalize
from torchvision.transforms import functional as tv

from lotus.config.images import Affine, Augmentation, ColourJitter
from lotus.data import augment as changes
from lotus.data.augment import augment

ORDERS = list(permutations(range(3)))
ADJUST = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation)
# Share of pixels so near the border between two that rounding decides which is nearest. Measured: 5e-6
# of torchvision's tensors, 6e-4 of Pillow's images, which are mapped in fixed-point numbers.
BORDERLINE, BORDERLINE_PILLOW = 5e-5, 2e-3
MUFAC = {
    "horizontal_flip": True,
    "affine": {"shear": 10, "scale": [0.8, 1.2]},
    "colour_jitter": {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
}


@pytest.fixture
def pictures(seeded):
    return lambda *shape: torch.rand(shape, generator=seeded(5))


def tv_crop(image, corner, padding, mode):
    padded = tv.pad(image, padding, padding_mode=mode)
    top, left = (int(place) + padding for place in corner)
    return tv.crop(padded, top, left, *image.shape[1:])


def tv_affine(image, shear, scale):
    return tv.affine(
        image, 0, [0, 0], float(scale), [float(shear), 0], InterpolationMode.NEAREST, 0
    )


def tv_jitter(image, factors, order):
    for which in order.tolist():
        image = ADJUST[which](image, float(factors[which]))
    return image


# Applied


@pytest.mark.parametrize(("mode", "theirs"), [("zero", "constant"), ("edge", "edge")])
@pytest.mark.parametrize("padding", [1, 3, 8])
def test_crops_are_torchvisions(pictures, padding, mode, theirs):
    images = pictures(40, 3, 7, 9)
    corner = torch.randint(-padding, padding + 1, (2, 40))
    found = changes.crop(images, corner, edge=mode == "edge")
    for image, place, cropped in zip(images, corner.T, found, strict=True):
        assert torch.equal(cropped, tv_crop(image, place, padding, theirs))


def test_mirror_images_are_torchvisions(pictures):
    images, mirrored = pictures(6, 3, 4, 5), torch.tensor([True, False] * 3)
    for image, turned, found in zip(
        images, mirrored, changes.mirror(images, mirrored), strict=True
    ):
        assert torch.equal(found, tv.hflip(image) if turned else image)


@pytest.mark.parametrize("size", [(32, 32), (33, 20), (128, 128)])
def test_affine_maps_are_torchvisions(pictures, seeded, size):
    # No pixel is black: where the image ends can be told.
    images = pictures(24, 3, *size) + 0.1
    shear, scale = changes.draw_affine(24, Affine(shear=40, scale=(0.5, 2)), seeded())
    found = changes.affine(images, shear, scale)
    expected = torch.stack([tv_affine(*each) for each in zip(images, shear, scale, strict=True)])
    assert (found != expected).any(1).float().mean() < BORDERLINE
    assert (expected == 0).any()
    assert (expected != images).any(1).float().mean() > 0.5


def test_affine_maps_are_pillows(pictures, seeded):
    images = (pictures(24, 3, 128, 128) * 254 + 1).byte()
    shear, scale = changes.draw_affine(24, Affine(shear=10, scale=(0.8, 1.2)), seeded())
    found = changes.affine(images.float(), shear, scale)
    expected = torch.stack(
        [
            tv.pil_to_tensor(tv_affine(tv.to_pil_image(image), lean, factor))
            for image, lean, factor in zip(images, shear, scale, strict=True)
        ]
    )
    assert (found != expected).any(1).float().mean() < BORDERLINE_PILLOW


def test_affine_maps_that_change_nothing(pictures):
    for size in ((4, 4), (5, 6)):
        images = pictures(3, 2, *size)
        assert torch.equal(changes.affine(images, torch.zeros(3), torch.ones(3)), images)


def test_scale_above_one_enlarges(pictures):
    images = pictures(1, 1, 4, 4)
    doubled = changes.affine(images, torch.zeros(1), torch.tensor([2.0]))
    middle = images[..., 1:3, 1:3]
    assert torch.equal(doubled, middle.repeat_interleave(2, 2).repeat_interleave(2, 3))
    halved = changes.affine(images, torch.zeros(1), torch.tensor([0.5]))
    assert torch.equal(halved != 0, F.pad(torch.ones(1, 1, 2, 2, dtype=torch.bool), (1,) * 4))


@pytest.mark.parametrize("channels", [1, 3])
def test_jitter_is_torchvisions_in_every_order(pictures, seeded, channels):
    images = pictures(60, channels, 5, 6)
    how = ColourJitter(brightness=0.9, contrast=1.5, saturation=0.7)
    factors, _ = changes.draw_jitter(60, how, seeded())
    order = torch.tensor(ORDERS * 10)
    found = changes.jitter(images, factors, order)
    expected = torch.stack([tv_jitter(*each) for each in zip(images, factors, order, strict=True)])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    # Limits were met, and the order mattered.
    assert (expected == 1).any()
    assert (found - changes.jitter(images, factors, order.roll(1, 0))).abs().max() > 0.1


@pytest.mark.parametrize("which", range(3))
def test_each_factor_of_colour_alone(pictures, which):
    images, factors = pictures(4, 3, 5, 6), torch.ones(4, 3)
    factors[:, which] = torch.tensor([0, 0.5, 1, 1.7])
    found = changes.jitter(images, factors, torch.tensor([ORDERS[0]] * 4))
    expected = torch.stack(
        [ADJUST[which](image, float(f[which])) for image, f in zip(images, factors, strict=True)]
    )
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert torch.equal(found[2], images[2])


def test_saturation_leaves_grey_images(pictures):
    images = pictures(4, 1, 5, 6)
    factors = torch.tensor([[1.0, 1.0, 5.0]] * 4)
    found = changes.jitter(images, factors, torch.tensor([ORDERS[0]] * 4))
    torch.testing.assert_close(found, images, atol=1e-6, rtol=0)


# Drawn


def test_corners_are_uniform(seeded):
    shift = changes.draw_shift(5000, 2, seeded())
    assert shift.shape == (2, 5000)
    seen = Counter(map(tuple, shift.T.tolist()))
    assert set(seen) == {(row, column) for row in range(5) for column in range(5)}
    assert chisquare(list(seen.values())).pvalue > 1e-3


def test_every_other_image_is_mirrored(seeded):
    mirrored = changes.draw_mirrored(1000, seeded())
    assert abs(mirrored.float().mean() - 0.5) < 4 * (0.25 / 1000) ** 0.5


def is_uniform(values, low, high):
    assert low <= values.min() <= values.max() <= high
    return kstest(values.numpy(), "uniform", (low, high - low)).pvalue > 1e-3


def test_shear_and_scale_are_uniform(seeded):
    shear, scale = changes.draw_affine(4000, Affine(shear=10, scale=(0.8, 1.2)), seeded())
    assert is_uniform(shear, -10, 10)
    assert is_uniform(scale, 0.8, 1.2)
    assert abs(np.corrcoef(shear, scale)[0, 1]) < 4 / 4000**0.5


def test_factors_of_colour_are_uniform_and_all_orders_alike(seeded):
    how = ColourJitter(brightness=0.2, contrast=1.5, saturation=0)
    factors, order = changes.draw_jitter(4000, how, seeded())
    assert is_uniform(factors[:, 0], 0.8, 1.2)
    assert is_uniform(factors[:, 1], 0, 2.5)
    assert (factors[:, 2] == 1).all()
    seen = Counter(map(tuple, order.tolist()))
    assert set(seen) == set(ORDERS)
    assert chisquare(list(seen.values())).pvalue > 1e-3


# Together


def test_no_augmentation_is_the_identity(seeded):
    x = torch.randn(5, 2, 4, 6)
    assert torch.equal(augment(x, Augmentation(), seeded()), x)


@pytest.mark.parametrize(
    "how",
    [
        {"crop_padding": 1},
        {"horizontal_flip": True},
        {"affine": {"shear": 20}},
        {"affine": {"scale": [0.5, 0.5]}},
        {"colour_jitter": {"brightness": 0.1}},
        {"colour_jitter": {"contrast": 0.1}},
        {"colour_jitter": {"saturation": 0.1}},
    ],
    ids=str,
)
def test_what_changes_images_is_random(pictures, seeded, how):
    images = pictures(8, 3, 8, 8)
    assert Augmentation(**how).is_random
    assert not torch.equal(augment(images, Augmentation(**how), seeded()), images)


def test_a_mode_of_padding_alone_changes_nothing():
    assert not Augmentation(padding_mode="edge").is_random
    assert not Augmentation(affine=Affine(shear=0, scale=(1, 1))).is_random


def test_a_batch_is_what_torchvision_makes_of_its_images(image_set, seeded):
    """Crop, mirror image, affine map and jitter on the 0–1 scale, and then normalised."""
    pixels = np.random.default_rng(0).integers(256, size=(16, 3, 24, 20))
    images = image_set(pixels, np.zeros(16), crop_padding=3, padding_mode="edge", **MUFAC)
    mean, std = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
    normalised = replace(
        images,
        mean=torch.tensor(mean)[None, :, None, None],
        std=torch.tensor(std)[None, :, None, None],
    )
    (found,) = normalised.in_order(16, seeded())
    generator, how = seeded(), images.augmentation
    corner = changes.draw_shift(16, 3, generator) - 3
    mirrored = changes.draw_mirrored(16, generator)
    lean = changes.draw_affine(16, how.affine, generator)
    colour = changes.draw_jitter(16, how.colour_jitter, generator)
    for i, image in enumerate(images.pixels / 255):
        image = tv_crop(image, corner[:, i], 3, "edge")
        image = tv.hflip(image) if mirrored[i] else image
        image = tv_affine(image, *(values[i] for values in lean))
        image = tv_jitter(image, *(values[i] for values in colour))
        expected = Normalize(mean, std)(image)
        torch.testing.assert_close(found.images[i], expected, atol=1e-5, rtol=0)


def test_padding_is_black_after_normalisation(image_set, seeded):
    images = image_set(np.full((50, 1, 4, 4), 255), np.zeros(50), crop_padding=2)
    images = replace(images, mean=images.mean + 0.5, std=images.std * 0.25)
    (batch,) = images.in_order(50, seeded())
    black, white = (value.item() for value in images.valid_range)
    assert set(batch.images.unique().tolist()) == {black, white} == {-2, 2}
