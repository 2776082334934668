"""The environment of a step: its command, code, libraries and hardware."""

import os
import platform
import shlex
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from lotus import layout
from lotus.errors import LotusError
from lotus.git import note_unchanged_files, run_git, tracks_something_here
from lotus.names import without_home

LIBRARIES = (
    "numpy",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "scipy",
    "seaborn",
    "pandas",
    "matplotlib",
    "pillow",
    "imagehash",
    "safetensors",
    "pydantic",
    "snakemake",
    "dvc",
)


def command_line() -> str:
    """Returns the command of this process, without the interpreter's folder, the user's home as `~`."""
    return without_home(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))


def git_state() -> dict[str, Any]:
    """Returns the commit and whether tracked files differ from it; None for both without a repository.

    A repository around the project that tracks nothing of it is none of its own.
    Results that were published are tracked as well, and are not what a step is made by.
    """
    without = (
        f":(exclude){place}"
        for place in (layout.RESULTS, layout.RAW, layout.STORES, *layout.PUBLISHED)
    )
    options = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    none = {"commit": None, "dirty": None}
    try:
        status = run_git("status", *options, "--", ".", *without)
    except LotusError:
        return none
    if status.returncode or not (Path(".git").exists() or tracks_something_here()):
        return none
    lines = status.stdout.decode("utf-8", "replace").splitlines()
    head = "# branch.oid "
    (commit,) = (line.removeprefix(head) for line in lines if line.startswith(head))
    return {
        "commit": None if commit == "(initial)" else commit,
        "dirty": any(not line.startswith("# ") for line in lines),
    }


@cache
def versions() -> Mapping[str, str]:
    """Returns the installed versions, read without importing the libraries."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def look_ahead() -> None:
    """Looks at what every record of a workflow states, so that processes forked from this one need not.

    The versions are those of the libraries that this process has loaded. Git still looks at each file, but
    reads no longer those that it finds as they were.
    """
    versions()
    with suppress(LotusError):
        note_unchanged_files()


def seconds_of_process() -> float:
    """Returns the seconds since this process began; of one that was forked, since it was.

    To a tick of the system's clock, which is mostly 1/100 s.
    """
    try:
        state = Path("/proc/self/stat").read_bytes()
        # The program's name comes before, in parentheses, and may hold any of these.
        ticks = int(state.rpartition(b")")[2].split()[19])
        # Not what psutil says here: it adds the time at which the system began, in whole seconds.
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return time.time() - psutil.Process().create_time()


def processor() -> dict[str, Any]:
    """Returns operating system, processor, logical cores and memory (bytes) of this machine."""
    return {
        "system": platform.system(),
        "processor": _processor_name(),
        "cores": psutil.cpu_count() or 0,
        "memory": psutil.virtual_memory().total,
    }


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
