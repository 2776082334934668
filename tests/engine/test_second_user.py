"""What a run leaves open to other users: no socket, no temporary file, no variable."""

import os
import re
import secrets
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from birds import ASKED, project_of_birds
from project import BIN, ROOT, environment_of_user
from second_user import as_other, entered_by_others, needs_root
from torch import nn

from lotus.engine import asking, forward, warm
from lotus.engine.runtime import parse
from lotus.errors import LotusError
from lotus.private_folder import COMPILED

SECRET = secrets.token_hex()
LOTUS = [sys.executable, "-P", str(ROOT / "workflow/run_lotus.py")]
DRAWN = re.compile("[a-z0-9_]{8}$")
"""How names end that nobody can guess."""


def reads(path):
    """Whether the present user reads a file."""
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError:
        return []
    return [f"read {path}"]


def reached(path):
    """What the present user can do with a path: of a socket connect, of all else read or write."""
    try:
        state = os.lstat(path)
    except OSError:
        return []
    if stat.S_ISSOCK(state.st_mode):
        with socket.socket(socket.AF_UNIX) as asking:
            try:
                asking.connect(path)
            except OSError:
                return []
        return [f"connect {path}"]
    ways = (("read", os.R_OK), ("write", os.W_OK))
    found = [f"{way} {path}" for way, bit in ways if os.access(path, bit)]
    inside = os.listdir(path) if stat.S_ISDIR(state.st_mode) and os.access(path, os.R_OK) else ()
    return found + [each for name in inside for each in reached(os.path.join(path, name))]


def reached_by_name(folder, names):
    """The same of everything in a folder, whose names the other user may know or guess."""
    return [each for name in names for each in reached(os.path.join(folder, name))]


def writable(folder):
    """What below a folder the present user can write, the folder included."""
    found = [folder] if os.access(folder, os.W_OK) else []
    for above, inner, names in os.walk(folder):
        paths = [os.path.join(above, name) for name in (*inner, *names)]
        found += [path for path in paths if not os.path.islink(path) and os.access(path, os.W_OK)]
    return found


def watched_run(project, folder):
    """A workflow with a model; returns what another user could reach, all names and command lines."""
    folder.mkdir()
    folder.chmod(0o1777)
    variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TMPDIR": str(folder)}
    variables.pop("PYTHONPATH", None)
    running = subprocess.Popen(
        ["snakemake", "--cores", "1", *ASKED],
        cwd=project,
        env={**variables, "LOTUS_TOKEN": SECRET},
        umask=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found, names, lines = set(), set(), set()
    while running.poll() is None:
        below = [path.relative_to(folder) for path in folder.rglob("*")]
        names |= {path.parts[0] for path in below}
        known = [str(path) for path in below]
        found |= set(as_other(lambda known=known: reached_by_name(folder, known)))
        for process in psutil.Process(running.pid).children(recursive=True):
            try:
                lines.add(" ".join(process.cmdline()))
                environment = f"/proc/{process.pid}/environ"
                found |= set(as_other(lambda path=environment: reads(path)))
            except psutil.Error:
                continue
        time.sleep(0.2)
    said = running.communicate()[0]
    assert running.returncode == 0, said
    return found, names, lines


@pytest.fixture
def entered():
    with entered_by_others() as folder:
        yield folder


@needs_root
def test_another_user_reaches_nothing_of_a_run(entered):
    project = project_of_birds(entered / "project")
    found, names, lines = watched_run(project, entered / "temporary")
    assert found == set()
    # What another user could guess could be made beforehand, or be a link to somewhere else.
    assert names
    assert all(DRAWN.search(name) for name in names), names
    # Among them the process from which jobs are forked.
    assert any(" warm " in line for line in lines)
    assert not any(SECRET in line for line in lines)
    assert not list((entered / "temporary").iterdir())
    written = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts)
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    # What is read back later: remembered digests, what sources come to, splits that were right.
    audit = [*LOTUS, "audit", "--configfile", "birds.yaml"]
    subprocess.run(
        audit, cwd=project, env=environment_of_user(), umask=0, capture_output=True, check=False
    )
    kept = {path.name for path in (project / ".lotus").iterdir()}
    assert kept >= {
        "digests.json",
        "predictions.json",
        "sources.json",
        "splits.json",
        "stores.json",
        "sound-stores.json",
    }
    assert as_other(lambda: writable(str(project))) == []


@needs_root
def test_another_user_reaches_no_warm_process(entered, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(entered))
    process = warm.WarmProcess(LOTUS, entered / "warm.log", workers=1)
    try:
        address = process.start([asking.MODELS])
        sockets = [str(address), str(address.with_name(asking.KEPT))]
        end = time.monotonic() + 300
        while not all(os.path.exists(path) for path in sockets):
            assert time.monotonic() < end
            time.sleep(0.2)
        assert reached(sockets[0]) == [f"connect {sockets[0]}"]
        places = [str(address.parent), *sockets]
        assert as_other(lambda: reached_by_name("/", places)) == []
        # The other user would reach them, were it not for the folder around them.
        address.parent.chmod(0o755)
        address.chmod(0o777)
        assert as_other(lambda: reached(sockets[0])) == [f"connect {sockets[0]}"]
    finally:
        process.stop()


@pytest.fixture
def compiling(tmp_path, monkeypatch):
    """Declares a network that is compiled; no compiler is called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(COMPILED, raising=False)
    return lambda: forward.as_declared(nn.Linear(1, 1), parse("compile=on"), "cpu")


def test_compiled_code_is_kept_where_nobody_else_can_put_any(compiling, tmp_path):
    compiling()
    kept = Path(os.environ[COMPILED])
    assert kept == tmp_path / ".lotus/compiled"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def test_the_folder_that_pytorch_chooses_itself_is_not_taken(compiling, tmp_path, monkeypatch):
    """It stands in the variable once PyTorch is loaded."""
    monkeypatch.setenv(COMPILED, f"{tempfile.gettempdir()}/torchinductor_root")
    compiling()
    assert os.environ[COMPILED] == str(tmp_path / ".lotus/compiled")


def test_compiled_code_that_others_could_have_written_is_thrown_away(compiling, tmp_path):
    planted = tmp_path / ".lotus/compiled/planted.so"
    planted.parent.mkdir(parents=True)
    planted.touch()
    planted.parent.chmod(0o777)
    compiling()
    assert not planted.exists()


def test_a_link_in_place_of_compiled_code_is_refused(compiling, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".lotus").mkdir(mode=0o700)
    (tmp_path / ".lotus/compiled").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        LotusError, match=r"compiled: not a folder of yours.*TORCHINDUCTOR_CACHE_DIR"
    ):
        compiling()


def test_a_folder_that_the_user_names_is_kept(compiling, tmp_path, monkeypatch):
    monkeypatch.setenv(COMPILED, str(tmp_path / "own"))
    compiling()
    assert os.environ[COMPILED] == str(tmp_path / "own")
    assert not (tmp_path / ".lotus").exists()
