"""Names of images: in the store, beside their digests and columns, whatever was left out or cut."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import raw_files
from own_images import NFC, NFD, store_of

from lotus.audit.open_stores import store_opener
from lotus.data.build import verify_store
from lotus.data.named_images import named_images
from lotus.data.store import FILES, open_store, read_names
from lotus.errors import LotusError


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder_names_each_image_as_its_user_does(own, tmp_path):
    raw_files.image(own / "train" / "bee" / "sub" / "a b.png", 99)
    store = store_of(own, tmp_path / "built")
    names = read_names(store)
    assert names.names == (
        *("train/ant/0000.png", "train/ant/0001.png"),
        *("train/bee/0000.png", "train/bee/0001.png", "train/bee/sub/a b.png"),
        *("test/ant/0000.png", "test/bee/0000.png"),
    )
    assert names.sha256 == tuple(sha256(own / name) for name in names.names)
    first, last = named_images(store, np.array([4, 0]))
    assert (first.id, first.name, first.label, first.columns) == (
        *(4, "train/bee/sub/a b.png", "bee"),
        {},
    )
    assert (last.id, last.sha256) == (0, sha256(own / "train/ant/0000.png"))


def test_a_table_gives_names_in_its_folder_and_its_further_columns(table, tmp_path):
    raw_files.image(tmp_path / "sub" / f"{NFD}.png", 6)
    path = table(
        "subject,path,label,split,note\r\n"
        '17,0.png,ant,train,"a, b"\r\n 007 ,./1.png,bee,train,\r\n'
        f"18,sub\\{NFC}.png,ant,test,x\r\n17,0.png,ant,train,again\r\n"
    )
    store = store_of(path, tmp_path / "built")
    names = read_names(store)
    assert names.names == ("0.png", "1.png", "0.png", f"sub/{NFD}.png")
    assert names.columns == {
        "subject": ("17", " 007 ", "17", "18"),
        "note": ("a, b", "", "again", "x"),
    }
    (image,) = named_images(store, np.array([3]))
    assert image.columns == {"subject": "18", "note": "x"}
    assert image.sha256 == sha256(tmp_path / "sub" / f"{NFD}.png")


@pytest.mark.parametrize("options", [{"limit": 1}, {"limit": 1, "content": "whole"}, {"side": 2}])
def test_names_stay_beside_their_images(own, tmp_path, options):
    if options.get("content") == "whole":
        # With a declared content all images are read before some are chosen.
        options = options | {"content": store_of(own, tmp_path / "all").source["content"]}
    store = store_of(own, tmp_path / "built", **options)
    names = read_names(store)
    shown = raw_files.numbers(store.images)
    numbers = {"train/ant/0000.png": 0, "train/bee/0000.png": 2, "test/ant/0000.png": 4}
    assert len(names.names) == len(shown) == (4 if "limit" in options else 6)
    for name, number in numbers.items():
        assert shown[names.names.index(name)] == number
        assert names.sha256[names.names.index(name)] == sha256(own / name)


def test_names_that_cannot_be_shown_are_named_by_escapes(own, tmp_path):
    raw_files.image(own / "train" / "ant" / "new\nline.png", 50)
    assert "train/ant/new\\nline.png" in read_names(store_of(own, tmp_path / "built")).names


def test_a_store_without_names_has_ids_and_digests_of_pixels(own, tmp_path):
    store = store_of(own, tmp_path / "built")
    source = {key: value for key, value in store.source.items() if key != "names"}
    plain = replace(store, source=source)
    assert read_names(plain) is None
    (image,) = named_images(plain, np.array([2]))
    digest = hashlib.sha256(np.asarray(store.images[2]).tobytes()).hexdigest()
    assert (image.id, image.name, image.sha256, image.label) == (2, "", digest, "bee")
    with pytest.raises(LotusError, match="has no image 6; accepted: 0 to 5"):
        named_images(plain, np.array([6]))


def write(path, content, store):
    path.write_text(json.dumps(content))
    return replace(store, source={**store.source, "names": sha256(path)})


def test_names_that_are_not_the_stores_are_refused(own, tmp_path):
    store = store_of(own, tmp_path / "built")
    path = store.folder / "names.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"names": content["names"][::-1]}))
    with pytest.raises(LotusError, match="is not the file that the store was built with"):
        read_names(store)
    for spoilt in (
        {"names": content["names"][1:]},
        {"sha256": [1] * 6},
        {"columns": {"subject": ["17"]}},
        {"columns": []},
    ):
        with pytest.raises(LotusError, match=r"names\.json: damaged names of images"):
            read_names(write(path, content | spoilt, store))
    with pytest.raises(LotusError, match="'names'"):
        read_names(write(path, {}, store))
    path.unlink()
    with pytest.raises(LotusError, match=r"names\.json: cannot be read"):
        read_names(store)


def test_the_record_of_a_store_states_its_names(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store_of(own, Path("data"))
    Path("data/store").rename("data/stores")
    verify_store(Path("data/stores"), None, Path("results/own/store.json"))
    record = json.loads(Path("results/own/store.json").read_text())
    assert {Path(name).name for name in record["outputs"]} == {*FILES, "names.json"}
    Path("data/stores/names.json").write_text("{}")
    with pytest.raises(LotusError, match="is not the file that the store was built with"):
        verify_store(Path("data/stores"), None, Path("results/own/store.json"))


def test_the_audit_opens_a_store_in_its_own_folder(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store_of(own, Path("data"))
    Path("data/stores").mkdir()
    Path("data/store").rename("data/stores/own")
    sound = {f"data/stores/own/{name}" for name in (*FILES, "names.json")}
    opened = store_opener(frozenset(sound))("own")
    assert read_names(opened) == read_names(open_store(Path("data/stores/own")))
