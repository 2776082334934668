"""Data sets from their publishers' files to a store, on generated files in the exact layouts."""

import os
import pickle
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import pytest
import raw_files
import torchvision.datasets
from PIL import Image

from lotus.config.images import StoreOptions
from lotus.config.scenarios import Scenario
from lotus.data import decode, sources, splits
from lotus.data import raw as raw_module
from lotus.data.build import build_store, fetch_raw, verify_store
from lotus.data.content import digest
from lotus.data.sources import cifar10, imagenet1k
from lotus.data.sources._tiny_imagenet import CLASSES as TINY
from lotus.data.store import open_store
from lotus.errors import LotusError

TENTH = Scenario(forget_fraction=0.1)


@pytest.fixture(autouse=True)
def empty_project(tmp_path, monkeypatch):
    """Downloads, unpacked archives and stores go below the current folder."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    return tmp_path / "mirror"


def build(dataset, *mirrors, workers=1, out="store", **options):
    """What `lotus fetch` and `lotus store` do."""
    chosen = StoreOptions(**options)
    fetch_raw(dataset, chosen, tuple(map(str, mirrors)), Path("raw.json"))
    build_store(dataset, chosen, Path("raw.json"), Path(out), None, workers)
    return open_store(Path(out))


def refused(*arguments, **options):
    """The one line of the error; nothing half done may stay behind."""
    with pytest.raises(LotusError) as error:
        build(*arguments, **options)
    assert "\n" not in str(error.value)
    left = {path.name for path in Path().rglob("*") if path.is_file()}
    assert left <= {"raw.json"}, left
    assert not list(Path().rglob(".*"))
    return str(error.value)


def shown(store):
    return raw_files.numbers(store.images)


# Layouts


def test_tiny_imagenet(mirror):
    raw_files.tiny_imagenet(mirror / "tiny-imagenet-200")
    store = build("tiny-imagenet", mirror, content="any")
    assert store.classes == tuple(TINY.values()) == sources.source("tiny-imagenet").classes
    assert shown(store) == [*range(400), 1000, 1001, 1002]
    assert store.labels.tolist() == [*np.repeat(range(200), 2), 7, 7, 199]
    assert store.source["parts"] == {"train": [0, 400], "test": [400, 403]}


@pytest.mark.parametrize("suffix", ["", "-clean"])
@pytest.mark.parametrize("form", ["folder", "zip", "archive of its files alone"])
def test_mufac(mirror, suffix, form):
    name = f"custom_korean_family_dataset_resolution_128{suffix.replace('-', '_')}"
    folder = raw_files.mufac(mirror / name)
    options = {"content": "any"}
    if form == "zip":
        shutil.make_archive(str(folder), "zip", mirror, name)
        shutil.rmtree(folder)
    elif form != "folder":
        shutil.make_archive(str(mirror / "other"), "gztar", folder)
        shutil.rmtree(folder)
        options["raw"] = "other.tar.gz"
    store = build(f"mufac{suffix}", mirror, **options)
    assert store.source["parts"] == {"train": [0, 8], "val": [8, 16], "test": [16, 24]}
    assert shown(store) == list(range(24))
    assert store.labels.tolist() == 3 * [7, 6, 5, 4, 3, 2, 1, 0]
    assert (store.mean, store.std) == ((0, 0, 0), (1, 1, 1))
    chosen = splits.choose_forget_set(store, Scenario(forget_first=3), 0)
    assert sorted(chosen.forget) == [0, 1, 2]


@pytest.mark.parametrize("place", ["", "imagenet1k", "ILSVRC2012"])
def test_imagenet_in_folders(mirror, place):
    root = mirror / place
    raw_files.folders(root / "train", {"n01": 52, "n02": 53}, size=(6, 8))
    raw_files.folders(root / "val", {"n02": 1, "n01": 2}, start=200, size=(9, 6))
    store = build("imagenet1k", mirror, content="any", side=4)
    assert store.classes == ("n01", "n02")
    assert shown(store) == [*range(50), *range(52, 102), 201, 202, 200]
    assert store.images.shape[1:] == (4, 4, 3)
    assert sources.source("imagenet1k").read((root / "train", root / "val")).images.side == 256


def published(monkeypatch, module, folder):
    """Declares the files of a folder the published ones."""
    files = tuple(
        replace(file, md5=raw_files.md5_of(folder / file.name)) for file in module.SOURCE.files
    )
    monkeypatch.setattr(module, "SOURCE", replace(module.SOURCE, files=files))


def test_imagenet_in_archives(mirror, monkeypatch):
    wnids = ["n01", "n02", "n03"]
    held_out = raw_files.imagenet(mirror / "imagenet1k", wnids, 51)
    published(monkeypatch, imagenet1k, mirror / "imagenet1k")
    kit = "ILSVRC2012_devkit_t12.tar.gz"
    md5 = raw_files.md5_of(mirror / "imagenet1k" / kit)
    monkeypatch.setitem(torchvision.datasets.imagenet.ARCHIVE_META, "devkit", (kit, md5))
    store = build("imagenet1k", mirror, side=4)
    train = [100 * label + j for label in range(3) for j in range(50)]
    assert shown(store) == [*train, 1000, 1001, 1002, 1003]
    assert store.labels[150:].tolist() == held_out
    assert store.source["checked_by"] == "checksums of the publisher"
    # Only what is read was unpacked, and nothing written beside the archives.
    assert len(list(Path("data/raw").rglob("*.JPEG"))) == 154
    assert len(list((mirror / "imagenet1k").iterdir())) == 3


def test_imagenet_with_a_kit_of_other_images(mirror, monkeypatch):
    raw_files.imagenet(mirror / "imagenet1k", ["n01", "n02"], 2)
    kit = mirror / "imagenet1k" / "ILSVRC2012_devkit_t12.tar.gz"
    with pytest.raises(LotusError, match="not the development kit"):
        build("imagenet1k", mirror, content="any")
    raw_files.devkit(kit, ["n01", "n02"], [0, 1])
    meta = (kit.name, raw_files.md5_of(kit))
    monkeypatch.setitem(torchvision.datasets.imagenet.ARCHIVE_META, "devkit", meta)
    with pytest.raises(LotusError, match=r"4 images, .* labels 2"):
        build("imagenet1k", mirror, content="any")


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


def test_cifake_serves_calibration_only(mirror):
    raw_files.folders(mirror / "cifake", dict.fromkeys(cifar10.SOURCE.classes, 2))
    store = build("cifake", mirror, content="any")
    assert store.source["parts"] == {"test": [0, 20]}
    assert store.labels.tolist() == np.repeat(range(10), 2).tolist()
    assert store.classes == cifar10.SOURCE.classes
    assert (store.mean, store.std) == (cifar10.SOURCE.mean, cifar10.SOURCE.std)
    for use in (partial(splits.halve_held_out, store, 0),
                partial(splits.choose_forget_set, store, TENTH, 0)):  # fmt: skip
        with pytest.raises(LotusError, match="cifake: has no training images"):
            use()


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
        (lambda root: shutil.rmtree(root / "train"), r"train: not found"),
        (lambda root: shutil.rmtree(root / "test"), r"nothing held out; .*val, test or both"),
        (without_class, r"no training image of the class bee"),
        (foreign_class, r"test/wasp: 'wasp' is none of the 2 classes ant, bee"),
        (file_for_class_folders, r"test: is no folder"),
        (lambda root: [shutil.rmtree(p) for p in (root / "train").iterdir()], "no class folders"),
        (cut_image, r"0001.png: not a whole image"),
        (lambda root: (root / "train/bee/0000.png").write_text("no image"), r"not a whole image"),
        (other_size, r"0001.png: 5×4 pixels, the first image has 4×4; give `side`"),
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
            "line 7: 'wasp' is none of the 3 classes NA, ant, bee",
        ),
        ([*ROWS, ("6.png", "ant", "dev")], "line 7: split 'dev'; accepted: train, val, test"),
        ([("1.png", "ant", "test")], "no row has train"),
        ([("1.png", "ant", "train")], "nothing held out"),
    ],
)
def test_spoilt_tables_are_refused(mirror, rows, message):
    assert message in refused("image-folder", raw=str(own_table(mirror, rows)))


def test_tables_without_column_image_or_text_are_refused(mirror):
    path = own_table(mirror, ROWS)
    (mirror / "2.png").unlink()
    assert f"line 3: image {mirror / '2.png'} not found" in refused("image-folder", raw=str(path))
    path.write_text("path,label\n")
    assert "column split missing; it has path, label" in refused("image-folder", raw=str(path))
    path.write_text("")
    assert "no CSV file" in refused("image-folder", raw=str(path))
    path.write_bytes(b"path,label,split\n\xff\xfe\n")
    assert "no CSV file" in refused("image-folder", raw=str(path))


def test_own_images_need_a_place(mirror):
    assert "name the folder or CSV file" in refused("image-folder", mirror)
    found = refused("image-folder", mirror, raw="absent")
    assert f"looked for absent, {mirror / 'absent'}" in found


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda root: (root / "custom_val_dataset.csv").unlink(),
            "custom_val_dataset.csv: not found",
        ),
        (lambda root: (root / "test_images" / "Fd.jpg").unlink(), "line 6: image"),
        (
            lambda root: raw_files.mufac(root, "abcdefgi"),
            "line 9: age_class 'i'; accepted: a, b, c",
        ),
        (lambda root: raw_files.mufac(root, ["a", "ab"]), "line 3: age_class 'ab'"),
        (lambda root: raw_files.mufac(root, "abcdefg"), "no training image of the class 67-80"),
    ],
)
def test_spoilt_mufac_is_refused(mirror, spoil, message):
    spoil(raw_files.mufac(mirror / "custom_korean_family_dataset_resolution_128"))
    assert message in refused("mufac", mirror, content="any")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root / "train" / "n01443537"), "of the class goldfish"),
        (
            lambda root: raw_files.image(root / "train" / "n9" / "1.JPEG", 1),
            "n9' is none of the 200",
        ),
        (
            lambda root: (root / "val/val_annotations.txt").unlink(),
            "val_annotations.txt: not found",
        ),
        (
            lambda root: (root / "val/val_annotations.txt").write_text("x\n"),
            "line 1: '' is none of",
        ),
        (lambda root: (root / "val/images/val_0.JPEG").unlink(), "line 2: image"),
    ],
)
def test_spoilt_tiny_imagenet_is_refused(mirror, spoil, message):
    spoil(raw_files.tiny_imagenet(mirror / "tiny-imagenet-200"))
    assert message in refused("tiny-imagenet", mirror, content="any")


def test_cifake_needs_each_class(mirror):
    raw_files.folders(mirror / "cifake", dict.fromkeys(cifar10.SOURCE.classes[:9], 1))
    assert "no image of the class 'truck'" in refused("cifake", mirror, content="any")
    raw_files.folders(mirror / "cifake", {"truck": 1, "tractor": 1})
    assert "'tractor' is none of the 10 classes" in refused("cifake", mirror, content="any")


def test_other_numbers_of_images_are_refused(mirror):
    raw_files.tiny_imagenet(mirror / "tiny-imagenet-200")
    assert "400 train images, published are 100,000" in refused("tiny-imagenet", mirror)


def test_labels_outside_the_classes_and_other_classes_are_refused(mirror):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    batch = pickle.loads((folder / "data_batch_2").read_bytes())
    batch["labels"][3] = 10
    (folder / "data_batch_2").write_bytes(pickle.dumps(batch))
    found = refused("cifar10", mirror, content="any")
    assert "image 13 has the label 10; labels of 10 classes lie in 0…9" in found
    raw_files.cifar10(mirror / "2" / "cifar-10-batches-py")
    names = [*cifar10.SOURCE.classes[:9], "tractor"]
    (mirror / "2/cifar-10-batches-py/batches.meta").write_bytes(
        pickle.dumps({"label_names": names})
    )
    assert "the files have the classes" in refused("cifar10", mirror / "2", content="any")


# Archives


def pack(folder, path):
    """The folder as an archive of the kind that the name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as opened:
            for file in sorted(folder.rglob("*")):
                opened.write(file, file.relative_to(folder.parent))
    else:
        kind = path.name.rpartition(".")[2]
        with tarfile.open(path, "w" if kind == "tar" else f"w:{kind}") as opened:
            opened.add(folder, folder.name)
    shutil.rmtree(folder)


