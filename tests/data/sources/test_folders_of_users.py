"""Folders as people have them: which files are images, which are passed over and named, what is refused."""

import os
import shutil
import socket
from pathlib import Path

import pytest
import raw_files
from own_images import left_out, read, refused, store_of
from PIL import Image, features
from torchvision.datasets import ImageFolder

from lotus.data import decode, image_files
from lotus.data.build import verify_store
from lotus.data.content import LeftOut, limited


def test_order_is_that_of_torchvision(own):
    for name in ("10.png", "2.PNG", "B.jpeg", "a b.png", "ü.png", "x.y.tif"):
        raw_files.image(own / "train" / "ant" / name, 1)
        raw_files.image(own / "train" / "ant" / "sub-1" / name, 1)
        raw_files.image(own / "train" / "ant" / "sub" / "deep" / name, 1)
        raw_files.image(own / "train" / "ant-2" / name, 1)
    theirs = ImageFolder(str(own / "train"))
    content = read(own)
    first, end = content.parts["train"]
    assert [str(path) for path in content.images.paths[first:end]] == [p for p, _ in theirs.samples]
    assert content.labels[first:end].tolist() == theirs.targets
    assert list(content.classes) == theirs.classes
    assert not content.left_out
    assert not content.remarks


COMPANIONS = [
    *(
        ".ipynb_checkpoints",
        ".git",
        ".Trash-1000",
        "__MACOSX",
        "__macosx",
        "@eaDir",
        "$RECYCLE.BIN",
    ),
    *("System Volume Information", "lost+found", "__pycache__", "ant~", ".AppleDouble"),
]


@pytest.mark.parametrize("name", COMPANIONS)
@pytest.mark.parametrize("place", ["train", "train/ant", "test", "."])
def test_companion_folders_hold_no_images(own, name, place):
    before = read(own)
    raw_files.image(own / place / name / "00-checkpoint.png", 9)
    content = read(own)
    assert content.classes == ("ant", "bee")
    assert content.images == before.images
    assert left_out(content) == {image_files.COMPANION: ((Path(place) / name).as_posix(),)}


@pytest.mark.parametrize(
    "name",
    [
        *("._0000.png", ".hidden.jpg", "Thumbs.db", "THUMBS.DB", "ehthumbs.db", "Desktop.ini"),
        *(".DS_Store", "Icon\r", "0000.png~", "#0000.png#", "~$notes.png", ".0000.png.swp"),
    ],
)
@pytest.mark.parametrize("place", ["train", "train/ant", "test/bee", "."])
def test_companion_files_are_no_images(own, name, place):
    (own / place / name).write_bytes(b"\0\5\x16\7")
    content = read(own)
    assert len(content.labels) == 6
    (names,) = left_out(content).values()
    assert names == ((Path(place) / name).as_posix().replace("\r", "\\r"),)


FORMATS = {
    **{
        ".gif": "GIF",
        ".jfif": "JPEG",
        ".jpe": "JPEG",
        ".apng": "PNG",
        ".pbm": "PPM",
        ".pnm": "PPM",
    },
    **{".dib": "DIB", ".ico": "ICO", ".qoi": "QOI", ".tga": "TGA", ".pcx": "PCX", ".JPG": "JPEG"},
    **{
        ".jp2": "JPEG2000",
        ".avif": "AVIF",
        ".webp": "WEBP",
        ".TIF": "TIFF",
        "": "PNG",
        ".17": "GIF",
    },
}


@pytest.mark.parametrize("ending", FORMATS)
def test_formats_that_pillow_reads_are_taken(own, ending):
    needed = {".avif": "avif", ".jp2": "jpg_2000"}.get(ending)
    if needed and not features.check(needed):
        pytest.skip(f"Pillow is built without {needed}")
    path = own / "train" / "ant" / f"photo{ending}"
    image = Image.new("1" if ending == ".pbm" else "RGB", (16, 16), 1)
    image.save(path, FORMATS[ending])
    content = read(own)
    assert path in content.images.paths
    assert not content.left_out
    assert decode.read_image(path, None).shape == (16, 16, 3)


def test_other_files_are_named_by_ending(own):
    folder = own / "train" / "ant"
    for name in ("photo.heic", "b.HEIC", "drawing.svg", "0.png.bak", "0.jpg.part", "notes.txt"):
        (folder / name).write_bytes(raw_files.encoded(1))
    for name in ("README", "empty", "Makefile.2"):
        (folder / name).write_text("P5 no image" if name == "README" else "")
    (folder / "St. Bernhard 3").write_bytes(raw_files.encoded(1))
    content = read(own)
    assert len(content.labels) == 7
    assert left_out(content) == {
        "files with the ending .heic": ("train/ant/b.HEIC", "train/ant/photo.heic"),
        "files with the ending .svg": ("train/ant/drawing.svg",),
        "files with the ending .bak": ("train/ant/0.png.bak",),
        "files with the ending .part": ("train/ant/0.jpg.part",),
        "files with the ending .txt": ("train/ant/notes.txt",),
        image_files.NO_IMAGE: ("train/ant/Makefile.2", "train/ant/README", "train/ant/empty"),
    }
    assert str(content.left_out[0]).startswith(
        "1 left out: files with the ending .bak: train/ant/0."
    )


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_class_of_which_all_is_left_out_says_so(own, part):
    for number, path in enumerate(sorted((own / part / "bee").iterdir())):
        path.rename(path.with_name(f"{number}.heic"))
    found = refused(own)
    assert f"{part}/bee: there is no image of the class 'bee'" in found
    assert "files with the ending .heic: bee/0.heic" in found


