"""Hashes of images are those of imagehash, in one process or several."""

import imagehash
import numpy as np
import pytest
from pictures import pictures
from PIL import Image

from lotus.data import hashes as hashing
from lotus.data.content import Content
from lotus.data.store import open_store, write_store
from lotus.errors import LotusError


@pytest.mark.parametrize("channels", [1, 3])
def test_hashes_are_those_of_imagehash(channels):
    images = pictures(20, channels)
    images[7] = 0
    expected = [int(str(imagehash.phash(Image.fromarray(image.squeeze()))), 16) for image in images]
    found = hashing.hash_pixels(images)
    assert found.dtype == np.uint64
    assert found.tolist() == expected
    assert expected[7] == 0


def test_more_processes_give_the_same_hashes(tmp_path):
    count = 2 * hashing.STORE_BLOCK + 5
    images = np.random.default_rng(0).integers(256, size=(count, 3, 3, 1), dtype=np.uint8)
    parts = {"train": (0, count)}
    content = Content(images, np.zeros(count), parts, ("one",))
    write_store(tmp_path / "store", images, content, {"parts": parts}, None)
    store = open_store(tmp_path / "store")
    serial = hashing.hash_store(store, workers=1)
    assert len(serial) == count
    np.testing.assert_array_equal(serial[-5:], hashing.hash_pixels(images[-5:]))
    np.testing.assert_array_equal(hashing.hash_store(store, workers=2), serial)


def test_an_error_in_another_process_is_the_same_error(tmp_path):
    for name in range(hashing.FILE_BLOCK + 1):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / f"{name}.png")
    paths = sorted(tmp_path.iterdir())
    assert not hashing.hash_files(paths, workers=2).any()
    paths[-1].write_bytes(b"no image")
    with pytest.raises(LotusError, match=rf"{paths[-1].name}: cannot be read as an image"):
        hashing.hash_files(paths, workers=2)


def test_images_of_two_channels_are_refused(make_store):
    store = make_store([0], [0])
    object.__setattr__(store, "images", np.zeros((2, 4, 4, 2), np.uint8))
    with pytest.raises(LotusError, match="2 channels"):
        hashing.hash_store(store, workers=1)
