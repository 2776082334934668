"""A user's own images as people really have them: what is taken, passed over and refused."""

import csv
import io
import os
import random
import shutil
import socket
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import raw_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features
from torchvision.datasets import ImageFolder

from lotus.config.images import StoreOptions
from lotus.data import archives, decode, image_files
from lotus.data.build import build_store, fetch_raw, verify_store
from lotus.data.content import LeftOut, check, limited
from lotus.data.sources import image_folder
from lotus.data.sources._folders import read_csv, read_rows
from lotus.data.store import open_store
from lotus.errors import LotusError

NFC, NFD = "été", "e\u0301te\u0301"


@pytest.fixture
def own(tmp_path):
    """Two classes of two training images and one test image each."""
    start = raw_files.folders(tmp_path / "own" / "train", {"ant": 2, "bee": 2})
    raw_files.folders(tmp_path / "own" / "test", {"ant": 1, "bee": 1}, start)
    return tmp_path / "own"


def read(place):
    content = image_folder.read((place,))
    check("own", content)
    return content


def left_out(content):
    return {group.reason: group.names for group in content.left_out}


def refused(place):
    with pytest.raises(LotusError) as error:
        read(place)
    assert str(error.value).isprintable(), str(error.value)
    return str(error.value)


def store_of(place, folder, **options):
    chosen = StoreOptions(source="image-folder", raw=str(place), **options)
    folder.mkdir(exist_ok=True)
    fetch_raw("own", chosen, (), folder / "raw.json")
    build_store("own", chosen, folder / "raw.json", folder / "store", None, 1)
    return open_store(folder / "store")


# What is in a folder


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
    assert f"{part}/bee: no image of the class 'bee'" in found
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
    assert "train: not found" in refused(own)
    assert "there is 'Train': rename it to 'train'" in refused(own)
    (own / "Train").rename(own / "train")
    (own / "test").rename(own / "validation")
    assert "nothing held out" in refused(own)
    assert "there are validation" in refused(own)
    assert "it is in 'own': name that folder" in refused(own.parent)


def test_a_link_to_nothing_is_no_missing_part(own):
    shutil.rmtree(own / "test")
    (own / "test").symlink_to("nowhere")
    assert "test: is no folder" in refused(own)


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


# Names


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
    assert "'Bee' is none of the 2 classes ant, bee" in found
    assert "letter case" in found


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


# Tables


@pytest.fixture
def table(tmp_path):
    """Writes `t.csv` of bytes, beside six images."""
    for number in range(6):
        raw_files.image(tmp_path / f"{number}.png", number)

    def write(content):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


HEAD = "path,label,split\n"
GOOD = HEAD + "0.png,ant,train\n1.png,bee,train\n2.png,ant,test\n"


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\n\n"),
        "\n \n" + GOOD,
        GOOD.replace("ant", '"ant"'),
        "path,label,split,,\n0.png,ant,train,,\n1.png,bee,train,,\n2.png,ant,test,,\n",
        ",split,label,path\n0,train,ant,0.png\n1,train,bee,1.png\n2,test,ant,2.png\n",
    ],
)
def test_tables_as_programs_write_them(table, content):
    found = read(table(content))
    assert found.classes == ("ant", "bee")
    assert [path.name for path in found.images.paths] == ["0.png", "1.png", "2.png"]
    assert not found.remarks


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + "\n\n0.png,ant,trian\n", "line 4: split 'trian'"),
        (HEAD + '0.png,"a\nb",train\n', "line 2: label 'a\\nb' has control"),
        (
            'path,note,label,split\n0.png,"a\n\nb",ant,train\n1.png,,bee,dev\n',
            "line 5: split 'dev'",
        ),
        (GOOD.replace("\n", "\r") + "3.png,ant,x\r", "line 5: split 'x'"),
        (GOOD.replace("\n", "\r\n") + "\r\n3.png,ant,x\r\n", "line 6: split 'x'"),
        (GOOD + "3.png,,train\n", "line 5: label is empty"),
        (GOOD + "3.png,  ,train\n", "line 5: label is empty"),
        (GOOD + ",ant,train\n", "line 5: path is empty"),
        (GOOD + ".,ant,train\n", "line 5: image {folder} is a folder"),
        (GOOD + "9.png,ant,train\n", "line 5: image {folder}/9.png not found"),
        (GOOD + "3.png ,ant,train\n", "without the blanks"),
        (GOOD + "x" * 300 + ",ant,train\n", "line 5: image {folder}/xxx"),
        (GOOD + "3.png,ant\n", "line 5: 2 fields, the header has 3"),
        (GOOD + "3.png,ant,train,\n", "line 5: 4 fields, the header has 3"),
        (GOOD + "3.png,a\0nt,train\n", "line 5: label 'a\\x00nt' has control"),
        (GOOD + '"3.png,ant,train\n4.png,ant,train\n', "line 5: no CSV file: unexpected end"),
        (GOOD + '"3.png"x,ant,train\n', "line 5: no CSV file"),
        (GOOD.replace(",", ";"), "separated by ';'"),
        (GOOD.replace(",", "\t"), "separated by '\\t'"),
        (GOOD.replace("split", "path"), "column split missing"),
        (GOOD.replace("label", "Label"), "write 'label' for 'Label'"),
        (GOOD.replace(",split", ", split"), "write 'split' for ' split'"),
        ("path,label,split,label\n0.png,ant,train,x\n", "two columns are called 'label'"),
        (HEAD, "no rows"),
        ("", "no CSV file: it is empty"),
        ("\n\n", "no CSV file: it is empty"),
        (GOOD.encode("utf-16"), "it is UTF-16; save it as UTF-8"),
        (GOOD.encode("utf-16-le"), "it is UTF-16; save it as UTF-8"),
        (GOOD.encode() + b"\n3.png,caf\xe9,train\n", "line 6: no CSV file in UTF-8"),
        (b"\xef\xbb\xbf" + GOOD.encode() + b"\xff\n", "line 5: no CSV file in UTF-8"),
        (HEAD + "0.png,ant,train\n1.png,ant,test\n", "a single class, 'ant'"),
    ],
)
def test_spoilt_tables_name_the_line(table, content, message):
    path = table(content)
    found = refused(path)
    assert message.format(folder=path.parent) in found, found
    assert str(path) in found


