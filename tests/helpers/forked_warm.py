"""A workflow's warm process as a fork of the test process, which has the libraries loaded already.

Loading them is most of what a small workflow costs. Workflows that are run as a process of their own
(`project.run`) start theirs as users' do.
"""

import ctypes
import os
import signal
import subprocess
import sys
import traceback
from contextlib import suppress

from project import ROOT

PROGRAM = "workflow/run_lotus.py"
NAME = "warm"
"""Of this process, and of jobs that are forked from it, as the system lists them."""
SET_NAME = 15
"""Linux's PR_SET_NAME."""


class ForkedWarm:
    """What `lotus.engine.warm.WarmProcess` asks of the process that it starts."""

    def __init__(self, command, stdout, stderr, env, pass_fds):
        here, self._there = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            end_with(lambda: _serve(here, command, stdout, stderr, env, pass_fds))
        os.close(here)

    def terminate(self):
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def communicate(self):
        os.close(self._there)
        os.waitpid(self.pid, 0)


class Popen(subprocess.Popen):
    """`subprocess.Popen`, but for the warm process."""

    def __new__(cls, args, *more, **given):
        if isinstance(args, list) and args[3:4] == ["warm"] and args[2].endswith(PROGRAM):
            given.pop("stdin")
            return ForkedWarm(args, **given)
        return super().__new__(cls)


def fork_the_warm_process():
    """Has a workflow that runs in this process start its warm process as a fork of it."""
    subprocess.Popen = Popen


def end_with(work):
    """Does the work, and ends this process, a fork, with its status."""
    status = 1
    try:
        work()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    else:
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _serve(stdin, command, stdout, stderr, env, pass_fds):
    """Turns this process into the warm process."""
    ctypes.CDLL(None).prctl(SET_NAME, NAME.encode(), 0, 0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, file in enumerate((stdin, stdout.fileno(), stderr.fileno())):
        os.dup2(file, number)
    _close_others(pass_fds)
    sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
    os.environ.clear()
    os.environ.update(env)
    # Only the folder's package is to be found, as `workflow/run_lotus.py` has it.
    ours = ("", str(ROOT))
    tests = str(ROOT / "tests")
    sys.path[:] = [it for it in sys.path if it not in ours and not it.startswith(tests)]
    sys.argv = ["lotus", *command[command.index("warm") :]]
    from lotus.cli.main import run

    run()


def _close_others(kept):
    """Closes files of the workflow, among them its locks."""
    for name in os.listdir("/proc/self/fd"):
        if (number := int(name)) > 2 and number not in kept:
            with suppress(OSError):
                os.close(number)
