"""Images that changed since a store was built from them are named, and those that did not are not read."""

import os
import shutil
import time
from pathlib import Path

import pytest
import raw_files
from own_images import store_of

from lotus.data import changed
from lotus.data.changed import changed_since_built


def tick(store):
    """Makes the store as old as a store is of which somebody changes the images: times have steps."""
    built = store.folder / "source.json"
    now = time.time_ns() - 10**9
    os.utime(built, ns=(now, now))
    return store


@pytest.fixture
def store(own, tmp_path):
    return tick(store_of(own, tmp_path / "built"))


def test_images_that_are_as_they_were_are_not_changed(own, store):
    assert changed_since_built(store, own) == []
    for path in own.rglob("*.png"):
        path.touch()
    assert changed_since_built(store, own) == []


def test_only_what_was_written_since_is_read(own, store, monkeypatch):
    later = time.time_ns() + 10**10
    os.utime(store.folder / "source.json", ns=(later, later))
    raw_files.image(own / "train" / "ant" / "0000.png", 90)

    def refuse(path):
        raise AssertionError(path)

    monkeypatch.setattr(changed, "sha256", refuse)
    assert changed_since_built(store, own) == []


def test_images_with_other_bytes_are_named(own, store):
    raw_files.image(own / "train" / "ant" / "0001.png", 90)
    # One of the same size and an older time, in its place.
    raw_files.image(own / "x.png", 91)
    os.utime(own / "x.png", ns=(10**9, 10**9))
    os.replace(own / "x.png", own / "test" / "bee" / "0000.png")
    assert changed_since_built(store, own) == ["train/ant/0001.png", "test/bee/0000.png"]


def test_images_that_are_gone_or_new_are_not_changed(own, store):
    (own / "train" / "ant" / "0001.png").unlink()
    raw_files.image(own / "train" / "ant" / "0007.png", 90)
    assert changed_since_built(store, own) == []
    shutil.rmtree(own)
    assert changed_since_built(store, own) == []


def test_a_list_that_was_changed_is_named(table, tmp_path):
    text = "path,label,split,subject\n0.png,ant,train,1\n1.png,bee,train,2\n2.png,ant,test,1\n"
    path = table(text)
    store = tick(store_of(path, tmp_path / "built"))
    assert changed_since_built(store, path) == []
    path.write_text(text.replace("ant,train,1", "ant,train,3"))
    raw_files.image(tmp_path / "1.png", 90)
    assert changed_since_built(store, path) == ["t.csv", "1.png"]


def test_an_archive_is_compared_by_its_own_bytes(own, tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    archive = Path(shutil.make_archive(str(tmp_path / "own"), "zip", own))
    store = tick(store_of(archive, tmp_path / "built"))
    assert changed_since_built(store, archive) == []
    raw_files.image(own / "train" / "ant" / "0001.png", 90)
    assert changed_since_built(store, archive) == []
    shutil.make_archive(str(tmp_path / "own"), "zip", own)
    assert changed_since_built(store, archive) == ["own.zip"]
