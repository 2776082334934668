"""What a warm process loads before jobs come, and what between them."""

import json
import socket
import subprocess
import sys

from click.testing import CliRunner
from waiting import WAIT, wait_until

from lotus.cli.main import main
from lotus.engine import asking, warm

TELL = [sys.executable, "-c", "import sys; print(*sys.argv[1:])"]

SERVE = """
import sys
from pathlib import Path

from lotus.engine import warm
from lotus.records import code_identity

code_identity.read_ahead = lambda: None
sys.path.insert(0, sys.argv[1])
warm.serve(
    [int(sys.argv[3])],
    Path(sys.argv[1], "is-done").touch,
    {"first": [], "others": ["waits_for_a_job", "tells_whether_it_is_done"]},
)
"""

WAITS = """
import time
from pathlib import Path

HERE = Path(__file__).parent
(HERE / "loads").touch()
while not (HERE / "asks").exists():
    time.sleep(0.01)
"""
"""A module that is not loaded before a job has come."""

TELLS = """
import time
from pathlib import Path

HERE = Path(__file__).parent
end = time.monotonic() + 10
while not (HERE / "is-done").exists() and time.monotonic() < end:
    time.sleep(0.01)
(HERE / "told").write_text(str((HERE / "is-done").exists()))
"""


def test_a_job_that_comes_meanwhile_is_done_before_all_is_loaded(tmp_path):
    (tmp_path / "waits_for_a_job.py").write_text(WAITS)
    (tmp_path / "tells_whether_it_is_done.py").write_text(TELLS)
    process = warm.WarmProcess([sys.executable, "-c", SERVE, str(tmp_path)], tmp_path / "log")
    order = json.dumps({"arguments": ["lotus"], "folder": "/", "variables": {}}).encode()
    try:
        address = process.start([asking.RESULTS])
        wait_until((tmp_path / "loads").exists)
        with socket.socket(socket.AF_UNIX) as job, (tmp_path / "out").open("w") as out:
            job.settimeout(WAIT)
            job.connect(str(address))
            socket.send_fds(job, [asking.SIZE.pack(len(order))], [out.fileno(), out.fileno()])
            job.sendall(order)
            (tmp_path / "asks").touch()
            assert job.recv(1) == asking.DOING
            assert asking.CODE.unpack(job.recv(asking.CODE.size)) == (0,)
        wait_until((tmp_path / "told").exists)
    finally:
        process.stop()
    assert (tmp_path / "told").read_text() == "True"


def test_it_loads_the_networks_of_its_jobs_and_no_other_ones(tmp_path, monkeypatch):
    """timm and torchvision take as long to load as PyTorch itself."""
    process = warm.WarmProcess(TELL, tmp_path / "log", networks=["lotus.models.vit"])
    process.start([asking.MODELS, asking.RESULTS])
    process._process.wait()
    process.stop()
    given = []
    monkeypatch.setattr(warm, "serve", lambda *it: given.append(it))
    arguments = (tmp_path / "log").read_text().split()
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    ((_, _, modules, workers),) = given
    assert [*modules] == [asking.MODELS, asking.RESULTS]
    assert modules[asking.MODELS][-1] == "lotus.models.vit"
    assert not [it for it in modules[asking.MODELS] if it.startswith("lotus.models.resnet")]
    assert workers == 0
    code = (
        f"import sys; [__import__(it) for it in {modules[asking.MODELS][:-1]}]; "
        "sys.exit('torch' not in sys.modules or 'timm' in sys.modules or 'torchvision' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_that_runs_is_not_started_again(tmp_path):
    process = warm.WarmProcess([sys.executable, "-c", "input()"], tmp_path / "log")
    address = process.start([asking.MODELS])
    pid = process._process.pid
    assert process.start([asking.RESULTS]) == address
    assert process._process.pid == pid
    process.stop()
    assert not address.parent.exists()
    process.stop()
    again = process.start([asking.MODELS])
    assert again != address
    process.stop()
