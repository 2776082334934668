"""Short runs on real digits."""

import json

from lotus.config import protocol
from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.engine.runtime import DEFAULT_RUNTIME
from lotus.predictions import predictions_file
from lotus.runs.run import Inputs, Run
from lotus.runs.train import train_run

RESNET = {
    "model": "resnet18",
    "width": 8,
    "max_pool": False,
    "training": {"epochs": 2, "warmup_epochs": 0, "batch_size": 100},
}


def run_in(folder, name="corrected", seed=1, runtime=DEFAULT_RUNTIME, **more):
    told = {"protocol": protocol.parse(name), "runtime": runtime, **more}
    return Run(folder, seed=seed, device="cpu", threads=1, **told)


def pretrain(
    inputs, folder, name="corrected", use=None, seed=1, runtime=DEFAULT_RUNTIME, **training
):
    section = {**RESNET, "training": {**RESNET["training"], **training}}
    plain, architecture = (
        Inputs(inputs.store, inputs.held_out),
        ARCHITECTURE.validate_python(section),
    )
    run = run_in(folder, name, seed, runtime)
    train_run("original", plain, run, architecture, use or Dataset())


def said(folder, split="test"):
    return predictions_file.load(folder / "predictions.npz")[split].logits


def record(folder):
    return json.loads((folder / "run.json").read_text())
