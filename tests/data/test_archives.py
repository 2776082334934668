"""Archives of every kind: unpacked whole, or refused and nothing left behind."""

import gzip
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
import raw_files
from own_images import store_of
from stores import build, pack, refused

from lotus.data import archives
from lotus.data.sources._idx import read_idx
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")

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
        assert "would be unpacked outside the folder" in refused(
            "image-folder", mirror, raw=archive
        )
    assert [p for p in sorted(tmp_path.rglob("*")) if "data" not in p.parts] == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_pipes_in_tar_are_refused(mirror, kind):
    raw_files.tar(mirror / "a.tar", {"inside/link": link(kind)})
    assert "neither a plain file nor a folder" in refused("image-folder", mirror, raw="a.tar")


def test_links_in_zip_are_refused(mirror):
    info = zipfile.ZipInfo("inside/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(mirror / "a.zip", "w") as opened:
        opened.writestr(info, "/etc/passwd")
    assert "inside/link is a link" in refused("image-folder", mirror, raw="a.zip")


def written(own, path, form=lambda name: name, extra=()):
    with zipfile.ZipFile(path, "w") as opened:
        for file in sorted(own.rglob("*.png")):
            opened.writestr(form(file.relative_to(own.parent).as_posix()), file.read_bytes())
        for name in extra:
            opened.writestr(name, b"\0\5\x16\7")
    return path


@pytest.mark.parametrize(
    "extra",
    [(), ("__MACOSX/own/train/ant/._0000.png",), (".DS_Store", "__MACOSX/._own", "Thumbs.db")],
)
def test_what_systems_put_into_archives_is_passed_over(own, tmp_path, empty_project, extra):
    store = store_of(written(own, tmp_path / "own.zip", extra=extra), empty_project / "built")
    assert raw_files.numbers(store.images) == list(range(6))
    assert "left_out" not in store.source


def test_archives_of_windows_have_folders(own, tmp_path, empty_project):
    path = written(
        own, tmp_path / "own.zip", lambda name: name.replace("/", "\\"), ["own\\empty\\"]
    )
    assert raw_files.numbers(store_of(path, empty_project / "built").images) == list(range(6))
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as opened:
        opened.writestr("..\\outside.png", b"")
    with pytest.raises(LotusError, match="would be unpacked outside"):
        store_of(tmp_path / "out.zip", empty_project / "built")


@pytest.mark.parametrize("mtime", [-1, 2**40, 1e300, float("nan")])
def test_times_that_no_system_has(tmp_path, mtime):
    info = tarfile.TarInfo("own/1.png")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as opened:
        info.pax_headers = {"mtime": str(mtime)}
        opened.addfile(info)
    folder = archives.unpacked(tmp_path / "a.tar", tmp_path / "cache", "0" * 64)
    assert (folder / "own" / "1.png").exists()


# More than fits


def bomb(path, size):
    """An archive of one member of so many zeros."""
    zeros = bytes(size)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("own/0.png", zeros)
    else:
        raw_files.tar(path, {"own/0.png": zeros}, f"w:{path.suffix.removeprefix('.')}")
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz"])
def test_what_unpacks_to_a_multiple_of_its_own_bytes_is_refused(mirror, monkeypatch, name):
    monkeypatch.setattr(archives, "ALWAYS", 10_000)
    path = bomb(mirror / name, 1_000_000)
    allowed = 200 * path.stat().st_size
    assert allowed < 1_000_000
    said = refused("image-folder", mirror, raw=name)
    assert f"{name}: unpacks to 1,00" in said
    assert f"accepted are {allowed:,}: 200 times its own, or LOTUS_UNPACK_LIMIT" in said
    monkeypatch.setenv("LOTUS_UNPACK_LIMIT", "2000000")
    folder = archives.unpacked(path, mirror / "cache", "0" * 64)
    assert (folder / "own/0.png").stat().st_size == 1_000_000
    monkeypatch.setenv("LOTUS_UNPACK_LIMIT", "2 GB")
    with pytest.raises(LotusError, match="LOTUS_UNPACK_LIMIT: '2 GB': accepted: a whole number"):
        archives.unpacked(path, mirror / "other", "0" * 64)


def test_small_archives_are_unpacked_whatever_they_hold(tmp_path):
    folder = archives.unpacked(bomb(tmp_path / "a.zip", 1_000_000), tmp_path / "cache", "0" * 64)
    assert (folder / "own/0.png").stat().st_size == 1_000_000


def test_a_gzipped_file_is_unpacked_within_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(bytes(1_000_000)))
    monkeypatch.setattr(archives, "ALWAYS", 10_000)
    with pytest.raises(LotusError, match=r"images.gz: unpacks to .* bytes or more"):
        read_idx(path, path)
