"""A user's own folders and tables, from files to a store."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import raw_files
from PIL import Image
from stores import build, refused, shown

from lotus.data import decode, splits

pytestmark = pytest.mark.usefixtures("empty_project")

# Layouts


@pytest.mark.parametrize(
    ("held_out", "parts"),
    [
        (["test"], {"train": [0, 5], "test": [5, 9]}),
        (["val"], {"train": [0, 5], "test": [5, 9]}),
        (["val", "test"], {"train": [0, 5], "val": [5, 9], "test": [9, 13]}),
    ],
)
def test_own_folders(mirror, held_out, parts):
    start = raw_files.folders(mirror / "mine" / "train", {"ant": 3, "bee": 2})
    for part in held_out:
        start = raw_files.folders(mirror / "mine" / part, {"ant": 2, "bee": 2}, start)
    store = build("image-folder", mirror, raw="mine")
    assert store.source["parts"] == parts
    assert shown(store) == list(range(start))
    assert store.classes == ("ant", "bee")
    pixels = store.images[:5] / 255
    np.testing.assert_allclose(store.mean, pixels.mean((0, 1, 2)), atol=5e-5)
    np.testing.assert_allclose(
        store.std, np.maximum(pixels.std((0, 1, 2)), 1e-4), rtol=0, atol=5e-5
    )
    if len(held_out) == 1:
        assert len(splits.halve_held_out(store, 0).val) == 2


def own_table(folder, rows):
    for number, (name, *_) in enumerate(rows):
        raw_files.image(folder / name, number)
    raw_files.table(folder / "list.csv", ("path", "label", "split"), rows)
    return folder / "list.csv"


ROWS = [
    ("a/1.png", "bee", "train"),
    ("2.png", "ant", "val"),
    ("3.png", "ant", "train"),
    ("4.png", "NA", "train"),
    ("5.png", "bee", "val"),
]


def test_own_table(mirror):
    own_table(mirror, ROWS)
    store = build("image-folder", mirror, raw="list.csv")
    assert store.classes == ("NA", "ant", "bee")
    assert shown(store) == [0, 2, 3, 1, 4]
    assert store.labels.tolist() == [2, 1, 0, 1, 2]
    assert store.source["parts"] == {"train": [0, 3], "test": [3, 5]}
    assert str(mirror) not in Path("store/source.json").read_text()


def test_own_name_for_own_folder(mirror):
    raw_files.folders(mirror / "train", {"ant": 1, "bee": 1})
    raw_files.folders(mirror / "test", {"ant": 1})
    assert build("my-ants", source="image-folder", raw=str(mirror)).source["dataset"] == "my-ants"


# What readers refuse


def without_class(root):
    shutil.rmtree(root / "train" / "bee")
    (root / "train" / "bee").mkdir()


def foreign_class(root):
    raw_files.image(root / "test" / "wasp" / "1.png", 1)


def file_for_class_folders(root):
    shutil.rmtree(root / "test")
    (root / "test").write_text("")


def cut_image(root):
    path = root / "train" / "ant" / "0001.png"
    Image.effect_noise((32, 32), 50).save(path)
    path.write_bytes(path.read_bytes()[:-200])


def other_size(root):
    raw_files.image(root / "test" / "ant" / "0001.png", 1, (5, 4))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root / "train"), r"train: was not found"),
        (
            lambda root: shutil.rmtree(root / "test"),
            r"there are no held-out images; .*val, test or both",
        ),
        (without_class, r"no training image of the class bee"),
        (foreign_class, r"test/wasp: 'wasp' is not one of the 2 classes ant, bee"),
        (file_for_class_folders, r"test: is not a folder"),
        (lambda root: [shutil.rmtree(p) for p in (root / "train").iterdir()], "no class folders"),
        (cut_image, r"0001.png: is not a whole image"),
        (lambda root: (root / "train/bee/0000.png").write_text("no image"), r"not a whole image"),
        (other_size, r"0001.png: has 5×4 pixels, but the first image has 4×4; give `side`"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_spoilt_folders_are_refused(mirror, spoil, message, workers, monkeypatch):
    monkeypatch.setattr(decode, "CHUNK", 4)
    raw_files.folders(mirror / "train", {"ant": 3, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 2, "bee": 2})
    spoil(mirror)
    found = refused("image-folder", raw=str(mirror), workers=workers)
    assert re.search(message, found), found


def test_folder_that_may_not_be_read_is_named(mirror, monkeypatch):
    raw_files.folders(mirror / "train", {"ant": 1, "bee": 1})
    raw_files.folders(mirror / "test", {"ant": 1, "bee": 1})
    scandir = os.scandir

    def closed(path):
        # The super-user may read everything, so the refusal is the system's in name only.
        if Path(path).name == "bee":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert "train/bee: cannot be read: Permission denied" in refused(
        "image-folder", raw=str(mirror)
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [*ROWS, ("6.png", "wasp", "test")],
            "line 7: 'wasp' is not one of the 3 classes NA, ant, bee",
        ),
        ([*ROWS, ("6.png", "ant", "dev")], "line 7: split 'dev'; accepted: train, val, test"),
        ([("1.png", "ant", "test")], "no row has train"),
        ([("1.png", "ant", "train")], "there are no held-out images"),
    ],
)
def test_spoilt_tables_are_refused(mirror, rows, message):
    assert message in refused("image-folder", raw=str(own_table(mirror, rows)))


def test_tables_without_column_image_or_text_are_refused(mirror):
    path = own_table(mirror, ROWS)
    (mirror / "2.png").unlink()
    assert f"line 3: image {mirror / '2.png'} was not found" in refused(
        "image-folder", raw=str(path)
    )
    path.write_text("path,label\n")
    assert "column split missing; it has path, label" in refused("image-folder", raw=str(path))
    path.write_text("")
    assert "is not a CSV file" in refused("image-folder", raw=str(path))
    path.write_bytes(b"path,label,split\n\xff\xfe\n")
    assert "is not a CSV file" in refused("image-folder", raw=str(path))


def test_own_images_need_a_place(mirror):
    assert "name the folder or the CSV file" in refused("image-folder", mirror)
    found = refused("image-folder", mirror, raw="absent")
    assert f"looked for absent, {mirror / 'absent'}" in found
