"""MNIST and Fashion-MNIST from their four gzipped files to a store."""

import shutil

import numpy as np
import pytest
import raw_files
from stores import build, refused

from lotus.data import sources

pytestmark = pytest.mark.usefixtures("empty_project")


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
