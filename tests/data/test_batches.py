"""Batches: how images are dealt, in which order, and what is done to their pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lotus.config.images import Augmentation, Dataset
from lotus.data.augment import augment
from lotus.data.batches import Images, ImageSet, View, deal
from lotus.errors import LotusError

# Batches


@pytest.fixture(scope="session")
def numbered(image_set):
    """Images that show their own position, labelled with it."""
    return lambda count: image_set(np.arange(count).reshape(-1, 1, 1, 1), np.arange(count))


def shows(batch):
    return (batch.images.flatten() * 255).round().long()


@given(count=st.integers(0, 200), size=st.integers(1, 70), seed=st.integers(0, 9))
def test_shuffled_deals_every_image_once_in_nearly_equal_batches(
    numbered, seeded, count, size, seed
):
    batches = list(numbered(count).shuffled(size, seeded(seed)))
    sizes = [len(batch.labels) for batch in batches]
    assert len(batches) == -(-count // size)
    if count:
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= size
    positions = [p for batch in batches for p in batch.positions.tolist()]
    assert sorted(positions) == list(range(count))
    for batch in batches:
        assert torch.equal(shows(batch), batch.positions)
        assert torch.equal(batch.labels, batch.positions)


def test_shuffled_order_depends_on_the_generator(numbered, seeded):
    def order(generator):
        return [p for b in numbered(50).shuffled(8, generator) for p in b.positions.tolist()]

    generator = seeded(0)
    first, second = order(generator), order(generator)
    assert first == order(seeded(0)) != second
    assert first != list(range(50))


@given(count=st.integers(1, 100), size=st.integers(1, 40))
def test_in_order_keeps_the_order(numbered, count, size):
    batches = list(numbered(count).in_order(size))
    assert torch.cat([batch.positions for batch in batches]).tolist() == list(range(count))
    assert torch.cat([shows(batch) for batch in batches]).tolist() == list(range(count))


def test_only_shuffled_batches_are_augmented(noise, seeded):
    images = noise(8, crop_padding=2)
    (plain,), (cropped,) = images.in_order(8), images.shuffled(8, seeded())
    assert torch.equal(plain.images, images.pixels / 255)
    assert not torch.equal(cropped.images, plain.images[cropped.positions])


def test_union_keeps_positions(numbered, cut, seeded):
    first, second = cut(numbered(10), 4, 6)
    union = second + first.relabelled(first.labels + 100)
    assert len(union) == 10
    for batch in union.shuffled(3, seeded()):
        mine = batch.positions < len(second)
        expected = torch.where(mine, batch.positions + 4, batch.positions - 6)
        assert torch.equal(shows(batch), expected)
        assert torch.equal(batch.labels, expected + 100 * ~mine)


@pytest.mark.parametrize(("share", "count"), [(0.3, 6), (0.33, 6), (1.0, 20), (0.001, 1)])
def test_sample_is_a_part_without_replacement(numbered, seeded, share, count):
    part = numbered(20).sample(share, seeded())
    assert len(part) == len(set(part.index.tolist())) == count
    assert torch.equal(part.labels, part.index)


def test_images_are_normalised_and_channels_are_kept(make_store):
    store = make_store([0, 1, 2], [0])
    rng = np.random.default_rng(1)
    pixels = rng.integers(256, size=(4, 5, 3, 2), dtype=np.uint8)
    source = {**store.source, "mean": [0.2, 0.4], "std": [0.5, 2.0]}
    images = Images(replace(store, images=pixels, source=source), Dataset(), torch.device("cpu"))
    (batch,) = images.take(np.array([2, 0])).in_order(9)
    expected = (pixels[[2, 0]] / 255 - [0.2, 0.4]) / [0.5, 2.0]
    np.testing.assert_allclose(batch.images.permute(0, 2, 3, 1), expected, atol=1e-6)
    assert batch.labels.tolist() == [2, 0]


@given(count=st.integers(0, 200), size=st.integers(1, 70), seed=st.integers(0, 9))
def test_deal_keeps_a_partial_batch_if_told(seeded, count, size, seed):
    whole, partial = (deal(count, size, seeded(seed), keep) for keep in (False, True))
    order = [p for positions in partial for p in positions.tolist()]
    assert sorted(order) == list(range(count))
    # The same order, cut elsewhere.
    assert [p for positions in whole for p in positions.tolist()] == order
    full, rest = divmod(count, size)
    assert [len(p) for p in partial] == [size] * full + [rest] * (rest > 0)
    assert len(whole) == len(partial)
    assert not whole or max(map(len, whole)) - min(map(len, whole)) <= 1


def test_shuffled_keeps_a_partial_batch_if_told(numbered, seeded):
    for keep, sizes in ((True, [8, 8, 4]), (False, [7, 7, 6])):
        batches = list(numbered(20).shuffled(8, seeded(), keep))
        assert [len(batch.labels) for batch in batches] == sizes


def test_in_order_with_a_generator_is_augmented_and_keeps_the_order(noise, seeded):
    images = noise(12, crop_padding=2)
    plain, again = ([*images.in_order(5, seeded(seed))] for seed in (0, 0))
    assert [len(batch.labels) for batch in plain] == [5, 5, 2]
    assert all(torch.equal(a.images, b.images) for a, b in zip(plain, again, strict=True))
    assert torch.cat([batch.positions for batch in plain]).tolist() == list(range(12))
    assert torch.equal(torch.cat([batch.labels for batch in plain]), images.labels)
    assert not torch.equal(torch.cat([batch.images for batch in plain]), images.pixels / 255)


def test_frozen_images_have_one_crop_for_good(noise, seeded, monkeypatch):
    monkeypatch.setattr("lotus.data.batches.FROZEN_AT_ONCE", 5)
    images = noise(12, crop_padding=2)
    images = replace(images, mean=images.mean + 0.4, std=images.std * 0.2)
    frozen = images.frozen(seeded())
    (expected,) = [torch.cat([batch.images for batch in images.in_order(5, seeded())])]
    for generator in (None, seeded(1), seeded(2)):
        (batch,) = frozen.in_order(20, generator)
        np.testing.assert_allclose(batch.images, expected, atol=1e-5)
        assert torch.equal(batch.labels, images.labels)
    part = frozen.part(torch.tensor([7, 2]))
    np.testing.assert_allclose(next(part.in_order(2)).images, expected[[7, 2]], atol=1e-5)
    assert not frozen.augmentation.is_random


def test_first_images_of_each_class(image_set):
    labels = [2, 0, 2, 1, 0, 2, 0, 2]
    images = image_set(np.arange(8).reshape(-1, 1, 1, 1), labels)
    for count, expected in ((1, [0, 1, 3]), (2, [0, 1, 2, 3, 4]), (9, list(range(8)))):
        part = images.of_each_class(count)
        assert part.index.tolist() == expected
        assert part.labels.tolist() == [labels[i] for i in expected]


def test_part_by_position_and_by_truth(numbered):
    images = numbered(6)
    assert images.part(torch.tensor([4, 1])).labels.tolist() == [4, 1]
    assert images.part(images.labels > 3).index.tolist() == [4, 5]


def test_valid_range_is_that_of_black_and_white(image_set):
    images = image_set(np.array([0, 255]).reshape(2, 1, 1, 1).repeat(2, axis=1), [0, 0])
    mean = torch.tensor([0.5, 0.2])[None, :, None, None]
    std = torch.tensor([0.25, 2.0])[None, :, None, None]
    images = replace(images, mean=mean, std=std)
    (batch,) = images.in_order(2)
    for found, expected in zip(images.valid_range, batch.images, strict=True):
        np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_only_the_chosen_images_can_be_taken(make_store):
    store, only = make_store([0, 1, 2, 0, 1], [0, 1]), np.array([5, 1, 3, 1])
    images = Images(store, Dataset(), torch.device("cpu"), only)
    part = images.take(np.array([3, 5, 1]))
    assert part.pixels.shape[0] == 3
    assert part.labels.tolist() == store.labels[[3, 5, 1]].tolist()
    (batch,) = part.in_order(3)
    expected = store.images[[3, 5, 1]].transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(batch.images, expected, atol=1e-6)
    for other in ([0], [1, 2], [6], [-1]):
        with pytest.raises(LotusError, match="not loaded"):
            images.take(np.array(other))


def test_images_without_a_choice_can_all_be_taken(make_store):
    store = make_store([0, 1, 2], [0])
    images = Images(store, Dataset(augmentation=Augmentation(crop_padding=1)), torch.device("cpu"))
    part = images.take(np.arange(4))
    assert isinstance(part, ImageSet)
    assert part.augmentation.crop_padding == 1
    with pytest.raises(LotusError, match="not loaded"):
        images.take(np.array([4]))


# 49 · (256 / 49) is below 256 in binary fractions.
@pytest.mark.parametrize(
    ("size", "crop", "expected"),
    [((49, 98), None, (256, 512)), ((98, 49), None, (512, 256)), ((49, 60), 256, (256, 256))],
)
def test_resizing_reaches_its_size(size, crop, expected):
    view = View(resize=256, crop=crop)
    assert view(torch.zeros(1, 1, *size)).shape[2:] == view.shape(*size) == expected


def test_view_comes_before_augmentation(noise, seeded):
    images = replace(noise(4, crop_padding=1), view=View(resize=4))
    (plain,), (augmented,) = images.in_order(4), images.in_order(4, seeded())
    assert plain.images.shape == augmented.images.shape == (4, 2, 4, 4)
    assert torch.equal(augmented.images, augment(plain.images, images.augmentation, seeded()))


# Splits


def test_sets_of_two_stores_cannot_be_joined(image_set):
    first, second = (image_set(np.zeros((2, 1, 2, 2)), [0, 1]) for _ in range(2))
    with pytest.raises(ValueError, match="one store"):
        first + second
