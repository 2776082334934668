"""The process that jobs are forked from: same answers, status and output as `lotus` itself."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import ModuleType
from typing import NamedTuple

import psutil
import pytest
from waiting import WAIT, wait_until

from lotus.engine import asking, warm

ROOT = Path(__file__).parents[2]
LOTUS = [sys.executable, "-P", str(ROOT / "workflow/run_lotus.py")]


class Running(NamedTuple):
    address: Path
    pid: int


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    kept = warm.WarmProcess(LOTUS, tmp_path_factory.mktemp("warm") / "warm.log")
    address = kept.start([asking.RESULTS])
    assert address.parent.stat().st_mode & 0o777 == 0o700
    wait_until(address.with_name(asking.READY).exists)
    yield Running(address, kept._process.pid)
    kept.stop()
    assert not address.parent.exists()


def lotus(folder, process, *arguments):
    command = [*LOTUS, *arguments]
    variables = {**os.environ, asking.VARIABLE: str(process.address)}
    return subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def test_it_works_in_the_callers_folder_with_the_callers_output(process, tmp_path):
    done = lotus(tmp_path, process, "fetch", "digits", "--out", "raw.json")
    assert done.returncode == 0
    assert "verified" in done.stderr
    assert (tmp_path / "raw.json").is_file()


@pytest.mark.parametrize("arguments", [["fetch", "nothing", "--out", "x"], ["fetch"]])
def test_failures_have_the_same_status_and_message(process, tmp_path, arguments):
    by_warm = lotus(tmp_path, process, *arguments)
    alone = subprocess.run(
        [sys.executable, "-m", "lotus", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert by_warm.returncode == alone.returncode > 0
    assert by_warm.stderr.splitlines()[-1] == alone.stderr.splitlines()[-1]


def test_without_such_a_process_lotus_works_by_itself(tmp_path):
    assert asking.ask(str(tmp_path / "socket"), ["lotus"]) is None


@pytest.fixture
def listener(tmp_path):
    """A socket as somebody could put it where a job looks for the warm process."""
    folder = tmp_path / "lotus-x"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(folder / "socket"))
        listening.listen()
        listening.settimeout(0.2)
        yield folder, listening


def told(listening):
    """What somebody who listens hears of a job."""
    try:
        connection, _ = listening.accept()
    except TimeoutError:
        return b""
    with connection:
        return connection.recv(1000)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_nothing_is_sent_where_others_can_enter(listener, mode):
    folder, listening = listener
    folder.chmod(mode)
    assert asking.ask(str(folder / "socket"), ["lotus"]) is None
    assert not told(listening)


def test_nothing_is_sent_through_a_link(listener, tmp_path):
    folder, listening = listener
    (tmp_path / "link").symlink_to(folder)
    assert asking.ask(str(tmp_path / "link/socket"), ["lotus"]) is None
    assert not told(listening)


def test_nothing_is_sent_to_another_user(listener, monkeypatch):
    folder, listening = listener
    monkeypatch.setattr(asking, "_is_of_this_user_alone", lambda address: True)
    monkeypatch.setattr(asking.os, "getuid", lambda: 54_321)
    assert asking.ask(str(folder / "socket"), ["lotus"]) is None
    assert not told(listening)


def test_one_that_ends_before_it_has_heard_all_is_gone_on_without(listener, monkeypatch):
    folder, listening = listener
    monkeypatch.setenv("LONG", "x" * 10_000_000)

    def hang_up():
        connection, _ = listening.accept()
        connection.close()

    Thread(target=hang_up).start()
    assert asking.ask(str(folder / "socket"), ["lotus"]) is None


def test_a_job_that_is_left_to_its_asker_is_done_by_it(listener):
    folder, listening = listener

    def decline():
        connection, _ = listening.accept()
        with connection:
            socket.recv_fds(connection, 4, 2)
            connection.sendall(asking.LEFT)

    Thread(target=decline).start()
    assert asking.ask(str(folder / "socket"), ["lotus"]) is None


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of the package that was loaded from a file."""
    file = tmp_path / "extra.py"
    file.write_text("FACTOR = 1\n")
    loaded = ModuleType("lotus.extra")
    loaded.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "lotus.extra", loaded)
    return file


