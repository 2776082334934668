"""A process with the heavy libraries loaded, from which a workflow's jobs are forked.

Loading torch, its optimizers and timm takes longer than most jobs on small data. The workflow starts
one such process and names it to its jobs; `lotus` then hands its arguments over, and a fresh copy of
the process does the work, with the job's own files, folder and environment. A batch of jobs
on a cluster's node has a process of its own. Where there is none (by hand, for a single job on such a
node) `lotus` loads the libraries itself. Nothing is computed before the fork,
so both ways give the same bytes.

What jobs on models need is loaded first, and only that where nothing else is to be done, as on a node.
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
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any

from lotus.engine import kept
from lotus.engine.asking import (
    CODE,
    DOING,
    KEPT,
    LEFT,
    MODELS,
    READY,
    SIZE,
    VARIABLE,
    is_peer_this_user,
)
from lotus.private_folder import COMPILED
from lotus.records.began import begin_job
from lotus.surroundings import PACKAGE

ADDRESS = "socket"
"""Its name, in a folder of its own."""

STANDARD_INPUT = 0
"""Of a process that a workflow started a pipe, whose other end is the workflow's."""

TUNABLES, HUGE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
"""Environment variable of glibc's, and what it calls the choice."""


class WarmProcess:
    """A warm process for the length of a workflow.

    Args:
        command: what runs this checkout's `lotus`.
        log: where it reports.
        workers: processes for models that stay after a job (`lotus.engine.kept`).
        networks: modules that build the networks of jobs on models.

    """

    def __init__(
        self, command: Sequence[str], log: Path, workers: int = 0, networks: Sequence[str] = ()
    ) -> None:
        self._command, self._log, self._workers = command, log, workers
        self._networks = networks
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    def start(self, jobs_on: Sequence[str]) -> Path | None:
        """Starts it, unless it runs; jobs that come before it is ready wait, or load little themselves.

        It ends with this process, or before by `stop`.

        Args:
            jobs_on: what it loads libraries for, the first first; jobs on others load their own.

        Returns:
            Its address, in a new folder of this user alone; None where it cannot be had, which costs only
            time.

        """
        if self._process is not None and self._folder is not None:
            return self._folder / ADDRESS
        atexit.register(self.stop)
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="lotus-"))
            address = self._folder / ADDRESS
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as here:
                # It gets them listening, so that jobs can come at once; with its end nobody listens.
                listeners = [here.enter_context(_listening(address))]
                if self._workers:
                    listeners.append(here.enter_context(_listening(address.with_name(KEPT))))
                numbers = [listener.fileno() for listener in listeners]
                log = here.enter_context(self._log.open("wb"))
                command = [*self._command, "warm", *map(str, numbers)]
                command += ["--workers", str(self._workers)]
                command += chain.from_iterable(("--jobs-on", what) for what in jobs_on)
                command += chain.from_iterable(("--network", module) for module in self._networks)
                # PyTorch makes its folder of compiled code when it is loaded; jobs have another.
                variables = {
                    COMPILED: str(self._folder / "compiled"),
                    **os.environ,
                    **_huge_pages(),
                }
                # Nothing is ever written to this pipe: it closes when this process ends, however it does.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=variables,
                    pass_fds=numbers,
                )
        except OSError:
            self.stop()
            return None
        return address

    def serve_children(self, jobs_on: Sequence[str]) -> None:
        """Starts it for the jobs of all processes below this one."""
        address = self.start(jobs_on)
        if address is not None:
            os.environ[VARIABLE] = str(address)

    def stop(self) -> None:
        """Ends it and removes its address."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._process = self._folder = None


def _huge_pages() -> dict[str, str]:
    """Returns the variable by which glibc asks the system for its memory in huge pages.

    There are fewer of them to look up and to copy when a job is forked, which saves some hundredths of a
    workflow's time on a processor. Nothing where the user has said how it is to be.
    """
    given = os.environ.get(TUNABLES, "")
    return {} if HUGE in given else {TUNABLES: ":".join(filter(None, (given, f"{HUGE}=1")))}


def _listening(address: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(address))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def serve(
    listeners: Sequence[int],
    work: Callable[[], None],
    modules: Mapping[str, Sequence[str]],
    workers: int = 0,
) -> None:
    """Does jobs until the process that started this one is gone.

    Args:
        listeners: numbers of the sockets on which jobs arrive: for all jobs, and for those of the workers.
        work: does one job from `sys.argv`; may raise SystemExit.
        modules: that jobs need, by what the jobs are on. Those of the first are loaded before any job is
            done, others one by one while no job waits, so that none waits for all of them.
        workers: processes for models that stay after a job.

    """
    with ExitStack() as here:
        sockets = [here.enter_context(socket.socket(fileno=number)) for number in listeners]
        for each in sockets:
            # Else a program that a job calls would listen on, and nobody would hear that this one is gone.
            each.set_inheritable(False)
        first, *others = (_parts(*each) for each in modules.items())
        for load in first:
            load()
        later = deque(chain.from_iterable(others))
        importlib.import_module("lotus.records.environment").look_ahead()
        loaded = LoadedCode()
        # Nobody here waits for the jobs, so the system is to clear away those that ended.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        listener = sockets[0]
        pool = None
        if workers:
            do_one = partial(_do_and_stay, work, loaded)
            pool = kept.Workers(sockets[1], workers, do_one, listener.close)
        Path(listener.getsockname()).with_name(READY).touch()
        while not _is_left_alone():
            if pool is not None:
                pool.replenish()
            # A Snakemake that is killed cannot say so: the loop looks for it each second.
            listener.settimeout(0.0 if later else 1.0)
            try:
                connection, _ = listener.accept()
            except (TimeoutError, BlockingIOError):
                if later:
                    later.popleft()()
                    loaded.note()
                continue
            if not is_peer_this_user(connection):
                connection.close()
                continue
            if os.fork() == 0:
                for each in sockets:
                    each.close()
                _do_and_end(connection, work, loaded)
            connection.close()
        for each in sockets:
            _turn_away(each)


def _is_left_alone() -> bool:
    """Whether the workflow is gone, maybe before this process had begun: its end of the pipe is closed."""
    return bool(select.select([STANDARD_INPUT], [], [], 0)[0])


def _parts(what: str, modules: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Yields what loads, piece by piece, all that jobs on models, or on results, need.

    At the end it reads the code that their records state.
    """
    identity = partial(importlib.import_module, "lotus.records.code_identity")
    for module in modules:
        yield partial(_load, module)
    if what == MODELS:
        yield lambda: importlib.import_module("lotus.runs.run").load_optimizers()
        yield lambda: identity().reach(*modules)
    else:
        # Each figure and each table begins in a module of its own.
        yield lambda: identity().read_ahead()


