"""`lotus` in a fork of the test process: a process of its own without imports of its own."""

import logging
import os
import subprocess
import sys
import tempfile

import pytest

from lotus.cli import main


def lotus(folder, *arguments, check=True):
    """Runs the command in a folder; a failure fails the test if `check`."""
    command = ["lotus", *map(str, arguments)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as error,
    ):
        child = os.fork()
        if child == 0:
            _become(folder, command, out, error)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        error.seek(0)
        done = subprocess.CompletedProcess(command, status, out.read(), error.read())
    if check and status:
        pytest.fail(f"{command}\n{done.stdout}\n{done.stderr}")
    return done


def _become(folder, command, out, error):
    """Turns this process into the command, and ends it."""
    status = 1
    try:
        os.chdir(folder)
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        sys.stdout, sys.stderr, sys.argv = out, error, command
        # Those of pytest: messages are to go to standard error.
        logging.getLogger().handlers.clear()
        main.run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        out.flush()
        error.flush()
        os._exit(status)