def test_code_that_is_edited_after_it_was_loaded_is_noticed(module):
    loaded = warm.LoadedCode()
    assert not loaded.has_changed()
    module.write_text("FACTOR = 22\n")
    assert loaded.has_changed()


def test_code_that_is_gone_is_other_code(module):
    loaded = warm.LoadedCode()
    module.unlink()
    assert loaded.has_changed()


def test_what_a_job_has_loaded_counts_for_the_next_one(module, monkeypatch):
    loaded_later = sys.modules.pop("lotus.extra")
    loaded = warm.LoadedCode()
    sys.modules["lotus.extra"] = loaded_later
    loaded.note()
    module.write_text("FACTOR = 22\n")
    assert loaded.has_changed()


def test_no_job_is_done_with_code_that_lies_there_otherwise(tmp_path, monkeypatch):
    """Else its record would state the code that lies there, and not the one that ran."""
    ours, theirs = socket.socketpair()
    out = (tmp_path / "out").open("w")
    order = b'{"arguments": ["lotus"], "folder": "/", "variables": {}}'
    socket.send_fds(theirs, [asking.SIZE.pack(len(order))], [out.fileno(), out.fileno()])
    theirs.sendall(order)
    monkeypatch.setattr(warm.os, "dup2", lambda *_: None)
    monkeypatch.setattr(warm.LoadedCode, "has_changed", lambda _: True)
    did = []
    with ours, theirs, out:
        code = warm._do_one(ours, lambda: did.append(1), warm.LoadedCode(), Event())
        assert theirs.recv(10) == asking.LEFT
    assert (code, did) == (None, [])


def endless_job(folder):
    """A job that waits for what somebody writes into a pipe, and nobody does."""
    return [*LOTUS, "store", "digits", "--raw", str(folder / "raw"), "--out", str(folder / "out")]


def is_read(pipe):
    """Whether somebody has it open for reading, who then waits on: it stays open here."""
    try:
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    return True


