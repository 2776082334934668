"""Stores: their content, their files and the lock."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import yaml

from lotus.data import content as contents
from lotus.data.content import Content
from lotus.data.store import dvc_digest, open_store, write_store
from lotus.errors import LotusError

SOURCE = {"dataset": "toy", "mean": [0.5], "std": [0.25]}


def raw(seed=0):
    pixels = np.random.default_rng(seed).integers(256, size=(6, 4, 4, 1), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2])
    return Content(pixels, labels, {"train": (0, 4), "test": (4, 6)}, ("Cat", "Dog", "Émile"))


def write(path, content, locked=None):
    write_store(path, content.images, content, SOURCE, locked)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "stores" / "toy"
    write(path, raw())
    return path


def test_content_is_the_same_mapped_and_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "BYTES_AT_ONCE", 100)
    images = np.random.default_rng(0).integers(256, size=(50, 3, 4, 2), dtype=np.uint8)
    labels = np.arange(50)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    expected = hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest()
    assert contents.digest(images, labels) == contents.digest(mapped, labels) == expected
    # A view of a map does not begin where the map does.
    assert contents.digest(mapped[7:], labels) == contents.digest(images[7:], labels)
    found = contents.channel_statistics(mapped, 40)
    assert found == contents.channel_statistics(images, 40)
    values = images[:40].reshape(-1, 2) / 255
    np.testing.assert_allclose(found, [values.mean(0), values.std(0)], atol=6e-5)


def test_store_survives_its_files(folder):
    store = open_store(folder)
    assert np.array_equal(store.images, raw().images)
    assert np.array_equal(store.labels, raw().labels)
    assert store.classes == ("Cat", "Dog", "Émile")
    assert store.part("train").tolist() == [0, 1, 2, 3]
    assert store.part("test").tolist() == [4, 5]
    assert (store.mean, store.std) == ((0.5,), (0.25,))


def test_same_content_has_the_same_digest_and_other_content_another(folder, tmp_path):
    for seed, agree in ((0, True), (1, False)):
        other = tmp_path / str(seed)
        write(other, raw(seed))
        assert (dvc_digest(other) == dvc_digest(folder)) is agree


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "classes.json", "source.json"])
def test_store_without_a_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(LotusError, match=f"{name} missing"):
        open_store(folder)


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "classes.json", "source.json"])
def test_store_with_half_a_file_is_refused(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(LotusError, match="damaged image store"):
        open_store(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [("images.npy", ""), ("labels.npy", ""), ("classes.json", "3"), ("source.json", "{}")],
)
def test_store_with_a_file_of_another_form_is_refused(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(LotusError, match="damaged image store"):
        open_store(folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("images", np.zeros((6, 4, 4, 1)), "must be uint8"),
        ("images", np.zeros((6, 4, 4), np.uint8), "must be uint8"),
        ("labels", np.zeros(6, np.int32), "must be int64"),
        ("labels", np.zeros(5, np.int64), r"must be int64 \[6\]"),
        ("labels", np.full(6, 3), "must lie in 0…2"),
        ("labels", np.full(6, -1), "must lie in 0…2"),
    ],
)
def test_store_of_another_form_is_refused(folder, name, array, message):
    np.save(folder / f"{name}.npy", array)
    with pytest.raises(LotusError, match=message):
        open_store(folder)


def test_store_that_is_not_the_locked_one_leaves_the_earlier(folder):
    earlier = dvc_digest(folder)
    with pytest.raises(LotusError, match=f"data.dvc locks {earlier}"):
        write(folder, raw(1), locked=earlier)
    assert dvc_digest(folder) == earlier
    assert list(folder.parent.iterdir()) == [folder]
    write(folder, raw(), locked=earlier)
    assert dvc_digest(folder) == earlier


def test_digest_is_dvcs(folder, tmp_path):
    # Names whose order differs between texts and folders.
    for name in ("b/1.txt", "b-a.txt", "b.txt", "ä.txt", "B.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    variables = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    place = folder.relative_to(tmp_path).as_posix()
    for order in (["init", "--no-scm", "-q"], ["add", "-q", place]):
        subprocess.run(
            [sys.executable, "-m", "dvc", *order], cwd=tmp_path, env=variables, check=True
        )
    lock = folder.with_name("toy.dvc")
    assert yaml.safe_load(lock.read_text())["outs"][0]["md5"] == dvc_digest(folder)