KINDS = ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz"]


@pytest.mark.parametrize("name", KINDS)
def test_archives_of_every_kind(mirror, name):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    folder.chmod(0o555)
    pack(folder, mirror / name)
    store = build("cifar10", mirror, raw=name, content="any")
    assert store.images[:, 0, 0, 0].tolist() == list(range(60))
    (unpacked,) = Path("data/raw/cifar10").iterdir()
    before = os.stat(unpacked).st_mtime_ns
    build("cifar10", mirror, raw=name, content="any")
    assert os.stat(unpacked).st_mtime_ns == before


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("damage", ["half", "garbage", "empty", "member"])
def test_damaged_archives_leave_nothing(mirror, name, damage):
    folder = raw_files.mufac(mirror / "custom_korean_family_dataset_resolution_128")
    archive = mirror / f"{folder.name}.zip"
    pack(folder, mirror / name)
    content = bytearray((mirror / name).read_bytes())
    if damage == "member":
        # The names of the members are kept where they are readable.
        middle = len(content) // 3
        content[middle : middle + 600] = bytes(range(256)) * 2 + bytes(88)
    replaced = {"half": content[: len(content) // 2], "garbage": b"no archive" * 99, "empty": b""}
    archive.write_bytes(replaced.get(damage, content))
    (mirror / name).unlink()
    assert f"{archive}: " in refused("mufac", mirror, content="any")
    assert not list(Path("data").glob("raw/mufac/*"))


@pytest.mark.parametrize("cut", [0, 512, 700])
def test_tar_without_its_end_is_refused(mirror, cut):
    """Python's reader takes a missing or damaged header for the end."""
    members = {f"mine/train/a/{i}.png": raw_files.encoded(i) for i in range(3)}
    members["mine/test/a/1.png"] = raw_files.encoded(3)
    raw_files.tar(mirror / "mine.tar", members)
    content = (mirror / "mine.tar").read_bytes()
    start = content.index(b"mine/test/a/1.png")
    (mirror / "mine.tar").write_bytes(content[: start + cut])
    assert "cannot be unpacked" in refused("image-folder", mirror, raw="mine.tar")


def link(kind):
    info = tarfile.TarInfo("inside/link")
    info.type, info.linkname = kind, "../../outside"
    return info


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", "a/../../outside", "..\\outside", "C:/x"]
)
def test_members_outside_are_refused(mirror, tmp_path, name):
    raw_files.tar(mirror / "a.tar", {"inside": b"1", name: b"2"})
    with zipfile.ZipFile(mirror / "a.zip", "w") as opened:
        opened.writestr("inside", b"1")
        opened.writestr(name, b"2")
    before = sorted(tmp_path.rglob("*"))
    for archive in ("a.tar", "a.zip"):
        assert "lies outside the folder" in refused("image-folder", mirror, raw=archive)
    assert [p for p in sorted(tmp_path.rglob("*")) if "data" not in p.parts] == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_pipes_in_tar_are_refused(mirror, kind):
    raw_files.tar(mirror / "a.tar", {"inside/link": link(kind)})
    assert "no plain file or folder" in refused("image-folder", mirror, raw="a.tar")


def test_links_in_zip_are_refused(mirror):
    info = zipfile.ZipInfo("inside/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(mirror / "a.zip", "w") as opened:
        opened.writestr(info, "/etc/passwd")
    assert "inside/link is a link" in refused("image-folder", mirror, raw="a.zip")


# Checksums and declared contents


@pytest.fixture
def archive(mirror, monkeypatch):
    """CIFAR-10's archive, whose checksums count as the published ones."""
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    (described,) = cifar10.SOURCE.files
    members = {name: raw_files.md5_of(folder / name) for name in described.members}
    path = mirror / described.name
    pack(folder, path)
    described = replace(described, md5=raw_files.md5_of(path), members=members)
    monkeypatch.setattr(cifar10, "SOURCE", replace(cifar10.SOURCE, files=(described,)))
    return path


def replaced_file(monkeypatch, **changes):
    file = replace(cifar10.SOURCE.files[0], **changes)
    monkeypatch.setattr(cifar10, "SOURCE", replace(cifar10.SOURCE, files=(file,)))


def test_published_files_are_taken(mirror, archive):
    store = build("cifar10", mirror)
    assert store.source["checked_by"] == "checksums of the publisher"
    assert store.source["files"][0]["sha256"]


def test_other_checksum_is_refused(mirror, archive):
    archive.write_bytes(archive.read_bytes() + b"1")
    found = refused("cifar10", mirror)
    assert str(archive) in found
    assert "md5 is" in found


def test_folder_with_another_member_is_refused(mirror, archive):
    build("cifar10", mirror)
    (unpacked,) = Path("data/raw/cifar10").iterdir()
    folder = unpacked / "cifar-10-batches-py"
    with (folder / "test_batch").open("ab") as file:
        file.write(b"1")
    with pytest.raises(LotusError, match=r"changed since raw\.json was written"):
        build_store("cifar10", StoreOptions(), Path("raw.json"), Path("store"), None, 1)
    shutil.move(folder, mirror / "other" / folder.name)
    shutil.rmtree("data")
    shutil.rmtree("store")
    assert "test_batch: md5 is" in refused("cifar10", mirror / "other")
    (mirror / "other" / folder.name / "data_batch_3").unlink()
    assert "data_batch_3 missing" in refused("cifar10", mirror / "other")


def test_archive_of_the_right_checksum_without_a_member(mirror, archive, monkeypatch):
    raw_files.tar(archive, {"cifar-10-batches-py/test_batch": b"1"}, "w:gz")
    replaced_file(monkeypatch, md5=raw_files.md5_of(archive))
    with pytest.raises(LotusError, match=r"data_batch_1, .*missing; the folder is incomplete"):
        build("cifar10", mirror)
    assert not Path("store").exists()


def test_declared_content(mirror):
    raw_files.cifar10(mirror / "cifar-10-batches-py")
    taken = build("cifar10", mirror, content="any")
    assert taken.source["checked_by"] == "nothing: taken as they are"
    right = digest(taken.images, taken.labels)
    shutil.rmtree("store")
    declared = build("cifar10", mirror, content=right, limit=2)
    assert declared.source["checked_by"] == "content declared in the configuration"
    assert declared.source["content"] == right
    assert len(declared.labels) == 30
    shutil.rmtree("store")
    found = refused("cifar10", mirror, content="0" * 64)
    assert right in found
    assert "0" * 64 in found


def test_declared_content_of_files(mirror):
    raw_files.folders(mirror / "train", {"ant": 3, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 2, "bee": 2})
    right = build("image-folder", raw=str(mirror)).source["content"]
    assert len(build("image-folder", raw=str(mirror), content=right, limit=1).labels) == 4
    shutil.rmtree("store")
    assert right in refused("image-folder", raw=str(mirror), content="1" * 64)


# Mirrors and downloads


@pytest.fixture
def server():
    """Path → bytes (or bytes and the length that is stated); counts what is asked for."""
    served, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path not in served:
                self.send_error(404)
                return
            body, stated = served[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(stated))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", served, asked
    running.shutdown()
    running.server_close()


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)


def test_first_mirror_with_the_right_checksum_wins(mirror, archive):
    for name in ("wrong", "right", "later"):
        (mirror / name / "cifar10").mkdir(parents=True)
        shutil.copy(archive, mirror / name / "cifar10")
    wrong = mirror / "wrong" / "cifar10" / archive.name
    wrong.write_bytes(b"other")
    places = [mirror / name for name in ("wrong", "right", "later")]
    fetch_raw("cifar10", StoreOptions(), tuple(map(str, places)), Path("raw.json"))
    assert len(list(Path("data/raw/cifar10").iterdir())) == 1
    shutil.rmtree("data")
    assert str(wrong) in refused("cifar10", mirror / "wrong")


def test_mirror_by_url(mirror, archive, server):
    url, served, asked = server
    body = archive.read_bytes()
    served[f"/data/cifar-10/{archive.name}"] = (body, len(body))
    store = build("cifar10", f"{url}/data/")
    assert store.source["checked_by"] == "checksums of the publisher"
    assert asked == [f"/data/{name}/{archive.name}" for name in ("cifar10", "cifar-10")]
    build("cifar10", f"{url}/data/")
    assert len(asked) == 2


@pytest.mark.parametrize("answer", ["404", "cut off", "other bytes"])
def test_downloads_that_fail_leave_nothing(archive, server, monkeypatch, no_waiting, answer):
    url, served, asked = server
    body = archive.read_bytes()
    answers = {"cut off": (body[:-9], len(body)), "other bytes": (b"other", 5)}
    if answer in answers:
        served["/file"] = answers[answer]
    replaced_file(monkeypatch, url=f"{url}/file")
    found = refused("cifar10")
    assert f"{url}/file: " in found
    assert {"404": "404 Not Found", "other bytes": "refused: "}.get(answer, "reached") in found
    assert len(asked) == 1 + raw_module.RETRIES
    served["/file"] = (body, len(body))
    assert len(build("cifar10").labels) == 60


def test_a_download_is_tried_again(archive, server, monkeypatch, no_waiting):
    url, served, asked = server
    body = archive.read_bytes()
    monkeypatch.setattr(
        "pooch.core.time.sleep", lambda _: served.update({"/file": (body, len(body))})
    )
    replaced_file(monkeypatch, url=f"{url}/file")
    assert len(build("cifar10").labels) == 60
    assert len(asked) == 2


def test_what_to_do_where_nothing_can_be_reached(mirror, monkeypatch, no_waiting):
    replaced_file(monkeypatch, url="http://127.0.0.1:1/file")
    found = refused("cifar10", mirror, "http://127.0.0.1:1")
    for part in (
        "cifar10: cifar-10-batches-py/ or cifar-10-python.tar.gz not found",
        str(mirror / "cifar10"),
        "http://127.0.0.1:1/file: cannot be reached",
        "data.mirror",
    ):
        assert part in found


@pytest.mark.parametrize("name", ["cifake", "imagenet1k", "mufac", "mufac-clean"])
def test_what_to_do_where_a_licence_has_to_be_accepted(mirror, name):
    found = refused(name, mirror)
    assert sources.source(name).obtain in found
    assert sources.source(name).files[0].name in found


# Pickles


class Harm:
    def __reduce__(self):
        return os.system, ("touch harmed",)


@pytest.mark.parametrize("name", ["data_batch_4", "batches.meta"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_that_name_code_are_not_run(mirror, name, protocol):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    (folder / name).write_bytes(pickle.dumps({"labels": Harm()}, protocol))
    assert "system" in refused("cifar10", mirror, content="any")
    assert not Path("harmed").exists()


def test_names_from_the_memo_of_a_pickle_are_judged(mirror):
    def text(string):
        return b"\x8c" + bytes([len(string)]) + string.encode()

    # `os system` is put into the memo and taken from there, after harmless strings.
    memo = text("os") + b"\x94" + text("system") + b"\x94" + text("numpy") + text("ndarray")
    harm = b"\x80\x04" + memo + b"h\0h\1\x93" + text("touch harmed") + b"\x85R."
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    (folder / "test_batch").write_bytes(harm)
    assert "the pickle names os system" in refused("cifar10", mirror, content="any")
    assert not Path("harmed").exists()
    pickle.loads(harm)
    assert Path("harmed").exists()


def test_damaged_pickles_are_refused(mirror):
    folder = raw_files.cifar10(mirror / "cifar-10-batches-py")
    path = folder / "data_batch_1"
    path.write_bytes(path.read_bytes()[:-100])
    assert str(folder) in refused("cifar10", mirror, content="any")


# Four gzipped files


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_idx_files(mirror, name):
    pixels = np.arange(20, dtype=np.uint8)[:, None, None] + np.zeros((1, 3, 2), np.uint8)
    labels = [i % 10 for i in range(20)]
    (mirror / name).mkdir()
    files = [file.name for file in sources.source(name).files]
    for position, content in enumerate([*raw_files.idx(pixels, labels)] * 2):
        (mirror / name / files[position]).write_bytes(content)
    store = build(name, mirror, content="any")
    assert store.images.shape == (40, 3, 2, 1)
    assert store.images[:, 0, 0, 0].tolist() == 2 * list(range(20))
    assert store.labels.tolist() == 2 * labels
    shutil.rmtree("store")
    (mirror / name / files[1]).write_bytes(raw_files.idx(pixels, labels[:-1])[1])
    assert "20 images" in refused(name, mirror, content="any")
    (mirror / name / files[0]).write_bytes(raw_files.idx(pixels, labels)[0][:-9])
    assert "no gzipped idx file" in refused(name, mirror, content="any")


# Decoding


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


def bytes_of(store):
    return {path.name: path.read_bytes() for path in store.folder.iterdir()}


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
    assert "need 0.0 GB, 0.0 GB are free" in refused("image-folder", raw=str(mirror))


CHILD = """
import sys, time
from pathlib import Path
from lotus.data import decode
from lotus.data.build import build_store
from lotus.settings import StoreOptions

original = decode.read_image
def slow(path, side):
    if path.name == sys.argv[2]:
        Path("waiting").touch()
        time.sleep(600)
    return original(path, side)

# In the workers too, which import this file.
decode.read_image = slow

if __name__ == "__main__":
    options = StoreOptions(raw=sys.argv[1])
    build_store("image-folder", options, Path("raw.json"), Path("store"), None, int(sys.argv[3]))
"""


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def killed_build(folder, stop_at, workers, ready):
    """A real build that is killed when `ready`; returns the processes that it had started."""
    fetch_raw("image-folder", StoreOptions(raw=str(folder)), (), Path("raw.json"))
    Path("child.py").write_text(CHILD)
    command = [sys.executable, "child.py", str(folder), stop_at, str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(Path(sources.__file__).parents[3])}
    child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: ready() or child.poll() is not None)
        assert child.poll() is None
        started = psutil.Process(child.pid).children(recursive=True)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return started


def test_a_killed_build_goes_on(mirror, monkeypatch):
    raw_files.folders(mirror / "train", {"ant": 898, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 4}, start=900)
    killed_build(mirror, "0600.png", 1, lambda: Path("waiting").exists())
    assert not Path("store").exists()
    assert Path(".decode-store", decode.DONE).exists()
    read, original = [], decode.read_image

    def counted(path, side):
        read.append(path)
        return original(path, side)

    monkeypatch.setattr(decode, "read_image", counted)
    finished = bytes_of(build("image-folder", raw=str(mirror)))
    # The first image gives the size; two chunks were done.
    assert len(read) == 1 + 904 - 2 * decode.CHUNK
    assert not Path(".decode-store").exists()
    assert bytes_of(build("image-folder", raw=str(mirror), out="undisturbed")) == finished


def test_a_changed_image_is_decoded_anew_after_a_kill(mirror):
    raw_files.folders(mirror / "train", {"ant": 300, "bee": 1})
    raw_files.folders(mirror / "test", {"ant": 4}, start=301)
    killed_build(mirror, "0280.png", 1, lambda: Path("waiting").exists())
    raw_files.image(mirror / "train" / "ant" / "0005.png", 999)
    assert shown(build("image-folder", raw=str(mirror)))[5] == 999


def test_workers_end_with_a_killed_build(mirror):
    raw_files.folders(mirror / "train", {"ant": 300, "bee": 1})
    raw_files.folders(mirror / "test", {"ant": 4})
    started = killed_build(mirror, "0299.png", 2, Path(".decode-store", decode.DONE).exists)
    assert len(started) >= 2
    _, alive = psutil.wait_procs(started, timeout=20)
    assert not alive


def test_an_interrupted_build_keeps_what_it_decoded(mirror, monkeypatch):
    raw_files.folders(mirror / "train", {"ant": 300, "bee": 1})
    raw_files.folders(mirror / "test", {"ant": 4})
    original = decode.read_image

    def interrupted(path, side):
        if path.name == "0299.png":
            raise KeyboardInterrupt
        return original(path, side)

    monkeypatch.setattr(decode, "read_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build("image-folder", raw=str(mirror))
    assert Path(".decode-store", decode.DONE).exists()


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


# Constants


@pytest.mark.parametrize(
    ("name", "reader"),
    [("cifar10", torchvision.datasets.CIFAR10), ("cifar100", torchvision.datasets.CIFAR100)],
)
def test_cifar_is_described_as_by_torchvision(name, reader):
    described = sources.source(name)
    (file,) = described.files
    assert (file.name, file.md5, file.url) == (reader.filename, reader.tgz_md5, reader.url)
    assert file.unpacks == reader.base_folder
    meta = [reader.meta["filename"], reader.meta["md5"]]
    assert file.members == dict([*reader.train_list, *reader.test_list, meta])


@pytest.mark.parametrize(
    ("name", "reader"),
    [("mnist", torchvision.datasets.MNIST), ("fashion-mnist", torchvision.datasets.FashionMNIST)],
)
def test_idx_sets_are_described_as_by_torchvision(name, reader):
    described = sources.source(name)
    assert [(file.name, file.md5) for file in described.files] == reader.resources
    for file in described.files:
        assert file.url in [f"{root}{file.name}" for root in reader.mirrors]
    plain = [label.split(" - ")[-1] for label in reader.classes]
    assert list(described.classes) == plain


def test_imagenet_is_described_as_by_torchvision():
    published = dict(torchvision.datasets.imagenet.ARCHIVE_META.values())
    assert {file.name: file.md5 for file in sources.source("imagenet1k").files} == published


@pytest.mark.parametrize("name", sources.available())
def test_descriptions_are_whole(name):
    described = sources.source(name)
    assert described.name == name
    for text in (described.title, described.version, described.licence, described.selection):
        assert text
    for file in described.files:
        assert file.url or file.locate or described.obtain
    if described.classes:
        assert len(set(described.classes)) == len(described.classes)
    if described.mean:
        assert len(described.mean) == len(described.std)


# Samples of the real data


@pytest.fixture
def samples():
    if "LOTUS_SAMPLES" not in os.environ:
        pytest.skip("LOTUS_SAMPLES names no folder with samples of the real data")
    return Path(os.environ["LOTUS_SAMPLES"])


def taken_from(samples, name):
    if not (samples / name).exists():
        pytest.skip(f"{name} is not among the samples")
    return name


def test_real_tiny_imagenet(samples):
    name = taken_from(samples, "tiny-imagenet-200-subset.tar.xz")
    store = build("tiny-imagenet", samples, raw=name, content="any", limit=3, workers=2)
    assert store.images.shape == (200 * 6, 64, 64, 3)
    folder = next(Path("data/raw/tiny-imagenet").rglob("words.txt"))
    words = dict(line.split("\t") for line in folder.read_text().splitlines())
    assert {wnid: names.split(",")[0] for wnid, names in words.items()} == TINY
    assert sorted((folder.parent / "wnids.txt").read_text().split()) == list(TINY)
    last = folder.parent / "train/n01443537/images/n01443537_10.JPEG"
    assert np.array_equal(store.images[2], np.asarray(Image.open(last).convert("RGB")))


def test_real_imagenet(samples):
    name = taken_from(samples, "imagenet-sample.tar.xz")
    with tarfile.open(samples / name) as opened:
        opened.extractall("sample", filter="data")
    root = next(Path("sample").rglob("short96"))
    for part in ("train", "val"):
        (root.parent / "sorted").mkdir(exist_ok=True)
        (root.parent / "sorted" / part).symlink_to(root.absolute())
    store = build("imagenet1k", root.parent / "sorted", content="any", side=32, workers=2)
    assert store.images.shape == (2000, 32, 32, 3)
    assert np.array_equal(store.labels[:1000], np.arange(1000))
    assert np.array_equal(store.images[:1000], store.images[1000:])


def test_real_fashion_mnist(samples):
    taken_from(samples, "fashion-mnist")
    store = build("fashion-mnist", samples)
    assert store.source["checked_by"] == "checksums of the publisher"
    assert np.bincount(store.labels[:60_000]).tolist() == 10 * [6000]


@pytest.mark.parametrize(("name", "folder"), [("cifar10", "cifar-10-batches-py"),
                                              ("cifar100", "cifar-100-python")])  # fmt: skip
def test_real_cifar(samples, name, folder):
    taken_from(samples, folder)
    store = build(name, samples, content="any")
    assert store.source["parts"] == {"train": [0, 50_000], "test": [50_000, 60_000]}
    mean = np.asarray(store.images[:50_000]).mean((0, 1, 2)) / 255
    wanted = {"cifar10": (0.4914, 0.4822, 0.4465), "cifar100": (0.5071, 0.4865, 0.4409)}[name]
    np.testing.assert_allclose(mean, wanted, atol=1e-3)