def test_pipes_sockets_and_links_to_nothing_are_left_out(own):
    folder = own / "train" / "ant"
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(own / "train" / "pipe")
    os.mkfifo(own / "pipe.png")
    (folder / "gone.png").symlink_to(own / "nowhere.png")
    (folder / "itself.png").symlink_to("itself.png")
    (folder / "device.png").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        place = os.open(folder, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{place}/s.png")
        os.close(place)
    content = read(own)
    assert len(content.labels) == 6
    assert left_out(content) == {
        image_files.SPECIAL: ("pipe.png", "train/ant/device.png", "train/ant/pipe.png", "train/ant/s.png",
                       "train/pipe"),
        image_files.DANGLING: ("train/ant/gone.png", "train/ant/itself.png"),
    }  # fmt: skip


def test_links_are_followed_and_loops_end(own, tmp_path):
    raw_files.image(tmp_path / "elsewhere" / "cow" / "1.png", 3)
    (own / "train" / "cow").symlink_to(tmp_path / "elsewhere" / "cow")
    (own / "train" / "ant" / "linked.png").symlink_to(tmp_path / "elsewhere/cow/1.png")
    (own / "train" / "ant" / "more").symlink_to(tmp_path / "elsewhere")
    assert len(read(own).labels) == 9
    assert not read(own).left_out
    (own / "train" / "ant" / "above").symlink_to("..")
    (own / "train" / "ant" / "self").symlink_to(".")
    (own / "train" / "up").symlink_to(own)
    (own / "train" / "again").symlink_to(own / "train")
    (tmp_path / "elsewhere" / "cow" / "back").symlink_to(tmp_path / "elsewhere")
    content = read(own)
    assert len(content.labels) == 9
    assert content.classes == ("ant", "bee", "cow")
    assert left_out(content) == {
        image_files.LOOP: (
            *("train/again", "train/ant/above", "train/ant/more/cow/back", "train/ant/self"),
            *("train/cow/back/cow", "train/up"),
        )
    }


def test_images_in_no_class_and_beside_the_parts_are_named(own):
    raw_files.image(own / "train" / "loose.png", 1)
    raw_files.image(own / "cover.jpg", 1)
    raw_files.folders(own / "validation", {"ant": 2})
    (own / "scripts").mkdir()
    (own / "scripts" / "run.py").write_text("")
    (own / "README.md").write_text("")
    assert left_out(read(own)) == {
        image_files.NO_CLASS: ("train/loose.png",),
        image_files.BESIDE: ("cover.jpg", "validation"),
    }


def test_the_parts_under_other_names_are_hinted_at(own):
    (own / "train").rename(own / "Train")
    assert "train: was not found" in refused(own)
    assert "'Train' is there: rename it to 'train'" in refused(own)
    (own / "Train").rename(own / "train")
    (own / "test").rename(own / "validation")
    assert "there are no held-out images" in refused(own)
    assert "it has validation" in refused(own)
    assert "'own' has it: name that folder" in refused(own.parent)


def test_a_hint_finds_folders_by_their_names_and_writes_them_printably(own):
    odd = own.rename(own.with_name("own\u200b"))
    assert r"'own\u200b' has it: name that folder" in refused(odd.parent)
    (odd / "train").rename(odd / "train\u3000")
    assert r"'train\u3000' is there: rename it to 'train'" in refused(odd)


def test_a_link_to_nothing_is_no_missing_part(own):
    shutil.rmtree(own / "test")
    (own / "test").symlink_to("nowhere")
    assert "test: is not a folder" in refused(own)


@pytest.mark.parametrize("classes", [{"ant": 2}, {}])
def test_a_single_class_is_refused(tmp_path, classes):
    for part in ("train", "test"):
        raw_files.folders(tmp_path / "own" / part, classes)
        (tmp_path / "own" / part).mkdir(parents=True, exist_ok=True)
    found = refused(tmp_path / "own")
    assert str(tmp_path / "own") in found
    assert ("at least two" in found and "level too high or too low" in found) or not classes


def test_what_is_left_out_is_listed_in_the_store(own, tmp_path, caplog):
    assert "left_out" not in store_of(own, tmp_path / "a").source
    for number in range(1_002):
        (own / "train" / "ant" / f"{number:04d}.txt").write_text("")
    (own / "train" / "ant" / ".DS_Store").write_text("")
    frames = [Image.new("RGB", (4, 4), (0, number, 7)) for number in range(3)]
    frames[0].save(own / "train" / "bee" / "moving.gif", save_all=True, append_images=frames[1:])
    store = store_of(own, tmp_path / "b")
    assert store.images.shape[0] == 7
    texts, companions, several = sorted(store.source["left_out"], key=lambda group: -group["count"])
    assert (texts["reason"], texts["count"]) == ("files with the ending .txt", 1_002)
    assert texts["names"] == [f"train/ant/{number:04d}.txt" for number in range(1_000)]
    assert companions["names"] == ["train/ant/.DS_Store"]
    assert several == {"reason": image_files.FRAMES, "count": 1, "names": ["train/bee/moving.gif"]}
    assert caplog.text.count("1,002 left out: files with the ending .txt: train/ant/0000.txt") == 1
    assert caplog.text.count("train/bee/moving.gif") == 1
    verify_store(tmp_path / "b" / "store", None, tmp_path / "record.json")
    assert "moving.gif" in (tmp_path / "record.json").read_text()
    assert str(tmp_path) not in (tmp_path / "b" / "store" / "source.json").read_text()


def test_what_is_left_out_stays_with_a_selection(own):
    (own / "train" / "ant" / "notes.txt").write_text("")
    content = limited(read(own), 1)
    assert content.left_out == (LeftOut("files with the ending .txt", ("train/ant/notes.txt",)),)
