"""Images that lie in no parts: a share of each class is held out, the same for all runs."""

import numpy as np
import pytest
import raw_files
from own_images import store_of

from lotus.config.images import StoreOptions
from lotus.data.content import hold_out, listed
from lotus.data.known import class_counts
from lotus.data.store import read_names
from lotus.errors import LotusError


@pytest.fixture
def classes(tmp_path):
    """Two class folders of ten and five images, in no parts."""
    raw_files.folders(tmp_path / "birds", {"ant": 10, "bee": 5})
    return tmp_path / "birds"


@pytest.fixture
def rows(tmp_path):
    """A table of the same images without the column `split`."""
    names = [*(("ant", i) for i in range(10)), *(("bee", i) for i in range(5))]
    rows = [(f"{name}/{i:04d}.png", name, i) for name, i in names]
    raw_files.table(tmp_path / "birds" / "t.csv", ("path", "label", "subject"), rows)
    return tmp_path / "birds" / "t.csv"


def refused(place, folder, **options):
    with pytest.raises(LotusError) as error:
        store_of(place, folder, **options)
    assert not list(folder.glob("*store*"))
    return str(error.value)


def test_a_share_of_each_class_is_held_out(classes, tmp_path):
    store = store_of(classes, tmp_path / "built", held_out=0.4)
    assert store.source["parts"] == {"train": [0, 9], "test": [9, 15]}
    assert np.bincount(store.labels[9:]).tolist() == [4, 2]
    assert sorted(raw_files.numbers(store.images)) == list(range(15))
    assert "40 % of each class" in store.source["selection"]
    train = raw_files.numbers(store.images)[:9]
    assert train == sorted(train)
    assert train[:6] != list(range(6))
    names = read_names(store).names
    every = [f"ant/{i:04d}.png" for i in range(10)] + [f"bee/{i:04d}.png" for i in range(5)]
    assert [every[number] for number in raw_files.numbers(store.images)] == list(names)


def test_a_table_and_its_folder_hold_out_the_same_images(classes, rows, tmp_path):
    behind = store_of(rows, tmp_path / "behind", held_out=0.4)
    inside = store_of(classes, tmp_path / "inside", held_out=0.4)
    assert read_names(behind).names == read_names(inside).names
    assert (behind.images == inside.images).all()
    subjects = read_names(behind).columns["subject"]
    assert [name[-5] for name in read_names(behind).names] == list(subjects)


def test_images_of_one_class_are_drawn_whatever_the_others_are(classes, tmp_path):
    before = read_names(store_of(classes, tmp_path / "before", held_out=0.4)).names
    raw_files.image(classes / "ant" / "more.png", 90)
    after = read_names(store_of(classes, tmp_path / "after", held_out=0.4)).names
    of_bees = [[name for name in names if "bee" in name] for names in (before, after)]
    assert of_bees[0] == of_bees[1]


def test_a_limit_is_of_each_part(classes, tmp_path):
    store = store_of(classes, tmp_path / "built", held_out=0.4, limit=2)
    assert store.source["parts"] == {"train": [0, 4], "test": [4, 8]}
    assert len(read_names(store).names) == 8


def test_numbers_are_known_before_anything_is_built(classes, tmp_path):
    options = StoreOptions(source="image-folder", raw=str(classes), held_out=0.4)
    counts = class_counts("own", options, tmp_path / "none")
    assert (counts.train, counts.test) == ((6, 3), (4, 2))


@pytest.mark.parametrize(("share", "count"), [(0.1, 1), (0.95, 10)])
def test_a_share_that_leaves_too_few_images_is_refused(classes, tmp_path, share, count):
    message = f"class ant: held_out = {share} holds out {count} of 10 images; at least 2"
    assert message in refused(classes, tmp_path / "built", held_out=share)


def test_shares_are_rounded_to_the_nearest_number(tmp_path):
    content = listed({"train": [(tmp_path, i % 2) for i in range(10)]}, ("a", "b"))
    assert hold_out(content, 0.5).parts == {"train": (0, 4), "test": (4, 10)}
    assert hold_out(content, 0.49).parts == {"train": (0, 6), "test": (6, 10)}


def test_places_with_parts_of_their_own_are_refused(own, table, tmp_path):
    message = "has the folder train and test, so its images are held out already; remove `held_out`"
    assert message in refused(own, tmp_path / "built", held_out=0.5)
    path = table("path,label,split\n0.png,ant,train\n1.png,bee,train\n2.png,ant,test\n")
    message = f"{path}: has the column split, which says what is held out; remove `held_out`"
    assert message in refused(path, tmp_path / "built", held_out=0.5)
    (tmp_path / "a.rar").write_bytes(b"")
    assert "archive that can be unpacked" in refused(
        tmp_path / "a.rar", tmp_path / "built", held_out=0.5
    )


def test_a_published_data_set_has_held_out_images_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LotusError, match=r"held_out = 0\.5: this data set has held-out images"):
        class_counts("digits", StoreOptions(held_out=0.5), tmp_path / "none")


def test_without_a_share_the_error_names_it(classes, rows, own, tmp_path):
    ways = "give `held_out` under `store`: the share of each class that is held out"
    assert ways in refused(classes, tmp_path / "built")
    assert f"column split missing; it has path, label, subject; or {ways}" in refused(
        rows, tmp_path / "built"
    )
    for path in sorted((own / "test").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (own / "test").rmdir()
    found = refused(own, tmp_path / "built")
    assert f"or name the folder train as `raw` and {ways}" in found
    table = tmp_path / "birds" / "all.csv"
    table.write_text("path,label,split\nant/0000.png,ant,train\nbee/0000.png,bee,train\n")
    assert f"must be among the splits; or leave the column out and {ways}" in refused(
        table, tmp_path / "built"
    )
