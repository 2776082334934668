"""A build that is killed or interrupted goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import raw_files
from stores import build, bytes_of, shown

from lotus.config.images import StoreOptions
from lotus.data import decode, sources
from lotus.data.build import fetch_raw

pytestmark = pytest.mark.usefixtures("empty_project")

CHILD = """
import sys, time
from pathlib import Path
from lotus.data import decode
from lotus.data.build import build_store
from lotus.config.images import StoreOptions

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
