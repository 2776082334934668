"""MNIST and Fashion-MNIST from their four gzipped files to a store."""

import gzip
import shutil
from importlib import import_module

import numpy as np
import pytest
import raw_files
from stores import build, refused

from lotus.data import sources
from lotus.data.sources._idx import read_idx
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")

PIXELS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_idx_files(mirror, name):
    pixels = np.arange(20, dtype=np.uint8)[:, None, None] + np.zeros((1, 3, 2), np.uint8)
    labels = [i % 10 for i in range(20)]
    (mirror / name).mkdir()
    files = [file.name for file in sources.source(name).files]
    for position, content in enumerate([*raw_files.idx(pixels, labels)] * 2):
        (mirror / name / files[position]).write_bytes(content)
    store = build(name, mirror, content="any")
    assert store.images.shape == (40, 3, 2, 1)
    assert store.images[:, 0, 0, 0].tolist() == 2 * list(range(20))
    assert store.labels.tolist() == 2 * labels
    shutil.rmtree("store")
    (mirror / name / files[1]).write_bytes(raw_files.idx(pixels, labels[:-1])[1])
    assert "20 images" in refused(name, mirror, content="any")
    (mirror / name / files[0]).write_bytes(raw_files.idx(pixels, labels)[0][:-9])
    assert "is not a whole gzipped idx file" in refused(name, mirror, content="any")


def test_images_and_labels_are_those_that_torchvision_reads(tmp_path):
    read = import_module("torchvision.datasets.mnist")
    images, labels = raw_files.idx(PIXELS, [7, 200])
    for name, content in (("images", images), ("labels", labels)):
        (tmp_path / name).write_bytes(gzip.decompress(content))
        (tmp_path / f"{name}.gz").write_bytes(content)
    ours = read_idx(tmp_path / "images.gz", tmp_path / "labels.gz")
    assert ours[0].dtype == np.uint8
    assert ours[1].dtype == np.int64
    np.testing.assert_array_equal(
        ours[0][..., 0], read.read_image_file(str(tmp_path / "images")).numpy()
    )
    np.testing.assert_array_equal(ours[1], read.read_label_file(str(tmp_path / "labels")).numpy())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it does not begin as one of unsigned bytes in 3 dimensions"),
        (b"\0\0\x08\x03\0\0\0\x02", "it does not begin as one of unsigned bytes in 3 dimensions"),
        # 32-bit integers, and a file of labels.
        (b"\0\0\x0c\x03" + bytes(12), "it does not begin as one of unsigned bytes in 3 dimensions"),
        (b"\0\0\x08\x01" + bytes(12), "it does not begin as one of unsigned bytes in 3 dimensions"),
        (
            gzip.decompress(raw_files.idx(PIXELS, [])[0])[:-1],
            "it states 2 x 3 x 4 bytes, and has 23",
        ),
        (
            gzip.decompress(raw_files.idx(PIXELS, [])[0]) + b"more",
            "it states 2 x 3 x 4 bytes, and has 28",
        ),
        # More than any memory has.
        (b"\0\0\x08\x03" + 12 * b"\xff", "bytes, and has 0"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path, content, why):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(LotusError, match=r"images\.gz: is not a whole gzipped idx file: ") as error:
        read_idx(path, path)
    assert why in str(error.value)
