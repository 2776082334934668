"""Raw files: checksums, declared contents, mirrors and downloads."""

import shutil
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import raw_files
from stores import build, pack, refused

from lotus.config.images import StoreOptions
from lotus.data import raw as raw_module
from lotus.data import sources
from lotus.data.build import build_store, fetch_raw
from lotus.data.content import digest
from lotus.data.sources import cifar10
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")

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
    assert "it lacks data_batch_3" in refused("cifar10", mirror / "other")


def test_archive_of_the_right_checksum_without_a_member(mirror, archive, monkeypatch):
    raw_files.tar(archive, {"cifar-10-batches-py/test_batch": b"1"}, "w:gz")
    replaced_file(monkeypatch, md5=raw_files.md5_of(archive))
    with pytest.raises(LotusError, match=r"the folder is incomplete; it lacks data_batch_1"):
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
    """Path → bytes and the length that is stated, or another place and None; counts what is asked for."""
    served, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path not in served:
                self.send_error(404)
                return
            body, stated = served[self.path]
            if stated is None:
                self.send_response(302)
                self.send_header("Location", body)
                self.end_headers()
                return
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


def test_without_a_checksum_no_other_host_is_asked(mirror, archive, server):
    """A mirror that is taken over could have one ask hosts that only this machine can reach."""
    url, served, asked = server
    body = archive.read_bytes()
    other = url.replace("127.0.0.1", "localhost")
    served["/cifar10/" + archive.name] = (f"{other}/elsewhere", None)
    served["/elsewhere"] = (body, len(body))
    said = refused("cifar10", url, content="any")
    assert f"refused: it redirects to {other}/elsewhere, and no checksum is known" in said
    assert "/elsewhere" not in asked
    # On the same host, or where the checksum tells the file, it goes on.
    assert len(build("cifar10", url).labels) == 60
    shutil.rmtree("data")
    shutil.rmtree("store")
    served["/cifar10/" + archive.name] = ("/elsewhere", None)
    assert len(build("cifar10", url, content="any").labels) == 60


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
        "cifar10: cifar-10-batches-py/ or cifar-10-python.tar.gz was not found",
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
