"""Pixels on the device and in the memory map: the same batches either way."""

import warnings

import numpy as np
import pytest
import torch

from lotus.config.images import Augmentation, Dataset
from lotus.data import pixels
from lotus.data.batches import Images
from lotus.data.content import Content
from lotus.data.store import open_store, write_store
from lotus.errors import LotusError

CPU = torch.device("cpu")
SIZE = 8 * 10 * 3
SOURCE = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}
USE = Dataset(
    resize=12,
    crop=10,
    augmentation=Augmentation(
        crop_padding=2,
        horizontal_flip=True,
        affine={"shear": 10, "scale": [0.8, 1.2]},
        colour_jitter={"brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
    ),
)
ONLY = np.array([38, 3, 4, 5, 11, 20, 21, 30, 7])


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(40, 8, 10, 3), dtype=np.uint8)
    labels, parts = rng.integers(3, size=40), {"train": (0, 30), "test": (30, 40)}
    content = Content(images, labels, parts, ("Cat", "Dog", "Eel"))
    write_store(tmp_path / "toy", images, content, SOURCE, locked=None)
    return open_store(tmp_path / "toy")


@pytest.fixture
def both(store, monkeypatch):
    """The images of a store, copied and memory-mapped."""

    def make(only, use=USE):
        copied = Images(store, use, CPU, only)
        monkeypatch.setattr(pixels, "COPIED_ON_PROCESSOR", 0)
        return copied, Images(store, use, CPU, only)

    return make


def is_mapped(images):
    return isinstance(images.pixels, pixels.MappedPixels)


def same_batches(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
        assert a.images.stride() == b.images.stride()


@pytest.mark.parametrize("only", [None, ONLY], ids=["all", "some"])
@pytest.mark.parametrize("use", [USE, Dataset()], ids=["changed", "as stored"])
def test_batches_are_the_same_bit_for_bit(both, seeded, only, use):
    copied, mapped = (images.take(ONLY[[8, 0, 1, 5, 3, 4]]) for images in both(only, use))
    assert is_mapped(mapped)
    assert not is_mapped(copied)
    same_batches(copied.in_order(4), mapped.in_order(4))
    same_batches(copied.in_order(4, seeded()), mapped.in_order(4, seeded()))
    same_batches(copied.shuffled(4, seeded()), mapped.shuffled(4, seeded()))
    same_batches(copied.frozen(seeded()).in_order(9), mapped.frozen(seeded()).in_order(9))
    twice = torch.tensor([2, 0, 2])
    same_batches([copied.draw(twice, None)], [mapped.draw(twice, None)])


def test_parts_and_unions_are_the_same(both, seeded):
    pairs = [(images.take(ONLY[:4]), images.take(ONLY[4:])) for images in both(ONLY)]
    for make in (
        lambda first, second: second + first,
        lambda first, second: (first + second).sample(0.5, seeded()),
        lambda first, second: first.part(torch.tensor([3, 1])),
        lambda first, second: (first + second).of_each_class(2),
    ):
        copied, mapped = (make(*pair) for pair in pairs)
        assert is_mapped(mapped)
        same_batches(copied.in_order(3), mapped.in_order(3))


def test_only_the_chosen_images_can_be_taken_from_a_map(both, store):
    _, mapped = both(ONLY)
    for other in ([0], [3, 6], [40], [-1]):
        with pytest.raises(LotusError, match="not loaded"):
            mapped.take(np.array(other))
    reachable = mapped.take(np.unique(ONLY))
    assert torch.equal(reachable.labels, torch.tensor(store.labels[np.unique(ONLY)]))
    with pytest.raises(IndexError):
        reachable.pixels[torch.tensor([len(ONLY)])]


def test_a_map_is_neither_copied_nor_written(both, store):
    _, mapped = both(None)
    part = mapped.take(np.arange(40))
    assert isinstance(store.images, np.memmap)
    assert part.pixels.images is store.images
    before = np.array(store.images)
    with warnings.catch_warnings():
        # Among them torch's, of an array that must not be written.
        warnings.simplefilter("error")
        (batch,) = part.in_order(40)
    batch.images.zero_()
    assert np.array_equal(store.images, before)


def test_a_map_is_read_in_the_order_of_the_file(store, monkeypatch):
    asked, take = [], np.take

    def watched(images, rows, **more):
        asked.append(rows.tolist())
        return take(images, rows, **more)

    monkeypatch.setattr(np, "take", watched)
    mapped = pixels.MappedPixels(store.images, np.arange(10, 40), CPU)
    found = mapped[torch.tensor([7, 2, 29, 2])]
    assert asked == [[12, 12, 17, 39]]
    expected = store.images[[17, 12, 39, 12]].transpose(0, 3, 1, 2)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("spare", "copied"), [(0, True), (-1, False)])
def test_pixels_are_copied_if_there_is_room(store, monkeypatch, spare, copied):
    rows = np.array([1, 2, 30, 4, 5])
    monkeypatch.setattr(pixels, "COPIED_AT_ONCE", 2)
    monkeypatch.setattr(pixels, "COPIED_ON_PROCESSOR", 5 * SIZE + spare)
    placed = pixels.place(store.images, rows, CPU)
    assert isinstance(placed, torch.Tensor) is copied
    assert placed.device == CPU
    found = placed[torch.arange(5)]
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(found, store.images[rows].transpose(0, 3, 1, 2))


def test_half_of_a_gpus_free_memory_is_room(monkeypatch):
    asked = []

    def free_and_total(device):
        asked.append(device)
        return 1000, 8000

    monkeypatch.setattr(torch.cuda, "mem_get_info", free_and_total)
    device = torch.device("cuda", 1)
    assert pixels.room(device) == 500
    assert asked == [device]


@pytest.mark.parametrize("mapped", [False, True], ids=["copied", "mapped"])
def test_all_others_join_the_images_that_are_there(store, seeded, monkeypatch, mapped):
    if mapped:
        monkeypatch.setattr(pixels, "COPIED_ON_PROCESSOR", 0)
    read = []
    place = pixels.place
    monkeypatch.setattr(
        pixels,
        "place",
        lambda images, rows, device: read.append(rows) or place(images, rows, device),
    )
    some = Images(store, USE, CPU, ONLY)
    whole, fresh = some.and_all_others(store), Images(store, USE, CPU)
    assert not set(np.concatenate(read)) & set(ONLY)
    for chosen in (np.arange(40), np.array([39, 0, 38, 3])):
        joined, expected = whole.take(chosen), fresh.take(chosen)
        assert is_mapped(joined) == mapped
        same_batches(joined.in_order(7, seeded()), expected.in_order(7, seeded()))
    with pytest.raises(LotusError, match="not loaded"):
        some.take(np.array([39]))
