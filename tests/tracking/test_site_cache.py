"""DVC remembers what it has seen in a folder of the project that is open to its user alone."""

import configparser
import os
import subprocess
from pathlib import Path

import pytest
from project import ROOT, run

from lotus.errors import LotusError
from lotus.tracking import dvc as module
from lotus.tracking.dvc import SITE_CACHE, dvc, site_cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv(SITE_CACHE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".lotus/dvc"


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0, 0o022])
def test_nobody_else_can_look_into_it(folder, umask):
    before = os.umask(umask)
    try:
        assert site_cache() == str(folder)
    finally:
        os.umask(before)
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)
    (folder / "kept").touch()
    site_cache()
    assert (folder / "kept").exists()


@pytest.mark.parametrize("open_one", ["", ".."])
def test_what_others_could_have_planted_is_thrown_away(folder, open_one):
    """As `dvc` leaves it when it is called by hand before any of our commands."""
    (folder / "repo/token/links").mkdir(parents=True)
    (folder / "repo/token/links/cache.db").write_text("a pickle that runs code")
    (folder / open_one).chmod(0o777)
    site_cache()
    assert not list(folder.iterdir())
    assert mode(folder) == 0o700
    assert not mode(folder.parent) & 0o022


@pytest.mark.parametrize("name", [".lotus", ".lotus/dvc"])
def test_a_link_in_its_place_is_refused(folder, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LotusError, match=f"{name}: not a folder of yours"):
        site_cache()


def test_a_folder_of_somebody_else_is_refused(folder, monkeypatch):
    folder.mkdir(parents=True)
    monkeypatch.setattr(module.os, "getuid", lambda: 54_321)
    with pytest.raises(LotusError, match=f"not a folder of yours.* {SITE_CACHE}"):
        site_cache()


def test_dvc_is_told_of_it(folder, monkeypatch):
    asked = []

    def note(command, env, **_):
        asked.append(env[SITE_CACHE])
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(module.subprocess, "run", note)
    dvc("status")
    monkeypatch.setenv(SITE_CACHE, "/own")
    dvc("status")
    assert asked == [str(folder), "/own"]


def test_so_is_dvc_that_is_called_by_hand():
    config = configparser.ConfigParser()
    config.read_string((ROOT / ".dvc/config").read_text().replace("    ", ""))
    assert config["core"]["site_cache_dir"].strip('"') == ".lotus/dvc"


def test_dvc_takes_files_over_without_a_look_into_git(folder):
    """It would read git's whole index for each of them, and refuse one that git has."""
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        run(Path.cwd(), *command)
    Path("a.bin").write_text("some bytes")
    Path("files.dvc").write_text("outs: [{path: a.bin, hash: md5}]")
    run(Path.cwd(), "git", "add", "a.bin")
    with pytest.raises(LotusError, match="already tracked"):
        dvc("commit", "--quiet", "--force", "files.dvc")
    dvc("commit", "--quiet", "--force", "files.dvc", asks_git=False)
    assert "md5: " in Path("files.dvc").read_text()
