"""Workflows that are alive in a folder, and what one that was killed leaves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lotus.plan import presence
from lotus.plan.presence import FILE, enter
from lotus.plan.project_folder import LOCKS

ASKED = ["snakemake", "--cores", "1"]
OTHER = """
import sys
import time
from types import SimpleNamespace

from lotus.plan import presence

mine = presence.enter(["snakemake"])
place, _, resource = sys.argv[1].partition(" ")
executor = SimpleNamespace(run_uuid="name") if place == "slurm" else None
job = SimpleNamespace(resources={resource: "other"})
dag = SimpleNamespace(needrun_jobs=lambda: [job])
scheduler = SimpleNamespace(_executor=executor)
mine.begins(SimpleNamespace(local_exec=place == "here", scheduler=scheduler, dag=dag))
print("in", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    LOCKS.mkdir(parents=True)


@pytest.fixture
def other():
    """Function: another process that is alive in the folder and has locked a file."""
    started = []

    def start(jobs="here"):
        process = subprocess.Popen(
            [sys.executable, "-c", OTHER, jobs], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "in\n"
        (LOCKS / "0.output.lock").write_text("results/a\n")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_what_a_killed_workflow_locked_is_free_again(other):
    kill(other())
    mine = enter(ASKED)
    assert mine.said == ["what a workflow that was killed had locked here is free again"]
    assert LOCKS.is_dir()
    assert not any(LOCKS.iterdir())
    mine.file.close()
    assert enter(ASKED).said == ()


def test_what_one_that_is_alive_locked_is_not(other):
    """Not even where another one, which held the folder with it, has been killed."""
    living, killed = other(), other()
    kill(killed)
    assert enter(ASKED).said == ()
    assert any(LOCKS.iterdir())
    kill(living)
    assert enter(ASKED).said


def test_each_holds_the_folder_by_itself(other):
    mine = enter(ASKED)
    kill(other())
    second = enter(ASKED)
    assert second.said == ()
    mine.file.close()
    second.file.close()
    assert enter(ASKED).said


@pytest.mark.parametrize("reason", ["another machine", "jobs on a cluster"])
def test_nothing_is_freed_where_jobs_may_be_alive_unseen(other, monkeypatch, reason):
    kill(other("elsewhere" if reason == "jobs on a cluster" else "here"))
    if reason == "another machine":
        monkeypatch.setattr(presence.platform, "node", lambda: "another")
    assert enter(ASKED).said == ()
    assert any(LOCKS.iterdir())


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Function: a Slurm that knows jobs; it ends with a status."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    def knows(*jobs, status=0):
        lines = "".join(f"echo {job}\n" for job in jobs)
        (programs / "squeue").write_text(f"#!/bin/sh\necho $* > asked\n{lines}exit {status}\n")
        (programs / "squeue").chmod(0o755)

    return knows


def test_slurm_is_asked_for_jobs_of_the_killed_workflow(other, squeue):
    kill(other("slurm"))
    squeue(12, 13, 12)
    mine = enter(ASKED)
    (said,) = mine.said
    assert "2 jobs" in said
    assert "`scancel 12 13`" in said
    assert any(LOCKS.iterdir())
    assert not mine.is_alone
    assert "--name=name" in Path("asked").read_text()
    mine.file.close()
    squeue()
    mine = enter(ASKED)
    assert mine.said == ["what a workflow that was killed had locked here is free again"]
    assert mine.is_alone


def test_nothing_is_freed_where_slurm_does_not_answer(other, squeue):
    kill(other("slurm"))
    squeue(status=1)
    mine = enter(ASKED)
    assert mine.said == ()
    assert not mine.is_alone
    assert any(LOCKS.iterdir())


def test_nothing_is_freed_where_jobs_went_to_another_slurm(other, squeue):
    kill(other("slurm clusters"))
    squeue()
    assert enter(ASKED).said == ()
    assert any(LOCKS.iterdir())


def test_a_cluster_whose_workflow_ended_well_is_forgotten(other):
    """It has let go of its files."""
    kill(other("elsewhere"))
    for lock in LOCKS.iterdir():
        lock.unlink()
    kill(other("here"))
    assert enter(ASKED).said


def test_a_dry_run_is_no_presence(other):
    kill(other())
    before = FILE.read_text()
    assert enter(["snakemake", "-n"]).file is None
    assert FILE.read_text() == before
    assert any(LOCKS.iterdir())


def test_where_the_file_cannot_be_had_nothing_is_freed(other):
    kill(other())
    FILE.unlink()
    FILE.mkdir()
    assert enter(ASKED) == presence.Presence((), None)
    assert any(LOCKS.iterdir())
