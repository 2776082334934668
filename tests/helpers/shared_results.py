"""A finished project whose results are shared: in DVC with a remote in a folder, and in git."""

import shutil

from forked import dvc
from project import run

AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.org")
CONFIG = ("--configfile", "config/digits.yaml")


def commit(folder, message, *options):
    """Commits every change of a tracked file."""
    run(folder, "git", *AUTHOR, "commit", "--quiet", "--all", *options, "--message", message)


def share(finished, made):
    """Copies a finished project to `project`, with its remote in `remote` beside it, and publishes it."""
    project = made / "project"
    shutil.copytree(finished, project)
    dvc(project, "remote", "add", "--quiet", "--default", "store", made / "remote")
    commit(project, "remote")
    # What its jobs say is not heard in a fork of this process.
    done = run(project, "snakemake", "--cores", "2", *CONFIG, "--", "publish")
    assert "pushed to the DVC remote" in done.stdout + done.stderr
    commit(project, "results")
    commit(project, "the same results, committed once more", "--allow-empty")
