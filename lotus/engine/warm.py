"""A process with the heavy libraries loaded, from which a workflow's jobs are forked.

Loading torch, its optimizers and timm takes longer than most jobs on small data. The workflow starts
one such process and names it to its jobs; `lotus` then hands its arguments over, and a fresh copy of
the process does the work, with the job's own files, folder and environment. A batch of jobs
on a cluster's node has a process of its own. Where there is none (by hand, for a single job on such a
node) `lotus` loads the libraries itself. Nothing is computed before the fork,
so both ways give the same bytes.
"""

import atexit
import importlib
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from lotus.engine import kept
from lotus.engine.asking import CODE, NOT_DONE, SIZE, VARIABLE, is_peer_this_user
from lotus.private_folder import COMPILED
from lotus.records.began import begin_job
from lotus.surroundings import PACKAGE

LIBRARIES = (
    "torch",
    "timm.models.vision_transformer",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "scipy.stats",
    "pandas",
    "matplotlib.figure",
    "seaborn",
)
LONGEST_ADDRESS = 100
"""Bytes; systems take 104 to 108."""
STANDARD_INPUT = 0
"""Of a process that a workflow started a pipe, whose other end is the workflow's."""


class WarmProcess:
    """A warm process for the length of a workflow.

    Args:
        command: what runs this checkout's `lotus`.
        log: where it reports.
        workers: processes for models that stay after a job (`lotus.engine.kept`).

    """

    def __init__(self, command: Sequence[str], log: Path, workers: int = 0) -> None:
        self._command, self._log, self._workers = command, log, workers
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    def start(self) -> Path | None:
        """Starts it; jobs that come before it is ready load the libraries themselves.

        Returns:
            Its address, in a new folder of this user alone; None where it cannot be had, which costs only
            time.

        """
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="lotus-"))
            address = self._folder / "socket"
            if len(os.fsencode(address)) > LONGEST_ADDRESS:
                raise OSError(f"{address}: is too long for the address of a socket")
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("wb") as log:
                command = [*self._command, "warm", str(address), "--workers", str(self._workers)]
                # PyTorch makes its folder of compiled code when it is loaded; jobs have another.
                variables = {COMPILED: str(self._folder / "compiled"), **os.environ}
                # Nothing is ever written to this pipe: it closes when this process ends, however it does.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=variables
                )
        except OSError:
            self.stop()
            return None
        return address

    def serve_children(self) -> None:
        """Starts it for the jobs of all processes below this one, and ends it with this one."""
        address = self.start()
        if address is not None:
            os.environ[VARIABLE] = str(address)
            atexit.register(self.stop)

    def stop(self) -> None:
        """Ends it and removes its address."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def serve(address: Path, work: Callable[[], None], workers: int = 0) -> None:
    """Waits for jobs until the process that started this one is gone.

    Args:
        address: socket to listen on; its folder must belong to this user alone.
        work: does one job from `sys.argv`; may raise SystemExit.
        workers: processes for models that stay after a job.

    """
    parent = os.getppid()
    for library in LIBRARIES:
        importlib.import_module(library)
    importlib.import_module("lotus.runs.run").load_optimizers()
    importlib.import_module("lotus.records.code_identity").read_ahead()
    importlib.import_module("lotus.records.environment").look_ahead()
    loaded = LoadedCode()
    # Nobody here waits for the jobs, so the system is to clear away those that ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # First the workers' socket: jobs come as soon as there is the other.
        pool = kept.Workers(address, workers, partial(_do_and_stay, work, loaded), listener.close)
        pool.replenish()
        listener.bind(str(address))
        listener.listen()
        # A Snakemake that is killed cannot say so: the loop looks for it each second.
        listener.settimeout(1.0)
        while os.getppid() == parent:
            pool.replenish()
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if not is_peer_this_user(connection):
                connection.close()
                continue
            if os.fork() == 0:
                listener.close()
                _do_and_end(connection, work, loaded)
            connection.close()


class LoadedCode:
    """The sources of this package that a process has loaded.

    A record states the code by the sources that lie there when it is written. Somebody who edits them while
    a workflow runs must not get results of the old code that state the new one.
    """

    def __init__(self) -> None:
        self._states: dict[str, tuple[int, int] | None] = {}
        self.note()

    def note(self) -> None:
        """Remembers sources that were loaded since."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and name.partition(".")[0] == PACKAGE and file not in self._states:
                self._states[file] = _state(file)

    def has_changed(self) -> bool:
        """Whether one of them is another file by now."""
        return any(_state(file) != state for file, state in self._states.items())


def _state(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _do_and_end(connection: socket.socket, work: Callable[[], None], loaded: LoadedCode) -> None:
    """In the forked process: does the job, answers, ends."""
    code = _do_one(connection, work, loaded, Event())
    try:
        connection.sendall(CODE.pack(code))
    finally:
        # Not `sys.exit`, which would run what the process that this one was forked from does at its end.
        os._exit(code)


def _do_and_stay(work: Callable[[], None], loaded: LoadedCode, connection: socket.socket) -> bool:
    """In a kept worker: does the job, answers; returns whether it can do another."""
    if not is_peer_this_user(connection):
        return True
    own, done = kept.own_output(), Event()
    code = _do_one(connection, work, loaded, done)
    loaded.note()
    kept.give_back_output(own)
    connection.sendall(CODE.pack(code))
    return kept.stays(sys.argv, code)


def _do_one(
    connection: socket.socket, work: Callable[[], None], loaded: LoadedCode, done: Event
) -> int:
    """Takes the order, works, and returns the job's status; `done` is set when it is over."""
    code = 1
    try:
        # A job does wait for programs that it calls, such as git: ignored, their status would be lost.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.settimeout(None)
        head, files, _, _ = socket.recv_fds(connection, SIZE.size, 2)
        (size,) = SIZE.unpack(head)
        order = json.loads(connection.recv(size, socket.MSG_WAITALL))
        for number, file in zip((1, 2), files, strict=True):
            os.dup2(file, number)
            os.close(file)
        if loaded.has_changed():
            return NOT_DONE
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update({**order["variables"], "MPLBACKEND": "agg"})
        begin_job()
        sys.argv = order["arguments"]
        Thread(target=_end_with, args=(connection, done), daemon=True).start()
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        done.set()
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _end_with(connection: socket.socket, done: Event) -> None:
    """Ends the job when the `lotus` that asked for it, or the workflow, is gone.

    A job that outlived a workflow that was killed would write into the next one's results.
    """
    lost: list[Any] = [connection]
    if stat.S_ISFIFO(os.fstat(STANDARD_INPUT).st_mode):
        lost.append(STANDARD_INPUT)
    select.select(lost, [], [])
    if not done.is_set():
        os._exit(1)
