"""Digests are remembered as long as their file is the same one."""

import json
import os

from lotus.records.digests import ABSENT, digests
from lotus.records.files import sha256


def test_a_digest_is_remembered_only_while_the_file_is_the_same_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cache, file = tmp_path / "cache.json", tmp_path / "a"
    file.write_bytes(b"one")
    os.utime(file, (1_600_000_000,) * 2)
    # Changed a moment ago: what is read now could still change within the clock's tick.
    digests(["a"], cache)
    assert json.loads(cache.read_text()) == {}
    monkeypatch.setattr("lotus.records.digests.RACY", -(10**12))
    assert digests(["a"], cache)["a"].sha256 == sha256(file)
    (mark,) = json.loads(cache.read_text()).values()
    poisoned = {"a": [*mark[:-1], "f" * 64]}
    cache.write_text(json.dumps(poisoned))
    assert digests(["a"], cache)["a"].sha256 == "f" * 64
    assert digests(["a"], cache, full=True)["a"].sha256 == sha256(file)
    assert digests(["a"], cache)["a"].sha256 == sha256(file)
    # Another file of the same size and date at its place.
    other = tmp_path / "b"
    other.write_bytes(b"two")
    os.utime(other, (1_600_000_000,) * 2)
    os.replace(other, file)
    assert digests(["a"], cache)["a"].sha256 == sha256(file)
    cache.write_text("not JSON")
    assert digests(["a", "gone"], cache)["gone"].problem == ABSENT


def test_a_folder_that_cannot_be_written_is_audited_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"one")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lotus").write_text("no folder")
    assert digests(["a"])["a"].sha256 == sha256(tmp_path / "a")
