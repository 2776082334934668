"""DVC takes the stores that `data.dvc` locks, and no others; the file stays as it is."""

import json

import pytest
from forked import dvc
from project import run

from lotus import layout
from lotus.data.store import dvc_digest
from lotus.errors import LotusError
from lotus.records.files import sha256
from lotus.tracking.dvc import cache_stores

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning:dvc")
STATUS, RECORD = layout.CACHED, layout.RECORDS / "dvc.json"


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Two stores that `data.dvc` locks, DVC's cache without them, in a repository."""
    monkeypatch.chdir(tmp_path)
    folders = [layout.STORES / name for name in ("one", "two")]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / "source.json").write_text(json.dumps({"images": number}))
    run(tmp_path, "git", "init", "--quiet")
    dvc(tmp_path, "init", "--quiet")
    outs = "".join(
        f"- path: {folder}\n  md5: {dvc_digest(folder)}\n  hash: md5\n" for folder in folders
    )
    layout.LOCK.write_text(f"outs:\n{outs}")
    return folders


def cached(folder):
    return {path.name for path in (folder / ".dvc/cache/files/md5").glob("??/*") if path.is_file()}


def test_nobody_sees_the_lock_half_written(stores, tmp_path):
    before = layout.LOCK.stat()
    cache_stores(stores, STATUS, RECORD)
    after = layout.LOCK.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    # A list of each folder, and the one file of each.
    assert len(cached(tmp_path)) == 4
    assert json.loads(STATUS.read_text()) == {}
    assert "up to date" in dvc(tmp_path, "status", layout.LOCK).stdout


def test_stores_that_are_not_asked_for_need_not_be_there(stores, tmp_path):
    (stores[1] / "source.json").unlink()
    stores[1].rmdir()
    cache_stores(stores[:1], STATUS, RECORD)
    assert len(cached(tmp_path)) == 2


def test_another_store_is_refused_and_the_lock_stays(stores, tmp_path):
    (stores[0] / "source.json").write_text("edited")
    before = sha256(layout.LOCK)
    with pytest.raises(LotusError, match=f"{stores[0]}: it is not the store that {layout.LOCK}"):
        cache_stores(stores, STATUS, RECORD)
    assert sha256(layout.LOCK) == before
    assert not cached(tmp_path)
    assert not STATUS.exists()


def test_a_store_that_nothing_locks_is_told(stores, tmp_path):
    other = layout.STORES / "three"
    other.mkdir()
    with pytest.raises(LotusError, match=f"DVC cannot take {other}: "):
        cache_stores([other], STATUS, RECORD)
