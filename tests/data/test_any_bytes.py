"""Any bytes of an image, table or archive and any tree of folders are read or refused in one line."""

import csv
import io
import os
import random
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import raw_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_images import GOOD, NFC, NFD, read
from PIL import Image

from lotus.data import archives, decode, image_files
from lotus.errors import LotusError

FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def damaged(content, seed):
    """The bytes with some changed, put in, left out or cut off."""
    chance, result = random.Random(seed), bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 12))):
        at = chance.randrange(len(result) + 1)
        kind = chance.randrange(4)
        if kind == 0 and at < len(result):
            result[at] = chance.choice((0, 255, chance.randrange(256)))
        elif kind == 1:
            result[at:at] = chance.randbytes(chance.randrange(1, 5))
        elif kind == 2:
            del result[at : at + chance.randrange(1, 9)]
        elif chance.random() < 0.3:
            del result[at:]
    return bytes(result)


def result_or_refusal(work):
    """What the work gives; None if it is refused in one line. Anything else is a mistake."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return work()
        except LotusError as error:
            said = str(error)
    assert said
    assert said.isprintable(), said
    return None


IMAGES = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "TGA", "PCX", "ICO", "QOI")


@FUZZ
@given(st.sampled_from(IMAGES), st.integers(0, 2**32), st.sampled_from([None, 8]))
def test_any_bytes_of_an_image(tmp_path, name, seed, side):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(256, size=(16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, name)
    path = tmp_path / f"image.{name.lower()}"
    path.write_bytes(damaged(file.getvalue(), seed))
    image = result_or_refusal(lambda: decode.read_image(path, side))
    assert image is None or (image.dtype == np.uint8 and image.shape[2] == 3)
    assert result_or_refusal(lambda: decode.holds_several(path)) in (True, False)
    bare = path.rename(tmp_path / "image")
    assert isinstance(image_files.why_no_image(bare), str)


ODD = st.sampled_from(
    [
        *(
            b".DS_Store",
            b"._a.png",
            b"Thumbs.db",
            b"a.png",
            b"b.JPG",
            b"caf\xe9.png",
            b"a\nb.png",
            b"x",
        ),
        *(
            b"notes.txt",
            b"a.heic",
            b"7",
            b"__MACOSX",
            NFC.encode(),
            NFD.encode(),
            b"ant",
            b"ant ",
            b"~",
        ),
        *(
            b".ipynb_checkpoints",
            b"a\\b",
            b"1",
            b"1.0",
            b"A",
            b"a",
            b"\xff",
            b"lost+found",
            b"a.png~",
        ),
    ]
)
KIND = st.sampled_from(
    ["image", "image", "text", "empty", "folder", "pipe", "nowhere", "up", "link"]
)
TREE = st.lists(st.tuples(st.lists(ODD, min_size=1, max_size=3), KIND), max_size=12)


def plant(root, entries):
    for names, kind in entries:
        path = root.joinpath(*map(os.fsdecode, names))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "folder":
                path.mkdir()
            elif kind == "pipe":
                os.mkfifo(path)
            elif kind in ("nowhere", "up", "link"):
                target = {"nowhere": "gone", "up": root, "link": root.parent / "train" / "ant"}
                path.symlink_to(target[kind])
            elif not path.exists():
                path.write_bytes({"image": raw_files.encoded(1), "text": b"a"}.get(kind, b""))
        except (FileExistsError, NotADirectoryError, OSError):
            continue


@FUZZ
@given(TREE, TREE)
def test_any_tree_of_folders(train, test):
    with tempfile.TemporaryDirectory() as place:
        own = Path(place, "own")
        start = raw_files.folders(own / "train", {"ant": 1, "bee": 1})
        raw_files.folders(own / "test", {"ant": 1, "bee": 1}, start)
        plant(own / "train", train)
        plant(own / "test", test)
        content = result_or_refusal(lambda: read(own))
        if content is not None:
            assert all(path.is_file() for path in content.images.paths)
            assert all(not image_files.is_companion(path.name) for path in content.images.paths)
            assert {"ant", "bee"} <= set(content.classes)
            assert len(content.labels) == len(content.images.paths)
            assert all(name.isprintable() for group in content.left_out for name in group.names)


CELL = st.one_of(
    st.sampled_from(
        ["0.png", "1.png", "ant", "bee", "train", "test", "val", "", " ", '"', "a\nb", "1"]
    ),
    st.text(max_size=4).filter(lambda text: text.isprintable() or "\n" in text),
)


@FUZZ
@given(st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=5), st.integers(0, 2**32))
def test_any_bytes_of_a_table(table, rows, seed):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    path = table(damaged((GOOD + file.getvalue()).encode(), seed))
    content = result_or_refusal(lambda: read(path))
    if content is not None:
        assert all(path.is_file() for path in content.images.paths)
        assert all(name.strip() and name.isprintable() for name in content.classes)


@FUZZ
@given(st.sampled_from(["zip", "stored", "tar", "tar.gz", "tar.xz"]), st.integers(0, 2**32))
def test_any_bytes_of_an_archive(kind, seed):
    with tempfile.TemporaryDirectory() as place:
        root, path = Path(place), Path(place, "own.archive")
        members = {f"own/train/{name}/1.png": raw_files.encoded(1) for name in ("ant", "bee", NFC)}
        if kind in ("zip", "stored"):
            compression = zipfile.ZIP_DEFLATED if kind == "zip" else zipfile.ZIP_STORED
            with zipfile.ZipFile(path, "w", compression) as opened:
                for name, content in members.items():
                    opened.writestr(name, content)
        else:
            raw_files.tar(path, members, f"w:{kind[4:]}")
        path.write_bytes(damaged(path.read_bytes(), seed))
        folder = result_or_refusal(lambda: archives.unpacked(path, root / "cache", "0" * 64))
        left = (
            [item.name for item in (root / "cache").iterdir()] if (root / "cache").exists() else []
        )
        assert left == ([] if folder is None else [folder.name])
        assert sorted(item.name for item in root.iterdir()) in (
            ["cache", "own.archive"],
            ["own.archive"],
        )
