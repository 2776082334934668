"""Images that cannot be decoded are named in one line."""

import pytest
import raw_files
from own_images import store_of
from PIL import Image

from lotus.data import decode
from lotus.errors import LotusError


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), OverflowError(), MemoryError(), IndexError(), RecursionError(), TypeError()],
)
def test_errors_of_every_kind_name_the_file(tmp_path, monkeypatch, error):
    def load(_):
        raise error

    raw_files.image(tmp_path / "1.png", 1)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
    with pytest.raises(LotusError, match=r"1\.png: "):
        decode.read_image(tmp_path / "1.png", None)


def test_damaged_images_are_named_together(own, tmp_path):
    for name in ("ant/0000.png", "ant/0001.png", "bee/0001.png"):
        (own / "train" / name).write_bytes(b"no image")
    for options in ({}, {"side": 4}):
        with pytest.raises(LotusError) as error:
            store_of(own, tmp_path / "built", **options)
        assert "train/ant/0000.png: is not a whole image" in str(error.value)
        assert "These cannot be read either: 0001.png, 0001.png" in str(error.value)
        assert not list((tmp_path / "built").glob("*decode*"))


def test_what_getting_it_again_does_not_help(tmp_path, monkeypatch):
    path = tmp_path / "image.tiff"
    Image.new("CMYK", (4, 4)).save(path)
    with monkeypatch.context() as patched:
        patched.setattr(Image.Image, "convert", lambda *_: int("no conversion"))
        with pytest.raises(LotusError, match="colours of mode CMYK") as error:
            decode.read_image(path, None)
    assert "get it again" not in str(error.value)
    Image.new("RGB", (1, 30_000)).save(path)
    with pytest.raises(LotusError, match="too far from a square"):
        decode.read_image(path, 256)
    Image.new("RGB", (4, 4)).save(path, "EPS")
    with pytest.raises(LotusError, match="is a drawing"):
        decode.read_image(path, None)
