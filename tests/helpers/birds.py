"""A project with sixty small images, whose models take seconds, and what is done to it under way."""

import os
import signal
import subprocess
import time

import numpy as np
import psutil
from PIL import Image
from project import copy_of_project, environment_of_user

CONFIG = """\
title: Birds
seeds: [1]
datasets: {birds: {store: {source: image-folder, raw: birds, side: 8}}}
architectures:
  resnet18:
    model: resnet18
    width: 8
    max_pool: false
    training: {optimizer: sgd, lr: 0.1, epochs: 30, warmup_epochs: 1, batch_size: 20, patience: 30}
scenarios: {instance-10: {forget_fraction: 0.1, forget_rule: random}}
methods: {finetune: {epochs: 1, batch_size: 20}}
grid: [{datasets: [birds], architectures: [resnet18], scenarios: [instance-10], protocols: [corrected]}]
"""
ORIGINAL = "results/birds/resnet18/seed1/original/corrected"
ASKED = ("--configfile", "birds.yaml", "--", f"{ORIGINAL}/run.json")
"""Of Snakemake: one model."""
EACH_EPOCH = {"LOTUS_CHECKPOINT_EVERY": "0"}
"""Variables under which there is a checkpoint after each epoch."""
PATIENCE = 300


def project_of_birds(folder):
    """Makes it; nothing is run in it."""
    folder.mkdir()
    copy_of_project(folder)
    random = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 10)):
        for name in ("ant", "bee"):
            place = folder / "birds" / part / name
            place.mkdir(parents=True)
            for number in range(count):
                draw(place / f"{number:04}.png", random)
    (folder / "birds.yaml").write_text(CONFIG)
    return folder


def draw(path, random):
    """Writes an image of noise."""
    Image.fromarray(random.integers(256, size=(8, 8, 3), dtype=np.uint8)).save(path)


def begin(project, *command, **variables):
    """A command, begun, with a checkpoint after each epoch."""
    return subprocess.Popen(
        command,
        cwd=project,
        env={**environment_of_user(), **EACH_EPOCH, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(process, done):
    """Waits, while a command runs, until something is so."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def kill(process):
    """Kills a workflow by SIGKILL, and waits for its jobs on this machine, which end by themselves."""
    jobs = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(jobs, timeout=PATIENCE)


def damage(path):
    """Changes some bytes in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        kept = file.read(8)
        file.seek(-len(kept), os.SEEK_CUR)
        file.write(bytes(byte ^ 255 for byte in kept))