def _load(module: str) -> None:
    # The job that needs a module which cannot be loaded says so.
    with suppress(Exception):
        importlib.import_module(module)


def _turn_away(listener: socket.socket) -> None:
    """Ends jobs that wait, of a workflow that is gone: left alone they would do their work themselves."""
    listener.settimeout(0)
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(DOING)


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
        if code is not None:
            connection.sendall(CODE.pack(code))
    finally:
        # Not `sys.exit`, which would run what the process that this one was forked from does at its end.
        os._exit(code or 0)


def _do_and_stay(work: Callable[[], None], loaded: LoadedCode, connection: socket.socket) -> bool:
    """In a kept worker: does the job, answers; returns whether it can do another."""
    if not is_peer_this_user(connection):
        return True
    own, done = kept.own_output(), Event()
    code = _do_one(connection, work, loaded, done)
    loaded.note()
    kept.give_back_output(own)
    if code is None:
        return False
    connection.sendall(CODE.pack(code))
    return kept.stays(sys.argv, code)


def _do_one(
    connection: socket.socket, work: Callable[[], None], loaded: LoadedCode, done: Event
) -> int | None:
    """Takes the order, works, and returns the job's status; `done` is set when it is over.

    None where the job is left to who asks for it.
    """
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
            connection.sendall(LEFT)
            return None
        connection.sendall(DOING)
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
