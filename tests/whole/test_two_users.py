"""Two users in one project folder, and a project on stores that it cannot write."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from forked import snakemake
from project import BIN, copy_of_project, run
from second_user import OTHER, command_of_other, entered_by_others, needs_setpriv

from lotus.plan.project_folder import LOCKS, others_at_work

STORE = "data/stores/digits"
WANTED = (
    "snakemake",
    "--cores",
    "1",
    "results/digits/store.json",
    "--configfile",
    "config/digits.yaml",
)


@pytest.fixture(scope="module")
def project():
    """A copy of the project with the store of the digits; others can enter it."""
    with entered_by_others() as place:
        folder = place / "project"
        folder.mkdir()
        copy_of_project(folder)
        snakemake(folder, *WANTED[1:])
        yield folder


@pytest.fixture
def home():
    """The other user's own."""
    with entered_by_others() as place:
        os.chown(place, OTHER, OTHER)
        yield str(place)


@needs_setpriv
def test_who_cannot_write_is_told_in_one_line_before_any_job(project, home):
    done = run(project, *command_of_other(*WANTED, "--forceall"), check=False, HOME=home)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, done.stderr
    assert f"{project}: cannot be written by you (nobody), it belongs to root" in errors[0]
    assert "Traceback" not in done.stderr
    assert "Job stats" not in done.stderr


@needs_setpriv
def test_a_store_that_others_share_is_read_and_not_written(project, home):
    """A project of the other user's own, with the first user's store behind a link."""
    mine, shared = project.parent / "mine", project.parent / "shared"
    mine.mkdir()
    copy_of_project(mine)
    shutil.copytree(project / STORE, shared / "digits")
    before = {path: path.stat().st_mtime_ns for path in (shared, *shared.rglob("*"))}
    (mine / STORE).parent.mkdir(parents=True)
    (mine / STORE).symlink_to(shared / "digits")
    for path in (mine, *mine.rglob("*")):
        os.lchown(path, OTHER, OTHER)
    variables = {"HOME": home, "LOTUS_DISKS": str(shared)}
    done = run(mine, *command_of_other(*WANTED), check=False, **variables)
    assert done.returncode == 0, done.stderr
    assert (mine / "results/digits/store.json").is_file()
    assert "build_store" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in (shared, *shared.rglob("*"))} == before


def test_who_comes_second_hears_who_is_at_work(project):
    variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    variables.pop("PYTHONPATH", None)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    first = subprocess.Popen([*WANTED, "--forceall"], cwd=project, env=variables, **quiet)
    try:
        end = time.monotonic() + 120
        while not any((project / LOCKS).glob("*")):
            assert first.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        # So that it is at work for as long as the other looks.
        first.send_signal(signal.SIGSTOP)
        second = run(project, *WANTED, "--forceall", check=False)
    finally:
        first.send_signal(signal.SIGCONT)
        first.communicate()
    assert second.returncode == 1
    assert "has been at work in this folder since" in second.stderr
    assert "Directory cannot be locked" in second.stderr
    assert first.returncode == 0
    assert not any((project / LOCKS).glob("*"))


def test_nobody_is_at_work_without_a_lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert others_at_work() == []
    LOCKS.mkdir(parents=True)
    assert others_at_work() == []
    Path(LOCKS, "0.input.lock").touch()
    (line,) = others_at_work()
    assert "snakemake --unlock" in line
