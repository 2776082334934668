"""A command as a process of its own, and what it took."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: its exit status.
        said: its output.
        seconds: by the clock.
        processor_seconds: its own, user and system.
        mebibytes: peak of its memory.

    """

    code: int
    said: str
    seconds: float
    processor_seconds: float
    mebibytes: float


def run_to_end(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    errors: int = subprocess.STDOUT,
) -> Ended:
    """Runs a command in a folder.

    Args:
        variables: its environment; None: this process's.
        errors: where its standard error goes.

    """
    with TemporaryFile() as said:
        start = perf_counter()
        started = subprocess.Popen(command, cwd=folder, env=variables, stdout=said, stderr=errors)
        _, status, used = os.wait4(started.pid, 0)
        seconds = perf_counter() - start
        said.seek(0)
        text = said.read().decode()
    code = os.waitstatus_to_exitcode(status)
    return Ended(code, text, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def of_a_clone() -> dict[str, str]:
    """Returns the variables for a command on the code of a clone, whatever is set here."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "PATH": beside}


def options(description: str, rounds: int) -> argparse.ArgumentParser:
    """Returns the options that scripts of one measurement share: `--rounds` and `--json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser
