"""Names of classes and images as people write them: forms of Unicode, look-alikes, odd characters."""

import os

import pytest
import raw_files
from own_images import NFC, NFD, read, refused, store_of

from lotus.errors import LotusError


def test_forms_of_unicode_are_one_class(tmp_path):
    raw_files.folders(tmp_path / "train", {NFD: 1, "dog": 1, NFC: 1})
    raw_files.folders(tmp_path / "test", {NFC: 1, "dog": 1}, 3)
    content = read(tmp_path)
    assert content.classes == ("dog", NFC)
    assert content.labels.tolist() == [0, 1, 1, 0, 1]
    (remark,) = content.remarks
    assert "NFC, NFD" in remark
    assert "one class" in remark


def test_forms_of_unicode_in_a_table(tmp_path):
    raw_files.image(tmp_path / NFD / f"{NFD}.png", 0)
    raw_files.image(tmp_path / NFC / "1.png", 1)
    rows = [
        (f"{NFC}/{NFC}.png", NFC, "train"),
        (f"{NFD}/1.png", NFD, "test"),
        ("x.png", "b", "train"),
    ]
    raw_files.image(tmp_path / "x.png", 2)
    raw_files.table(tmp_path / "t.csv", ("path", "label", "split"), rows)
    content = read(tmp_path / "t.csv")
    assert content.classes == ("b", NFC)
    assert [path.name for path in content.images.paths] == [f"{NFD}.png", "x.png", "1.png"]
    assert any("NFC" in remark for remark in content.remarks)


LOOK_ALIKES = [("ant", "ant "), ("a b", "a  b"), ("ant", "an\u200bt"), ("1", "1.0"), ("1", "01")]


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES)
def test_classes_that_cannot_be_told_apart_are_refused(tmp_path, one, other):
    for part in ("train", "test"):
        raw_files.folders(tmp_path / part, {one: 1, other: 1, "bee": 1})
    found = refused(tmp_path)
    assert "look alike" in found
    assert repr(one) in found
    raw_files.image(tmp_path / "0.png", 0)
    rows = [("0.png", one, "train"), ("0.png", "bee", "train"), ("0.png", other, "test")]
    raw_files.table(tmp_path / "t.csv", ("path", "label", "split"), rows)
    found = refused(tmp_path / "t.csv")
    assert "look alike" in found
    assert "(lines 2 and 4)" in found or "(lines 4 and 2)" in found


@pytest.mark.parametrize(("one", "other"), [("A", "a"), ("Ant", "ant"), ("1", "１")])
def test_classes_of_other_case_or_width_are_two(tmp_path, one, other):
    for part in ("train", "test"):
        raw_files.folders(tmp_path / part, {one: 1, other: 1})
    content = read(tmp_path)
    assert set(content.classes) == {one, other}
    (remark,) = content.remarks
    assert "letter case or width" in remark


def test_a_class_that_looks_like_one_of_training(own):
    raw_files.image(own / "test" / "Bee" / "0.png", 1)
    found = refused(own)
    assert "'Bee' is not one of the 2 classes ant, bee" in found
    assert "letter case" in found


def test_classes_are_listed_without_signs_that_nobody_sees(own):
    raw_files.image(own / "train" / "\ufeffnt" / "0.png", 1)
    raw_files.image(own / "test" / "wasp" / "0.png", 1)
    found = refused(own)
    assert r"'wasp' is not one of the 3 classes ant, bee, \ufeffnt" in found


@pytest.mark.parametrize(
    "name", [b"a\nb", b"caf\xe9", b"tab\there", b"bell\7", "a\u2028b".encode()]
)
def test_classes_whose_names_cannot_be_shown_are_refused(own, name):
    folder = own / "train" / os.fsdecode(name)
    raw_files.image(folder / "0.png", 1)
    found = refused(own)
    assert "cannot be the name of a class" in found
    assert found.startswith(str(own / "train"))


@pytest.mark.parametrize(
    "name", [b"caf\xe9.png", b"new\nline.png", b"tab\t.png", b"-rf.png", b"%s.png"]
)
def test_images_with_odd_names_are_read(own, tmp_path, name):
    path = own / "train" / "ant" / os.fsdecode(name)
    raw_files.image(path, 77)
    assert 77 in raw_files.numbers(store_of(own, tmp_path / "built").images)
    path.write_bytes(b"damaged")
    with pytest.raises(LotusError) as error:
        store_of(own, tmp_path / "built")
    assert str(error.value).isprintable()
    assert name.partition(b"\n")[0][:3].decode() in str(error.value)


@pytest.mark.parametrize(
    "name", ["C++", "猫", "a.b", "-", "a,b", '"q"', "a'b", "%", "{x}", "x" * 200]
)
def test_odd_but_legal_names_of_classes(tmp_path, name):
    for part in ("train", "test"):
        raw_files.folders(tmp_path / "own" / part, {name: 1, "bee": 1})
    assert set(store_of(tmp_path / "own", tmp_path / "built").classes) == {name, "bee"}
