"""MUFAC without its look-alikes: what is kept, and which mistakes are answered."""

import csv
import json
from pathlib import Path

import pytest
from commands import call
from pictures import pictures
from PIL import Image


@pytest.fixture
def mufac(tmp_path, monkeypatch):
    """MUFAC's layout: 10 training, 4 validation, 4 test images; the first 4 rows are forgotten.

    Rows 1 and 2 (forget) and 5 (retain) look alike, 6 (retain) and 0 (test), 1 (val) and 1 (test).
    """
    monkeypatch.chdir(tmp_path)
    images = iter(pictures(18, size=32))
    first = {}
    for split, count in {"train": 10, "val": 4, "test": 4}.items():
        folder = Path("mufac") / f"{split}_images"
        folder.mkdir(parents=True)
        lines = ["family_id,person_id,age_class,image_path"]
        for row in range(count):
            name = f"F{row:04}_AGE_D_18_a1.png"
            first[split, row] = next(images)
            Image.fromarray(first[split, row]).save(folder / name)
            lines.append(f'F{row:04},D,"a",{name}' if row else f"F{row:04},NA,a,{name}")
        Path("mufac", f"custom_{split}_dataset.csv").write_text("\n".join(lines) + "\n")
    same = {("train", 2): 1, ("train", 5): 1, ("test", 0): 6}
    for (split, row), of in same.items():
        put(split, row, first["train", of])
    put("val", 1, first["test", 1])
    return tmp_path


def put(split, row, image):
    Image.fromarray(image).save(Path("mufac") / f"{split}_images/F{row:04}_AGE_D_18_a1.png")


CLEAN = ["clean-mufac", "mufac", "mufac_clean", "--forget-rows", 4, "--workers", 1]


def rows_of(split, folder="mufac_clean"):
    with Path(folder, f"custom_{split}_dataset.csv").open() as file:
        return [int(line["family_id"][1:]) for line in csv.DictReader(file)]


def test_mufac_is_cleaned(mufac):
    result = call(*CLEAN)
    assert result.exit_code == 0, result.output
    assert rows_of("train") == [0, 1, 3, 4, 7, 8, 9]
    assert rows_of("val") == [0, 2, 3]
    assert rows_of("test") == [0, 1, 2, 3]
    head, line = Path("mufac_clean/custom_train_dataset.csv").read_text().splitlines()[:2]
    assert head == "family_id,person_id,age_class,image_path"
    assert line == "F0000,NA,a,F0000_AGE_D_18_a1.png"
    for split in ("train", "val", "test"):
        names = {path.name for path in Path("mufac_clean", f"{split}_images").iterdir()}
        assert names == {f"F{row:04}_AGE_D_18_a1.png" for row in rows_of(split)}
        for name in names:
            mine, theirs = (Path(f, f"{split}_images", name) for f in ("mufac_clean", "mufac"))
            assert mine.samefile(theirs)
    printed = [line.split() for line in result.output.splitlines()]
    for line in (
        ["forget", "4", "3", "1062"],
        ["retain", "6", "4", "5513"],
        ["val", "4", "3", "1211"],
        ["test", "4", "4", "1118"],
        ["forget", "1", "496"],
        ["forget-retain", "2", "26"],
        ["train-test", "1", "54"],
        ["train-val", "0", "0"],
        ["val-test", "1", "16"],
    ):
        assert line in printed
    record = json.loads(Path("mufac_clean/cleaning.json").read_text())
    assert record["notes"]["after"] == {"forget": 3, "retain": 4, "val": 3, "test": 4}
    assert call("clean-mufac", "mufac_clean", "again", "--forget-rows", 3).exit_code == 0
    assert rows_of("train", "again") == rows_of("train")


def test_images_are_copied_where_links_fail(mufac, monkeypatch):
    def refuse(*_):
        raise OSError("another file system")

    monkeypatch.setattr("os.link", refuse)
    assert call(*CLEAN).exit_code == 0
    name = "test_images/F0000_AGE_D_18_a1.png"
    mine, theirs = Path("mufac_clean", name), Path("mufac", name)
    assert not mine.samefile(theirs)
    assert mine.read_bytes() == theirs.read_bytes()


def without_csv():
    Path("mufac/custom_val_dataset.csv").unlink()


def without_column():
    path = Path("mufac/custom_test_dataset.csv")
    path.write_text(path.read_text().replace("age_class", "age"))


def without_image():
    Path("mufac/train_images/F0003_AGE_D_18_a1.png").unlink()


def with_path():
    path = Path("mufac/custom_val_dataset.csv")
    path.write_text(path.read_text().replace("F0002_AGE", "../test_images/F0002_AGE"))


def with_damaged_image():
    Path("mufac/val_images/F0000_AGE_D_18_a1.png").write_bytes(b"no image")


def with_empty_csv():
    Path("mufac/custom_train_dataset.csv").write_text("")


def with_few_rows():
    path = Path("mufac/custom_train_dataset.csv")
    path.write_text("\n".join(path.read_text().splitlines()[:5]) + "\n")


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (without_csv, ["mufac/custom_val_dataset.csv", "was not found"]),
        (
            without_column,
            ["custom_test_dataset.csv: column age_class missing", "it has family_id, person_id"],
        ),
        (without_image, ["custom_train_dataset.csv, line 5", "F0003_AGE", "mufac/train_images"]),
        (with_path, ["custom_val_dataset.csv, line 4", "../test_images/F0002"]),
        (with_damaged_image, ["val_images/F0000_AGE_D_18_a1.png: cannot be read as an image"]),
        (with_empty_csv, ["custom_train_dataset.csv: is not a CSV file"]),
        (with_few_rows, ["custom_train_dataset.csv: 4 rows", "--forget-rows 4"]),
        (lambda: Path("mufac_clean").mkdir(), ["mufac_clean: exists already"]),
    ],
)
def test_mistakes_in_mufac_are_answered_in_one_line(mufac, damage, parts):
    damage()
    before = sorted(mufac.rglob("*"))
    result = call(*CLEAN)
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
    for part in parts:
        assert part in result.output
    assert sorted(mufac.rglob("*")) == before
