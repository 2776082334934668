"""What is known of a data set before its store is built."""

from pathlib import Path

import pytest
import raw_files

from lotus.config.images import StoreOptions
from lotus.data.build import build_store, fetch_raw
from lotus.data.known import Counts, class_counts
from lotus.errors import LotusError


@pytest.fixture
def mine(tmp_path):
    start = raw_files.folders(tmp_path / "mine" / "train", {"ant": 3, "bee": 2})
    start = raw_files.folders(tmp_path / "mine" / "test", {"ant": 1, "bee": 2}, start)
    return tmp_path / "mine"


def of(raw, folder="nowhere", mirrors=(), **options):
    chosen = StoreOptions(source="image-folder", raw=str(raw), **options)
    return class_counts("own", chosen, Path(folder), mirrors)


COUNTED = Counts(("ant", "bee"), (3, 2), None, (1, 2), (3, 4, 4))


def test_own_folders_are_listed_and_the_first_image_alone_is_read(mine, tmp_path):
    for path in sorted(mine.rglob("*.png")):
        if path != mine / "train/ant/0000.png":
            path.write_bytes(b"not to be opened")
    before = sorted(tmp_path.rglob("*"))
    assert of(mine) == of("mine", mirrors=("https://example.org", str(tmp_path))) == COUNTED
    assert of(mine, side=8).size == (3, 8, 8)
    assert of(mine, limit=2).train == (2, 2)
    assert not of(mine).has_val
    raw_files.folders(mine / "val", {"ant": 1, "bee": 1})
    assert of(mine).has_val
    assert of(mine).val == (1, 1)
    assert [path for path in sorted(tmp_path.rglob("*")) if "val" not in path.parts] == before


def test_own_tables_are_listed(mine):
    rows = [
        (path.relative_to(mine), path.parent.name, path.parts[-3]) for path in mine.rglob("*.png")
    ]
    raw_files.table(mine / "list.csv", ("path", "label", "split"), rows)
    assert of(mine / "list.csv") == COUNTED


def test_the_store_comes_first(mine, tmp_path):
    options, store = StoreOptions(source="image-folder", raw=str(mine)), tmp_path / "store"
    fetch_raw("own", options, (), tmp_path / "raw.json")
    build_store("own", options, tmp_path / "raw.json", store, None, 1)
    raw_files.folders(mine / "train", {"cow": 1})
    assert of(mine, store) == Counts(("ant", "bee"), (3, 2), None, (1, 2), (3, 4, 4))
    assert of(mine, store, limit=1).test == (1, 1)
    (store / "labels.npy").write_bytes(b"damaged")
    assert of(mine, store).classes == ("ant", "bee", "cow")


def test_what_a_store_cannot_be_built_of_is_refused(mine):
    (mine / "train" / "cow").mkdir()
    with pytest.raises(LotusError, match="no training image of the class cow"):
        of(mine)


def test_files_of_the_project_are_read():
    digits = class_counts("digits", StoreOptions(limit=150), Path("nowhere"))
    assert digits.train == (100,) * 10
    assert sum(digits.test) == 797
    assert digits.size == (1, 8, 8)
    mini = class_counts("fashion-mini", StoreOptions(), Path("nowhere"))
    assert (sum(mini.train), sum(mini.test), mini.size) == (1000, 2000, (1, 28, 28))


def test_what_has_to_be_fetched_or_unpacked_is_not_known(tmp_path):
    assert class_counts("cifar10", StoreOptions(), Path("nowhere")) is None
    assert of(tmp_path / "absent") is None
    raw_files.tar(tmp_path / "mine.tar", {"a": b"1"})
    assert of(tmp_path / "mine.tar") is None
    with pytest.raises(LotusError, match="unknown data set"):
        class_counts("cifar11", StoreOptions(), Path("nowhere"))
