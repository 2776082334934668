"""Sheets of small pictures of forget images."""

import json

import numpy as np
import pytest
from PIL import Image

from lotus.data import forget_sheet
from lotus.data.content import Content
from lotus.data.forget_sheet import BYTES, MOST, SIDE, read_forget_sheet, write_forget_sheet
from lotus.data.splits import ForgetSet, save_forget_set
from lotus.data.store import write_store
from lotus.errors import LotusError


@pytest.fixture
def sheet_of(tmp_path):
    """Draws the sheet of some images of a store: the list, the pixels, the record."""

    def make(forget, shape=(4, 5, 1), total=300):
        rng = np.random.default_rng(0)
        images = rng.integers(255, size=(total, *shape), dtype=np.uint8)
        labels = np.arange(total) % 3
        content = Content(
            images, labels, {"train": (0, total - 3), "test": (total - 3, total)}, ("a", "b", "c")
        )
        write_store(tmp_path / "store", images, content, {"dataset": "d"}, None)
        ids = np.array(forget)
        retain = np.setdiff1d(np.arange(total - 3), ids)
        save_forget_set(tmp_path / "set.json", ForgetSet("some", ids, retain, False))
        out = tmp_path / "sheet.png"
        record = tmp_path / "record.json"
        write_forget_sheet(tmp_path / "store", tmp_path / "set.json", {"seed": 1}, out, record)
        pixels = np.asarray(Image.open(out))
        return read_forget_sheet(out.with_suffix(".json")), pixels, images, record

    return make


def test_each_picture_is_its_image(sheet_of):
    sheet, pixels, images, record = sheet_of([*range(0, 24, 2)])
    assert sheet.positions == tuple(range(0, 24, 2))
    assert sheet.classes == tuple("abc"[at % 3] for at in sheet.positions)
    assert (sheet.images, sheet.height, sheet.width, sheet.columns) == (12, 4, 5, 10)
    assert pixels.shape == (8, 50)
    for number, at in enumerate(sheet.positions):
        line, column = divmod(number, 10)
        tile = pixels[4 * line : 4 * line + 4, 5 * column : 5 * column + 5]
        assert np.array_equal(tile, images[at, :, :, 0])
    assert (pixels[4:, 10:] == 255).all()
    stated = json.loads(record.read_text())
    assert stated["kind"] == "forget-sheet"
    assert [path.rpartition(".")[2] for path in stated["outputs"]] == ["png", "json"]


def test_of_many_images_some_are_shown_from_first_to_last(sheet_of):
    sheet, _, _, _ = sheet_of([*range(250)])
    assert (sheet.images, len(sheet.positions)) == (250, MOST)
    assert (sheet.positions[0], sheet.positions[-1]) == (0, 249)
    assert len({*sheet.positions}) == MOST


def test_large_images_are_made_small_and_fewer(sheet_of):
    sheet, pixels, _, _ = sheet_of([*range(60)], shape=(50, 100, 3), total=80)
    assert (sheet.height, sheet.width) == (SIDE // 2, SIDE)
    assert pixels.shape[2] == 3
    assert len(sheet.positions) * sheet.height * sheet.width * 3 <= BYTES
    assert len(sheet.positions) > 10


def test_the_same_images_give_the_same_bytes(sheet_of, tmp_path):
    found = []
    for _ in range(2):
        sheet_of([1, 5, 9])
        found.append([(tmp_path / name).read_bytes() for name in ("sheet.png", "sheet.json")])
    assert found[0] == found[1]


def test_a_set_of_another_store_is_refused(sheet_of):
    with pytest.raises(
        LotusError, match=r"names the image 999, and .*store has 300; it is of another store"
    ):
        sheet_of([1, 999])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": 0}, "columns: Input should be greater than 0"),
        ({"positions": "all"}, "positions"),
        ({"classes": ["a"]}, "3 positions of 1 pictures"),
    ],
)
def test_a_damaged_list_is_refused(sheet_of, tmp_path, change, said):
    sheet_of([1, 5, 9])
    path = tmp_path / "sheet.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(LotusError, match=said):
        forget_sheet.read_forget_sheet(path)
