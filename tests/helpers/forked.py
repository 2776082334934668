"""`lotus`, Snakemake, DVC and Python, in a fork of the test process.

Nothing is imported anew.
"""

import gc
import logging
import os
import pickle
import re
import runpy
import subprocess
import sys
import tempfile
from filecmp import cmp
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from forked_warm import end_with, fork_the_warm_process
from project import ROOT, environment_of_user
from snakemake.cli import get_argument_parser
from snakemake.cli import main as snakemake_main

from lotus.cli import main
from lotus.cli.main import OF_JOBS
from lotus.records import sources
from lotus.records.code_identity import read_ahead
from lotus.runs.run import load_optimizers
from lotus.surroundings import PACKAGE

RULES = [f"{PACKAGE}/records/{name}" for name in ("sources.py", "syntax.py")]
"""By which sources are looked into."""


def lotus(folder, *arguments, check=True):
    """Runs the command in a folder; a failure fails the test if `check`."""
    _read_ahead()
    return _forked(folder, ["lotus", *map(str, arguments)], main.run, check)


def own_lotus(folder, *arguments, check=True):
    """`python -m lotus`: runs the command in a folder by the code that lies there."""
    return _forked(folder, ["lotus", *map(str, arguments)], _own_lotus, check)


def snakemake(folder, *arguments, check=True):
    """Runs Snakemake in a folder, by the code that lies there."""
    _load_snakemake()
    if "--cores" in arguments:
        _load_ahead()
    return _forked(folder, ["snakemake", *map(str, arguments)], _snakemake, check)


def begin_snakemake(folder, *arguments, output, **variables):
    """Starts Snakemake in a folder, with these environment variables, and does not wait for it.

    Args:
        output: where all that it says is written.

    """
    _load_snakemake()
    _load_ahead()

    def work():
        os.setsid()
        os.environ.update(variables)
        _snakemake()

    command = ["snakemake", *map(str, arguments)]
    return Begun(_fork(folder, command, work, output, output), output)


class Begun:
    """A command that was begun, with what `subprocess.Popen` offers of one.

    Args:
        pid: of its process.
        output: the file in which it writes.

    """

    def __init__(self, pid, output):
        self.pid, self._output, self.returncode = pid, output, None

    def poll(self):
        return self._wait(os.WNOHANG)

    def wait(self):
        return self._wait(0)

    def _wait(self, options):
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, options)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self):
        self.wait()
        return Path(self._output.name).read_text(), None


def dvc(folder, *arguments):
    """Runs DVC in a folder."""
    # Imported here, by the first test that needs it.
    import_module("dvc.repo")
    dvc_main = import_module("dvc.cli").main

    words = [*map(str, arguments)]
    return _forked(folder, ["dvc", *words], lambda: sys.exit(dvc_main(words)), check=True)


def python(folder, program):
    """Runs a program in a folder, as `python -c` does, but for modules that are loaded already."""
    code = compile(program, "<string>", "exec")
    return _forked(folder, ["python"], lambda: exec(code, {"__name__": "__main__"}), check=True)


def planned(folder, *arguments):
    """Rule → number of jobs that a run would have."""
    done = snakemake(folder, "--dry-run", *arguments)
    counts = re.findall(r"^([a-z_]+)\s+(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    return {rule: int(count) for rule, count in counts if rule != "total"}


@cache
def _read_ahead():
    """Once for all commands: each would look into the same sources."""
    read_ahead()


@cache
def _load_snakemake():
    """Once for all workflows: the plug-ins that each would look for, and what each would load."""
    _read_ahead()
    get_argument_parser()
    import_module("smart_open")


@cache
def _load_ahead():
    """Once for all workflows: libraries that the warm process of each would load."""
    for module in (*OF_JOBS["results"], "timm.models.vision_transformer"):
        if module.partition(".")[0] != PACKAGE:
            import_module(module)
    load_optimizers()


def _snakemake():
    os.environ.update(environment_of_user())
    os.environ.pop("PYTHONPATH", None)
    _take_package_of_folder()
    fork_the_warm_process()
    snakemake_main()


def _own_lotus():
    _forget_package()
    sys.path.insert(0, os.getcwd())
    runpy.run_module(PACKAGE, run_name="__main__", alter_sys=True)


def _forget_package():
    """Has this code imported from wherever it is found next."""
    for name in [*sys.modules]:
        if name.partition(".")[0] == PACKAGE:
            del sys.modules[name]


def _take_package_of_folder():
    """Imports the code of the present folder in place of this one.

    What this process knows of sources stays known, if that code would look into them by the same rules.
    """
    known = pickle.dumps(sources.MET)
    _forget_package()
    sys.path.insert(0, os.getcwd())
    of_folder = import_module(sources.__name__)
    sys.path.pop(0)
    if all(cmp(ROOT / rules, rules, shallow=False) for rules in RULES):
        of_folder.MET.update(pickle.loads(known))


def _forked(folder, command, work, check):
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as error,
    ):
        child = _fork(folder, command, work, out, error)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        error.seek(0)
        done = subprocess.CompletedProcess(command, status, out.read(), error.read())
    if check and status:
        pytest.fail(f"{command}\n{done.stdout}\n{done.stderr}")
    return done


def _fork(folder, command, work, out, error):
    """Starts a process that is the command; returns its number."""
    child = os.fork()
    if child == 0:
        end_with(lambda: _become(folder, command, work, out, error))
    return child


def _become(folder, command, work, out, error):
    """Turns this process into the command."""
    # Python's collector need not look through what the tests had made.
    gc.freeze()
    # What goes wrong from here on is said where the test reads it.
    sys.stdout, sys.stderr, sys.argv = out, error, command
    os.chdir(folder)
    os.dup2(out.fileno(), 1)
    os.dup2(error.fileno(), 2)
    # Those of pytest: messages are to go to standard error.
    logging.getLogger().handlers.clear()
    try:
        work()
    finally:
        # Also if the command has put others in place of these.
        out.flush()
        error.flush()
