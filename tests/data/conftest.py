"""An empty project and a place of images for the tests of data."""

import pytest
import raw_files


@pytest.fixture
def empty_project(tmp_path, monkeypatch):
    """Downloads, unpacked archives and stores go below the current folder."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    return tmp_path / "mirror"


@pytest.fixture
def own(tmp_path):
    """Two classes of two training images and one test image each."""
    start = raw_files.folders(tmp_path / "own" / "train", {"ant": 2, "bee": 2})
    raw_files.folders(tmp_path / "own" / "test", {"ant": 1, "bee": 1}, start)
    return tmp_path / "own"


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
