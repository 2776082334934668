"""A copy of the project in which commands are run as a user runs them."""

import atexit
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from lotus.records.kept_sources import CACHE, read_ahead_by_memory

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PUBLISHED = re.compile(r"docs/results/[^/]+/results/")


def environment_of_user():
    """Environment variables of somebody who has this environment's tools."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    return environment


def run(folder, *command, check=True, **variables):
    """Runs a command in a folder with this environment's tools; a failure fails the test."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**environment_of_user(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"{shlex.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return done


def copy_of_project(folder):
    """Copies what git has of the project, but for published results: megabytes that few tests look at."""
    shutil.copytree(_template(), folder, symlinks=True, dirs_exist_ok=True)
    # Else each look of git at the copy would read all its files: they are others than its index has noted.
    run(folder, "git", "update-index", "-q", "--refresh")


@cache
def _template():
    """The copy that others are copied from, made once for all tests of a process."""
    folder = Path(tempfile.mkdtemp(prefix="project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not PUBLISHED.match(name):
            _copy(ROOT / name, folder / name)
            if name.endswith(".py"):
                _copy_compiled(ROOT / name, folder / name)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    run(folder, "git", "init", "--quiet")
    run(folder, "git", "add", "--all")
    run(folder, "git", *author, "commit", "--quiet", "--message", "copy")
    # A thousand files less to copy.
    run(folder, "git", "gc", "--quiet")
    # As a first command there leaves it: each of the commands would look into the same sources.
    read_ahead_by_memory(folder / CACHE)
    return folder


def _copy(file, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target)


def _copy_compiled(source, target):
    """Copies what Python made of a source, if it has met it: it is good for a copy of the same time."""
    compiled = Path(cache_from_source(source))
    if compiled.is_file():
        _copy(compiled, Path(cache_from_source(target)))
