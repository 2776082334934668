"""From images to a store: selection, size, colours, several processes."""

import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import raw_files
from PIL import Image
from stores import TENTH, build, bytes_of, refused, shown

from lotus.data import decode, splits
from lotus.data.build import verify_store
from lotus.data.store import open_store
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")


def test_limit_takes_the_first_of_each_class_and_part(mirror):
    raw_files.folders(mirror / "train", {"ant": 3, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 1, "bee": 3}, start=5)
    # What is not taken is not read.
    (mirror / "train" / "ant" / "0002.png").write_text("no image")
    store = build("image-folder", raw=str(mirror), limit=2)
    assert shown(store) == [0, 1, 3, 4, 5, 6, 7]
    assert "the first 2 of each class" in store.source["selection"]


def test_side_keeps_the_middle_as_torchvision_does(mirror):
    transforms = import_module("torchvision.transforms")
    rng = np.random.default_rng(0)
    wanted = []
    for number, (width, height) in enumerate([(20, 31), (33, 20), (20, 20), (9, 14)]):
        path = mirror / ("train" if number < 2 else "test") / ("ant", "bee")[number % 2]
        path = path / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8)).save(path)
        shape = transforms.Compose([transforms.Resize(12), transforms.CenterCrop(12)])
        wanted.append(np.asarray(shape(Image.open(path))))
    store = build("image-folder", raw=str(mirror), side=12)
    assert np.array_equal(store.images, np.stack(wanted))
    assert store.source["side"] == 12


def test_centre_of_a_store_of_256_is_that_of_the_published_view(tmp_path):
    transforms = import_module("torchvision.transforms")
    rng = np.random.default_rng(0)
    for size in [(300, 401), (401, 300), (257, 256), (500, 333)]:
        path = tmp_path / "image.png"
        Image.fromarray(rng.integers(256, size=(*size, 3), dtype=np.uint8)).save(path)
        view = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
        centre = decode.read_image(path, 256)[16:240, 16:240]
        assert np.array_equal(centre, np.asarray(view(Image.open(path))))


def test_side_is_refused_for_arrays(mirror):
    raw_files.cifar10(mirror / "cifar-10-batches-py")
    assert "side = 8" in refused("cifar10", mirror, content="any", side=8)


def test_kinds_of_images_become_rgb(tmp_path):
    path = tmp_path / "image.png"
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    grey = np.repeat(ramp[..., None], 3, axis=2)

    def read(image, name="PNG", **options):
        image.save(path, name, **options)
        return decode.read_image(path, None)

    assert np.array_equal(read(Image.fromarray(ramp)), grey)
    assert np.array_equal(read(Image.fromarray(ramp.astype(np.uint16) * 257)), grey)
    assert np.array_equal(read(Image.fromarray(ramp.astype(np.uint16) * 257), "TIFF"), grey)
    assert np.array_equal(read(Image.fromarray(ramp).convert("P")), grey)
    assert np.array_equal(read(Image.fromarray(np.dstack([grey, ramp]))), grey)
    assert np.array_equal(read(Image.fromarray(ramp).convert("1")) // 255 * 255,
                          read(Image.fromarray(ramp).convert("1")))  # fmt: skip
    cmyk = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    np.testing.assert_allclose(read(cmyk, "JPEG", quality=100)[0, 0], (0, 255, 255), atol=3)
    for mode in ("I", "F"):
        with pytest.raises(LotusError, match="more than 16 bits"):
            read(Image.fromarray(ramp.astype(np.int32 if mode == "I" else np.float32)), "TIFF")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_cut_off_jpegs_are_refused(tmp_path, progressive, share):
    path = tmp_path / "image.jpg"
    Image.effect_noise((64, 64), 80).save(path, progressive=progressive)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(LotusError, match="not a whole image"):
        decode.read_image(path, None)


def test_parallel_is_serial(mirror, monkeypatch):
    raw_files.folders(mirror / "train", {"ant": 600, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 2, "bee": 2})
    serial = bytes_of(build("image-folder", raw=str(mirror)))
    assert bytes_of(build("image-folder", raw=str(mirror), workers=2)) == serial


def test_no_room_is_said_before(mirror, monkeypatch):
    raw_files.folders(mirror / "train", {"ant": 2, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 2})
    usage = shutil.disk_usage(".")._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "need 0.0 GB, but only 0.0 GB are free" in refused("image-folder", raw=str(mirror))


def test_a_store_needs_no_raw_files(mirror):
    raw_files.folders(mirror / "train", {"ant": 10, "bee": 10})
    raw_files.folders(mirror / "test", {"ant": 2, "bee": 2}, start=20)
    shutil.make_archive(str(mirror / "mine"), "zip", mirror)
    build("image-folder", mirror, raw="mine.zip")
    shutil.rmtree(mirror)
    shutil.rmtree("data")
    store = open_store(Path("store"))
    verify_store(Path("store"), None, Path("verified.json"))
    assert shown(store) == list(range(24))
    assert splits.choose_forget_set(store, TENTH, 0).forget.tolist() == [0, 10]
    assert len(splits.halve_held_out(store, 0).test) == 2
