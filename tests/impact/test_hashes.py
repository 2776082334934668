"""On a training image rests what the look-alikes of a data set are told by; not on a held-out one."""

import numpy as np

from lotus import layout
from lotus.data.content import Content
from lotus.data.image_hashes import write_hashes
from lotus.data.store import write_store
from lotus.impact.images import of_position
from lotus.records.index import read_index


def test_hashes_rest_on_training_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = layout.STORES / "d"
    images = np.random.default_rng(0).integers(256, size=(12, 8, 8, 1), dtype=np.uint8)
    content = Content(images, np.arange(12) % 2, {"train": (0, 8), "test": (8, 12)}, ("a", "b"))
    write_store(folder, images, content, {"dataset": "d", "mean": [0.5], "std": [0.5]}, None)
    hashes = layout.hashes_file("d")
    record = layout.record_of(hashes)
    write_hashes(folder, hashes, record, 1)
    index = read_index([record])
    assert of_position(index, "d", 3).records == {record.as_posix()}
    assert not of_position(index, "d", 9).records
