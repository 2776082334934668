"""What is damaged under a workflow is made good by the same command, byte for byte."""

import os
import shutil
import signal
import subprocess
import time

import numpy as np
import psutil
import pytest
from forked import snakemake
from PIL import Image
from project import copy_of_project, environment_of_user

CONFIG = """\
title: Damaged
seeds: [1]
datasets: {birds: {store: {source: image-folder, raw: birds, side: 8}}}
architectures:
  resnet18:
    model: resnet18
    width: 8
    max_pool: false
    training: {optimizer: sgd, lr: 0.1, epochs: 15, warmup_epochs: 1, batch_size: 20, patience: 15}
scenarios: {instance-10: {forget_fraction: 0.1, forget_rule: random}}
methods: {finetune: {epochs: 1, batch_size: 20}}
grid: [{datasets: [birds], architectures: [resnet18], scenarios: [instance-10], protocols: [corrected]}]
"""
RUNS = "results/birds/resnet18/seed1"
ORIGINAL, GOLD = f"{RUNS}/original/corrected", f"{RUNS}/instance-10/corrected/gold"
COMMAND = ["snakemake", "--cores", "1", "--configfile", "birds.yaml", "--"]
COMMAND += [f"{folder}/run.json" for folder in (ORIGINAL, GOLD)]
COMPARED = [
    *(
        f"{folder}/{name}"
        for folder in (ORIGINAL, GOLD)
        for name in ("model.safetensors", "predictions.npz")
    ),
    *(f"results/birds/splits/seed1/{name}.json" for name in ("held-out", "instance-10")),
    *(
        f"data/stores/birds/{name}"
        for name in ("images.npy", "labels.npy", "names.json", "source.json")
    ),
]
PATIENCE = 300


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Two equal projects with images of one's own; nothing was run in them."""
    folders = [tmp_path_factory.mktemp(name) / "project" for name in ("undisturbed", "disturbed")]
    folders[0].mkdir()
    copy_of_project(folders[0])
    random = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 10)):
        for name in ("ant", "bee"):
            place = folders[0] / "birds" / part / name
            place.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(256, size=(8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{number:04}.png")
    (folders[0] / "birds.yaml").write_text(CONFIG)
    shutil.copytree(folders[0], folders[1])
    return folders


def begin(project):
    """The command, begun."""
    return subprocess.Popen(
        COMMAND,
        cwd=project,
        env={**environment_of_user(), "LOTUS_CHECKPOINT_EVERY": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(process, done):
    end = time.monotonic() + PATIENCE
    while not done():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def kill(process):
    """Kills a workflow by SIGKILL, and waits for its jobs, which end by themselves."""
    jobs = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(jobs, timeout=PATIENCE)


def damage(path):
    """Changes some bytes in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        kept = file.read(8)
        file.seek(-len(kept), os.SEEK_CUR)
        file.write(bytes(byte ^ 255 for byte in kept))


def test_the_same_command_finishes_and_all_bytes_are_those_of_an_undisturbed_run(projects):
    undisturbed, project = projects
    snakemake(undisturbed, *COMMAND[1:])

    checkpoint = project / GOLD / "checkpoint.pt"
    process = begin(project)
    wait_for(process, checkpoint.exists)
    kill(process)
    damage(checkpoint)
    damaged = checkpoint.read_bytes()

    # The store is damaged while a model is trained of it, and the same run says so.
    process = begin(project)
    wait_for(process, lambda: checkpoint.exists() and checkpoint.read_bytes() != damaged)
    damage(project / "data/stores/birds/images.npy")
    said = process.communicate()[0]
    assert process.returncode == 1, said
    assert (
        "images.npy is not what results/birds/store.json states: it was changed or damaged while"
        in said
    )
    log = project / "logs/retrain_gold/birds/resnet18/seed1/instance-10/corrected/gold.log"
    assert "checkpoint.pt: damaged, not used" in log.read_text()

    # Nobody but the user knows whether an image was changed on purpose.
    image = project / "birds/train/ant/0003.png"
    kept = image.read_bytes()
    damage(image)
    done = snakemake(project, *COMMAND[1:], check=False)
    assert done.returncode == 1
    assert "train/ant/0003.png" in done.stderr
    image.write_bytes(kept)

    done = snakemake(project, *COMMAND[1:])
    assert (
        "images.npy is not what results/birds/store.json states: it is built again" in done.stderr
    )
    for name in COMPARED:
        assert (project / name).read_bytes() == (undisturbed / name).read_bytes(), name
    aside = project / ".lotus/set-aside"
    (images,) = aside.rglob("images.npy")
    assert images.read_bytes() != (project / "data/stores/birds/images.npy").read_bytes()
    # The other model was there when the second run found the store to be sound.
    (model,) = aside.rglob("model.safetensors")
    assert model.parent.name == "gold"
