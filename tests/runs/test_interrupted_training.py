"""A run that was killed goes on where it was, and only if it is the same run."""

import json
import os
import signal
import subprocess
import sys
import time

from project import ROOT
from runs_on_digits import RESNET, record, run_in

from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.engine.runtime import parse
from lotus.runs.run import Inputs
from lotus.runs.train import train_run


def command(digits, out, *options):
    """`lotus pretrain` in a process of its own, with its log beside the run."""
    training = {"epochs": 12, "warmup_epochs": 2, "batch_size": 200, "patience": 9}
    architecture = {**RESNET, "training": training}
    call = [sys.executable, "-m", "lotus", "--log", out.with_suffix(".log"), "pretrain"]
    call += ["--store", digits / "store", "--held-out", digits / "held-out.json", "--seed", 1]
    call += ["--device", "cpu", "--out", out, "--architecture", json.dumps(architecture)]
    call += ["--images", "{augmentation: {crop_padding: 1}}", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*map(str, call)], env=variables)


def test_a_killed_command_goes_on_where_it_was(digits, tmp_path):
    out, log = tmp_path / "killed", tmp_path / "killed.log"
    undisturbed = command(digits, tmp_path / "undisturbed")
    process, deadline = command(digits, out, "--checkpoint-every", 0), time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and "epoch 4/12" in log.read_text():
            process.send_signal(signal.SIGKILL)
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL
    assert (out / "checkpoint.pt").is_file()
    assert not (out / "run.json").exists()
    assert command(digits, out).wait() == 0
    assert undisturbed.wait() == 0

    (after,) = record(out)["notes"]["resumed_after_epochs"]
    assert 3 <= after < 12
    assert f"resumed after epoch {after}\n" in log.read_text()
    assert f"epoch {after}/12" not in log.read_text()
    assert record(tmp_path / "undisturbed")["notes"]["resumed_after_epochs"] == []
    for name in ("model.safetensors", "predictions.npz"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    mine, theirs = (record(folder)["notes"]["epochs"] for folder in (out, tmp_path / "undisturbed"))
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    seconds = [epoch["seconds"] for epoch in mine]
    assert seconds == sorted(seconds)
    # The two clocks start some milliseconds apart; without the first process's time, half would be far off.
    assert record(out)["time"]["train"] > seconds[-1] - seconds[after - 1] / 2
    assert seconds[-1] > seconds[after]
    left = {"model.safetensors", "predictions.npz", "run.json"}
    assert {path.name for path in out.iterdir()} == left


def test_another_recipe_or_runtime_does_not_take_the_checkpoint(inputs, tmp_path, monkeypatch):
    plain = Inputs(inputs.store, inputs.held_out)
    tried = ((0.05, "", []), (0.1, "", []), (0.1, "", [2]), (0.1, "precision=bf16", []))
    for lr, runtime, expected in tried:
        run = run_in(tmp_path / "run", runtime=parse(runtime), checkpoint_every=0)
        section = {**RESNET, "training": {**RESNET["training"], "lr": lr}}
        with monkeypatch.context() as patched:
            # What is left of a process that was killed before its record was written.
            patched.setattr("lotus.engine.checkpoint.Checkpoint.remove", lambda _: None)
            train_run("original", plain, run, ARCHITECTURE.validate_python(section), Dataset())
        assert record(run.out)["notes"]["resumed_after_epochs"] == expected
