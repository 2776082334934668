"""`lotus`, and Snakemake where it runs no job, in a fork of the test process: nothing is imported anew."""

import logging
import os
import re
import subprocess
import sys
import tempfile

import pytest
from snakemake.cli import main as snakemake_main

from lotus.cli import main
from lotus.records.code_identity import read_ahead
from lotus.surroundings import PACKAGE


def lotus(folder, *arguments, check=True):
    """Runs the command in a folder; a failure fails the test if `check`."""
    # Once for all commands: each would look into the same sources.
    read_ahead()
    return _forked(folder, ["lotus", *map(str, arguments)], main.run, check)


def snakemake(folder, *arguments, check=True):
    """Runs Snakemake in a folder, by the code that lies there; for what starts no job."""
    return _forked(folder, ["snakemake", *map(str, arguments)], _snakemake, check)


def planned(folder, *arguments):
    """Rule → number of jobs that a run would have."""
    done = snakemake(folder, "--dry-run", *arguments)
    counts = re.findall(r"^([a-z_]+)\s+(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    return {rule: int(count) for rule, count in counts if rule != "total"}


def _snakemake():
    # The Snakefile imports the code of its folder, which must not be there already.
    for name in [*sys.modules]:
        if name.partition(".")[0] == PACKAGE:
            del sys.modules[name]
    snakemake_main()


def _forked(folder, command, work, check):
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as error,
    ):
        child = os.fork()
        if child == 0:
            _become(folder, command, work, out, error)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        error.seek(0)
        done = subprocess.CompletedProcess(command, status, out.read(), error.read())
    if check and status:
        pytest.fail(f"{command}\n{done.stdout}\n{done.stderr}")
    return done


def _become(folder, command, work, out, error):
    """Turns this process into the command, and ends it."""
    status = 1
    try:
        os.chdir(folder)
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        sys.stdout, sys.stderr, sys.argv = out, error, command
        # Those of pytest: messages are to go to standard error.
        logging.getLogger().handlers.clear()
        work()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        out.flush()
        error.flush()
        os._exit(status)