def test_backslashes_of_windows_part_folders(table, tmp_path):
    raw_files.image(tmp_path / "a" / "b" / "1.png", 1)
    found = read(table(GOOD + "a\\b\\1.png,ant,train\n"))
    assert tmp_path / "a/b/1.png" in found.images.paths


def test_blanks_about_a_label_are_said(table):
    (remark,) = read(table(GOOD.replace("bee", " bee"))).remarks
    assert "line 3: the label ' bee' has blanks at its ends" in remark


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0.png,ant,train", "several rows: 1 (lines 2 and 5)"),
        ("./0.png,ant,train", "several rows: 1 (lines 2 and 5)"),
        ("0.png,bee,train", "with different labels: 1 (lines 2 and 5)"),
        ("0.png,ant,test", "in different parts: 1 (lines 2 and 5)"),
    ],
)
def test_an_image_in_several_rows_is_said(table, row, words):
    content = read(table(GOOD + row + "\n"))
    assert len(content.labels) == 4
    (remark,) = content.remarks
    assert words in remark
    assert not content.left_out


def test_tables_are_written_as_they_were_read(table):
    text = 'path,label,note\nNA,007,"two\nlines, ""so"""\n,1.0,\n'
    path = table(text)
    frame = read_csv(path, ("path", "label")).frame()
    assert list(frame.index) == [0, 1]
    frame.to_csv(path, index=False)
    assert path.read_text() == text
    assert read_rows(path, ("label", "path")) == [(2, ("007", "NA")), (4, ("1.0", ""))]
    assert read_csv(path, ("label",)).place(1) == f"{path}: line 4"


def test_other_files_in_place_of_a_table(tmp_path):
    (tmp_path / "images.rar").write_bytes(b"Rar!\x1a\7")
    assert "an archive that can be unpacked (zip, tar" in refused(tmp_path / "images.rar")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LotusError, match="neither a folder nor a regular file"):
        store_of(tmp_path / "pipe", tmp_path / "built")


# Archives


def written(own, path, form=lambda name: name, extra=()):
    with zipfile.ZipFile(path, "w") as opened:
        for file in sorted(own.rglob("*.png")):
            opened.writestr(form(file.relative_to(own.parent).as_posix()), file.read_bytes())
        for name in extra:
            opened.writestr(name, b"\0\5\x16\7")
    return path


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize(
    "extra",
    [(), ("__MACOSX/own/train/ant/._0000.png",), (".DS_Store", "__MACOSX/._own", "Thumbs.db")],
)
def test_what_systems_put_into_archives_is_passed_over(own, tmp_path, project, extra):
    store = store_of(written(own, tmp_path / "own.zip", extra=extra), project / "built")
    assert raw_files.numbers(store.images) == list(range(6))
    assert "left_out" not in store.source


def test_archives_of_windows_have_folders(own, tmp_path, project):
    path = written(
        own, tmp_path / "own.zip", lambda name: name.replace("/", "\\"), ["own\\empty\\"]
    )
    assert raw_files.numbers(store_of(path, project / "built").images) == list(range(6))
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as opened:
        opened.writestr("..\\outside.png", b"")
    with pytest.raises(LotusError, match="lies outside"):
        store_of(tmp_path / "out.zip", project / "built")


@pytest.mark.parametrize("mtime", [-1, 2**40, 1e300, float("nan")])
def test_times_that_no_system_has(tmp_path, mtime):
    info = tarfile.TarInfo("own/1.png")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as opened:
        info.pax_headers = {"mtime": str(mtime)}
        opened.addfile(info)
    folder = archives.unpacked(tmp_path / "a.tar", tmp_path / "cache", "0" * 64)
    assert (folder / "own" / "1.png").exists()


# Any bytes

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
        assert "train/ant/0000.png: not a whole image" in str(error.value)
        assert "Others cannot be taken either: 0001.png, 0001.png" in str(error.value)
        assert not list((tmp_path / "built").glob("*decode*"))


def test_what_getting_it_again_does_not_help(tmp_path, monkeypatch):
    path = tmp_path / "image.tiff"
    Image.new("CMYK", (4, 4)).save(path)
    with monkeypatch.context() as patched:
        patched.setattr(Image.Image, "convert", lambda *_: int("no conversion"))
        with pytest.raises(LotusError, match="colours of the kind CMYK") as error:
            decode.read_image(path, None)
    assert "get it again" not in str(error.value)
    Image.new("RGB", (1, 30_000)).save(path)
    with pytest.raises(LotusError, match="too far from a square"):
        decode.read_image(path, 256)
    Image.new("RGB", (4, 4)).save(path, "EPS")
    with pytest.raises(LotusError, match="a drawing"):
        decode.read_image(path, None)


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
