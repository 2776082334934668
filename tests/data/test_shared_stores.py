"""Stores that several processes build at once, and those that can only be read."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import raw_files

from lotus.config.images import StoreOptions
from lotus.data import sources
from lotus.data.build import fetch_raw
from lotus.data.one_builder import one_builder
from lotus.data.store import FILES, is_given, open_store
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")

BUILDER = """
import sys, time
from pathlib import Path
from lotus.data import build, decode
from lotus.config.images import StoreOptions

def slow(path, side, read=decode.read_image):
    with Path(sys.argv[1]).open("a") as log:
        log.write(f"{path.name}\\n")
    time.sleep(float(sys.argv[2]))
    return read(path, side)

decode.read_image = slow
options = StoreOptions(raw=sys.argv[3], side=int(sys.argv[4]))
build.build_store("image-folder", options, Path("raw.json"), Path("shared/store"), None, 1)
"""


@pytest.fixture
def photos(mirror):
    """Six images in folders, and the list of them."""
    raw_files.folders(mirror / "train", {"ant": 2, "bee": 2})
    raw_files.folders(mirror / "test", {"ant": 1, "bee": 1}, start=4)
    fetch_raw("image-folder", StoreOptions(raw=str(mirror)), (), Path("raw.json"))
    return mirror


def builder(photos, name, pause=0.0, side=4):
    """A process that builds the store, and writes which images it decodes into `name`."""
    variables = {**os.environ, "PYTHONPATH": str(Path(sources.__file__).parents[3])}
    command = [sys.executable, "-c", BUILDER, name, str(pause), str(photos), str(side)]
    return subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)


def wait_for(path):
    end = time.monotonic() + 60
    while not Path(path).exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(process):
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said


def left_beside():
    return sorted(path.name for path in Path("shared").iterdir())


def test_one_builds_and_the_other_takes_it(photos):
    first = builder(photos, "first", pause=0.5)
    wait_for("first")
    second = builder(photos, "second")
    ended(first)
    ended(second)
    assert not Path("second").exists()
    assert left_beside() == ["store"]
    assert len(open_store(Path("shared/store")).labels) == 6


def test_whoever_asks_for_another_builds_it_afterwards(photos):
    first = builder(photos, "first", pause=0.5)
    wait_for("first")
    second = builder(photos, "second", side=2)
    ended(first)
    ended(second)
    assert len(Path("second").read_text().split()) == 6
    assert left_beside() == ["store"]
    assert open_store(Path("shared/store")).images.shape == (6, 2, 2, 3)


def test_who_waits_for_one_that_is_killed_builds(photos):
    first = builder(photos, "first", pause=30)
    wait_for("first")
    second = builder(photos, "second")
    time.sleep(1)
    assert second.poll() is None
    assert not Path("shared/store").exists()
    first.kill()
    first.communicate()
    ended(second)
    assert Path("second").exists()
    assert left_beside() == ["store"]


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    Path("shared").mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    Path("shared/.lock-store").symlink_to(target)
    refused = pytest.raises(LotusError, match=r"shared/store: cannot be built, since .*lock-store")
    with refused, one_builder(Path("shared/store"), "x"):
        pass
    assert target.read_text() == "mine"


def test_a_store_without_write_permission_is_given(monkeypatch):
    folder = Path("store")
    folder.mkdir()
    for name in FILES:
        np.save(folder / name, 0)
        (folder / name).touch()
    assert not is_given(folder)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert is_given(folder)
    (folder / FILES[0]).unlink()
    assert not is_given(folder)