def test_a_killed_job_is_a_failure(process, tmp_path):
    variables = {**os.environ, asking.VARIABLE: str(process.address)}
    os.mkfifo(tmp_path / "raw")
    waiting = subprocess.Popen(
        endless_job(tmp_path),
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        waiting.kill()
        pytest.skip("children of a process are listed on Linux alone")
    for _ in range(100):
        if children.read_text():
            break
        time.sleep(0.1)
    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
    _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 1
    assert "killed" in said


WORKFLOW = """
import sys
import time
from pathlib import Path

from lotus.engine import asking, warm

print(warm.WarmProcess(sys.argv[2:], Path(sys.argv[1])).start([asking.RESULTS]), flush=True)
time.sleep(600)
"""


def test_no_job_outlives_a_workflow_that_is_killed(tmp_path):
    command = [sys.executable, "-c", WORKFLOW, str(tmp_path / "warm.log"), *LOTUS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as workflow:
        address = Path(workflow.stdout.readline().strip())
        try:
            wait_until(address.with_name(asking.READY).exists)
            os.mkfifo(tmp_path / "raw")
            variables = {**os.environ, asking.VARIABLE: str(address)}
            job = endless_job(tmp_path)
            waiting = subprocess.Popen(job, env=variables, stderr=subprocess.PIPE, text=True)
            while not is_read(tmp_path / "raw"):
                assert waiting.poll() is None
                time.sleep(0.1)
        finally:
            workflow.kill()
        _, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 1
    assert "killed" in said


def test_a_job_waits_for_a_process_that_is_loading_and_a_light_one_does_not(listener, monkeypatch):
    folder, listening = listener
    heard = []

    def load_and_do():
        listening.settimeout(WAIT)
        connection, _ = listening.accept()
        with connection:
            size, *_ = socket.recv_fds(connection, asking.SIZE.size, 2)
            # Whole: to close with something unread resets the connection, and the answer may be lost.
            connection.recv(asking.SIZE.unpack(size)[0], socket.MSG_WAITALL)
            heard.append(True)
            connection.sendall(asking.DOING + asking.CODE.pack(7))

    assert asking.ask(str(folder / "socket"), ["lotus", "seal"]) is None
    loading = Thread(target=load_and_do)
    loading.start()
    assert asking.ask(str(folder / "socket"), ["lotus", "figure"]) == 7
    loading.join()
    (folder / asking.READY).touch()
    loading = Thread(target=load_and_do)
    loading.start()
    assert asking.ask(str(folder / "socket"), ["lotus", "seal"]) == 7
    loading.join()
    assert len(heard) == 2


def has_loaded(process, library):
    """Whether a compiled library is in the memory of a process."""
    return any(library in mapped.path for mapped in psutil.Process(process.pid).memory_maps())


TORCH, MATPLOTLIB = "libtorch_cpu", "ft2font"


@pytest.mark.parametrize(
    ("jobs_on", "first", "other"),
    [
        ([asking.MODELS], TORCH, MATPLOTLIB),
        ([asking.RESULTS], MATPLOTLIB, TORCH),
        ([asking.MODELS, asking.RESULTS], TORCH, None),
    ],
)
def test_it_loads_what_its_jobs_need_and_does_others_too(tmp_path, jobs_on, first, other):
    kept = warm.WarmProcess(LOTUS, tmp_path / "warm.log")
    try:
        address = kept.start(jobs_on)
        process = Running(address, kept._process.pid)
        wait_until(address.with_name(asking.READY).exists)
        assert has_loaded(process, first)
        if other is None:
            # What is not urgent comes while no job waits.
            wait_until(lambda: has_loaded(process, MATPLOTLIB))
        (tmp_path / "none.json").write_text("{}")
        to = ("--out", "x", "--record", "x.json")
        said = lotus(tmp_path, process, "table", "benchmark", "none.json", *to)
        assert said.returncode == 1
        assert "none.json" in said.stderr
        assert other is None or not has_loaded(process, other)
    finally:
        kept.stop()


def test_a_process_that_ends_while_it_loads_leaves_its_jobs_to_themselves(tmp_path):
    process = warm.WarmProcess(
        [sys.executable, "-c", "import time; time.sleep(2)"], tmp_path / "log"
    )
    try:
        address = process.start([asking.RESULTS])
        assert asking.ask(str(address), ["lotus", "figure"]) is None
    finally:
        process.stop()


def test_no_job_that_waits_outlives_a_workflow_that_is_killed(tmp_path):
    """It would do its work itself once the process that was loading is gone."""
    command = [sys.executable, "-c", WORKFLOW, str(tmp_path / "warm.log"), *LOTUS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as workflow:
        address = workflow.stdout.readline().strip()
        job = [*LOTUS, "methods"]
        variables = {**os.environ, asking.VARIABLE: address}
        waiting = subprocess.Popen(job, env=variables, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        assert not Path(address).with_name(asking.READY).exists()
        workflow.kill()
        _, said = waiting.communicate(timeout=WAIT)
    assert waiting.returncode == 1
    assert "killed" in said


def test_one_whose_workflow_was_killed_before_it_began_ends(tmp_path):
    """It cannot know by its parent: that is another process by then."""
    log = tmp_path / "warm.log"
    command = [
        sys.executable,
        "-c",
        WORKFLOW,
        str(log),
        "sh",
        "-c",
        'sleep 1; exec "$@"',
        "sh",
        *LOTUS,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as workflow:
        workflow.stdout.readline()
        workflow.kill()
    for _ in range(10 * WAIT):
        if not is_open(log):
            break
        time.sleep(0.1)
    else:
        pytest.fail(f"it is still there: {log.read_text()}")


def is_open(file):
    """Whether a process of this user has a file open."""
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if any(found.path == str(file) for found in each.open_files()):
                return True
    return False


def test_where_no_address_can_be_had_there_is_no_warm_process(tmp_path, monkeypatch):
    long = tmp_path / ("a" * 100)
    long.mkdir()
    for folder in (long, tmp_path / "absent"):
        monkeypatch.setattr(warm.tempfile, "tempdir", str(folder))
        assert warm.WarmProcess(LOTUS, tmp_path / "warm.log").start([asking.RESULTS]) is None
