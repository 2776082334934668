"""What an experiment will cost on a processor like this one, before it is run.

    python benchmarks/cost.py config/cifar10-cpu.yaml --images 20000

Models × images × operations ÷ rate. Torch counts the operations of a training step of each network, and its
rate is measured: forward, backward and optimizer step on one fixed batch, with one thread. A method is
taken to see all training images in each of its epochs, forwards and backwards: LoTUS, SSD and Bad Teacher
see fewer, teachers come on top. Every model is asked about all images, twice. Good to a third or so, on a
machine that does nothing else.
"""

import argparse
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardware import BATCH, measure_limits

from lotus.engine.device import prepare
from lotus.models import build
from lotus.plan.declared import declared
from lotus.plan.plan import Plan
from lotus.records.environment import processor

LENGTHS = ("epochs", "rounds", "passes")
"""Hyper-parameters that say how often a method goes through the images; each method has one of them."""
TIMES_ASKED = 2
FORWARD_SHARE = 1 / 3
"""Of the operations of a training step."""
ROUNDS = 9
MODELS, TRAINING, UNLEARNING = "models", "training", "unlearning"


def passes(plan: Plan) -> Mapping[str, Counter[str]]:
    """Returns architecture → what → passes over the training images, of all models together."""
    found = {cell.architecture: Counter[str]() for cell in plan.cells}
    seen = set()
    for cell in plan.cells:
        count = found[cell.architecture]
        training = plan.architecture(cell.dataset, cell.architecture)["training"]["epochs"]
        for seed in plan.seeds_of(cell):
            for row, folder in plan.run_folders(cell, seed).items():
                if folder in seen:
                    continue
                seen.add(folder)
                count[MODELS] += 1
                if row in plan.rows_of(cell):
                    count[UNLEARNING] += _length(plan.hyperparameters(cell, row))
                elif plan.weights_home(cell, row) is None:
                    count[TRAINING] += training
    return found


def _length(hyperparameters: Mapping[str, Any]) -> int:
    return int(next(hyperparameters[name] for name in LENGTHS if name in hyperparameters))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--images", type=int, required=True, help="for training")
    parser.add_argument("--held-out", type=int, default=10_000, help="images besides")
    parser.add_argument("--shape", type=int, nargs=3, default=(3, 32, 32), metavar=("C", "H", "W"))
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    prepare("cpu", 1)
    plan = declared([chosen.config], {}).plan
    shape = tuple(chosen.shape)
    networks = {
        name: build(plan.settings.architectures[name], shape, chosen.classes, 0)
        for name in {cell.architecture: None for cell in plan.cells}
    }
    measured = measure_limits(networks, shape, ROUNDS)["networks"]
    of_machine = processor()
    print(f"{of_machine['processor']}, {chosen.cores} cores, one model on each")
    for name, count in passes(plan).items():
        rate = measured[name]["images_per_second"]["float32"]
        gflops = measured[name]["gflops"]["float32"]
        asked = count[MODELS] * TIMES_ASKED * (chosen.images + chosen.held_out) * FORWARD_SHARE
        steps = chosen.images * (count[TRAINING] + count[UNLEARNING]) + asked
        minutes = steps / rate / chosen.cores / 60
        print(
            f"{name}: {count[MODELS]} models; {gflops / rate * 1e3:.0f} MFLOP for a training step of an "
            f"image, {rate:.0f} images/s of a core in batches of {BATCH} ({gflops:.0f} GFLOP/s)\n"
            f"  passes over {chosen.images} training images: {count[TRAINING]} training, "
            f"{count[UNLEARNING]} unlearning; every model asked about "
            f"{chosen.images + chosen.held_out} images\n"
            f"  {steps / 1e6:.1f} million training steps of an image, "
            f"{steps * gflops / rate / 1e6:.2f} PFLOP: {minutes:.0f} minutes"
        )


if __name__ == "__main__":
    main()
