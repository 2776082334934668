"""Workers that stay after a job: results as of a fresh process, and nothing of one job in the next."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import torch
from digits import store_of_digits
from gpu_holders import GPUS
from project import ROOT
from runs_on_digits import RESNET

from lotus.engine import asking, device, kept, warm
from lotus.engine.device import Device
from lotus.engine.lease import take

LOTUS = [sys.executable, "-P", str(ROOT / "workflow/run_lotus.py")]
WAIT = 60


class Running(NamedTuple):
    address: Path
    process: psutil.Process

    def worker(self, other_than=None):
        """The one worker, once there is another than that."""
        for _ in range(10 * WAIT):
            found = [
                child
                for child in self.process.children()
                if child.pid != other_than and child.status() != psutil.STATUS_ZOMBIE
            ]
            if found:
                return found[0].pid
            time.sleep(0.1)
        raise AssertionError("no worker has come")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("kept")
    store_of_digits(made)
    return made


@pytest.fixture(scope="module")
def running(folder):
    process = warm.WarmProcess(LOTUS, folder / "warm.log", workers=1)
    address = process.start([asking.MODELS])
    for _ in range(10 * WAIT):
        if address.with_name(asking.READY).exists():
            break
        time.sleep(0.1)
    yield Running(address, psutil.Process(process._process.pid))
    process.stop()


def pretrain(folder, out, address=None, **given):
    told = {"out": out, "epochs": 1, "device": "cpu", **given}
    section = {**RESNET, "training": {**RESNET["training"], "epochs": told["epochs"]}}
    command = [
        *LOTUS, "--log", f"{out}.log", "pretrain", "--store", "store", "--held-out", "held-out.json",
        "--seed", "1", "--device", told["device"], "--architecture", json.dumps(section), "--out", out,
    ]  # fmt: skip
    variables = {key: value for key, value in os.environ.items() if key != asking.VARIABLE}
    if address is not None:
        variables[asking.VARIABLE] = str(address)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(done):
    said = done.communicate(timeout=WAIT)
    return done.returncode, *said


def test_one_worker_makes_what_fresh_processes_make(folder, running):
    assert result(pretrain(folder, "alone")) == (0, "", "")
    worker = running.worker()
    for out in ("first", "second"):
        assert result(pretrain(folder, out, running.address)) == (0, "", "")
        assert running.worker() == worker
    for name in ("model.safetensors", "predictions.npz"):
        made = {(folder / out / name).read_bytes() for out in ("alone", "first", "second")}
        assert len(made) == 1, name
    alone, first, second = (
        json.loads((folder / out / "run.json").read_text()) for out in ("alone", "first", "second")
    )
    # Each counts its own time, not that of the worker, and logs into its own file.
    spent = [
        sum(run["time"][key] for key in ("prepare", "train", "predict")) for run in (first, second)
    ]
    assert all(
        run["time"]["total"] >= each for run, each in zip((first, second), spent, strict=True)
    )
    assert first["time"]["started"] <= second["time"]["started"]
    assert second["time"]["total"] < time.time() - psutil.Process(worker).create_time() - spent[0]
    assert [run["command"].split(" --out ")[1] for run in (first, second)] == ["first", "second"]
    assert alone["settings"] == first["settings"] == second["settings"]
    for out in ("first", "second"):
        log = (folder / f"{out}.log").read_text().splitlines()
        assert sum("epoch 1/1" in line for line in log) == 1
        assert f"wrote {out}" in log[-1]


def test_a_failed_job_ends_its_worker_and_says_what_it_says_alone(folder, running):
    worker = running.worker()
    code, _, said = result(pretrain(folder, "wrong", running.address, device="cuda:7"))
    alone = result(pretrain(folder, "wrong", device="cuda:7"))
    assert (code, said) == (alone[0], alone[2])
    assert code == 1
    assert "cuda:7" in said
    assert running.worker(other_than=worker) != worker
    assert result(pretrain(folder, "again", running.address))[0] == 0


def test_a_job_ends_with_who_asked_for_it(folder, running):
    worker = running.worker()
    asking = pretrain(folder, "broken-off", running.address, epochs=10_000)
    log = folder / "broken-off.log"
    for _ in range(10 * WAIT):
        if log.exists() and "epoch 1/" in log.read_text():
            break
        time.sleep(0.1)
    os.kill(asking.pid, signal.SIGKILL)
    asking.communicate()
    assert running.worker(other_than=worker) != worker
    assert not (folder / "broken-off/run.json").exists()


def test_a_worker_without_a_job_gives_its_gpu_back_and_without_a_gpu_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "IDLE", 1)

    def do_one(connection):
        if connection.recv(1) == b"g":
            lease = take(GPUS[:1], lambda _: 1, tmp_path)
            device._OWN.set((os.getpid(), Device(torch.device("cpu"), 1, lease=lease)))
        connection.sendall(b".")
        return True

    def ask(what):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / asking.KEPT))
            connection.sendall(what)
            assert connection.recv(1) == b"."

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / asking.KEPT))
    listener.listen()
    workers = kept.Workers(listener, 1, do_one, lambda: None)
    workers.replenish()
    (worker,) = workers._workers
    ask(b"-")
    time.sleep(2.5)
    assert not worker.has_ended()
    ask(b"g")
    assert select.select([worker.alive], [], [], WAIT)[0]
    assert take(GPUS[:1], lambda _: 1, tmp_path).waited < WAIT


@pytest.mark.parametrize(
    ("line", "code", "goes_on"),
    [
        ("lotus unlearn lotus", 0, True),
        ("lotus unlearn lotus", 1, False),
        ("lotus unlearn mine --plugin mine.py", 0, False),
    ],
)
def test_what_cannot_be_put_back_ends_a_worker(line, code, goes_on):
    assert kept.stays(line.split(), code) == goes_on


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("lotus unlearn lotus", "kept"),
        ("lotus --log unlearn.log retrain --store there", "kept"),
        ("lotus --log rank.log rank-images --store there", "kept"),
        ("lotus --log logs/x.log figure avg-gap", "socket"),
        ("lotus evaluate --of unlearn predictions.npz", "socket"),
    ],
)
def test_jobs_with_models_go_to_the_workers_if_there_are_any(tmp_path, line, name):
    address = str(tmp_path / "socket")
    assert asking.place_of(address, line.split()) == address
    (tmp_path / "kept").touch()
    assert asking.place_of(address, line.split()) == str(tmp_path / name)
