"""What an experiment will cost on a processor like this one, and what one took.

    python benchmarks/cost.py config/cifar10-cpu.yaml --images 16000
    python benchmarks/cost.py config/cifar10-cpu.yaml --images 16000 --took docs/results/cifar10-cpu/results

Models × images × operations ÷ rate. Torch counts the operations of a training step of each network, and its
rate is measured: forward, backward and optimizer step on one fixed batch, with one thread. A method is
taken to see all training images in each of its epochs, forwards and backwards: LoTUS, SSD and Bad Teacher
see fewer, teachers come on top. Every model is asked about all images, twice. Good to a third or so, on a
machine that does nothing else. What an experiment took, its records say.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from hardware import BATCH, described, measure_limits
from method_epochs import LENGTH
from paired import Figures, rounded

from lotus.engine.device import prepare
from lotus.models import build
from lotus.plan.declared import declared
from lotus.plan.plan import Plan
from lotus.records.files import write_json

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
                    length = LENGTH.get(plan.method_of(row), "epochs")
                    count[UNLEARNING] += plan.hyperparameters(cell, row)[length]
                elif plan.weights_home(cell, row) is None:
                    count[TRAINING] += training
    return found


def estimate(count: Counter[str], network: Figures, images: int, held_out: int) -> Figures:
    """Returns what all models of an architecture cost.

    Args:
        count: see `passes`.
        network: see `measure_limits`.
        images: for training.
        held_out: images besides.

    """
    rate, gflops = (network[key]["float32"] for key in ("images_per_second", "gflops"))
    asked = count[MODELS] * TIMES_ASKED * (images + held_out) * FORWARD_SHARE
    steps = images * (count[TRAINING] + count[UNLEARNING]) + asked
    return {
        **{name: count[name] for name in (MODELS, TRAINING, UNLEARNING)},
        "megaflop_of_a_step": rounded(gflops / rate * 1e3),
        "images_per_second_and_core": rate,
        "steps": round(steps),
        "petaflop": rounded(steps * gflops / rate / 1e6),
        "core_minutes": rounded(steps / rate / 60),
    }


def took(results: Path) -> Figures:
    """Returns what the records of an experiment say of its time."""
    runs = [json.loads(path.read_text()) for path in sorted(results.glob("**/run.json"))]
    minutes: Counter[str] = Counter()
    for run in runs:
        minutes[run["kind"]] += run["time"]["total"] / 60
    begun = [datetime.fromisoformat(run["time"]["started"]) for run in runs]
    ended = [
        start + timedelta(seconds=run["time"]["total"])
        for start, run in zip(begun, runs, strict=True)
    ]
    return {
        MODELS: len(runs),
        "core_minutes": {kind: rounded(spent) for kind, spent in sorted(minutes.items())},
        "minutes": rounded((max(ended) - min(begun)).total_seconds() / 60),
    }


def in_words(found: Figures, images: int, asked: int, cores: int) -> Iterator[str]:
    """Yields the estimate and the time taken in lines."""
    for name, of in found["estimate"].items():
        yield (
            f"{name}: {of[MODELS]} models; "
            f"{of['megaflop_of_a_step']:g} MFLOP for a training step of an image, "
            f"{of['images_per_second_and_core']:g} images/s of a core in batches of {BATCH}"
        )
        yield (
            f"  passes over {images} training images: {of[TRAINING]} training, "
            f"{of[UNLEARNING]} unlearning; every model asked about {asked} images"
        )
        yield (
            f"  {of['steps'] / 1e6:.1f} million training steps of an image, {of['petaflop']:g} PFLOP: "
            f"{of['core_minutes'] / cores:.0f} minutes on {cores} cores"
        )
    if "took" in found:
        of = found["took"]
        said = ", ".join(f"{kind} {minutes:g}" for kind, minutes in of["core_minutes"].items())
        yield f"took: {of['minutes']:g} minutes from the first model to the last; of its jobs: {said}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--images", type=int, required=True, help="for training")
    parser.add_argument("--held-out", type=int, default=10_000, help="images besides")
    parser.add_argument("--shape", type=int, nargs=3, default=(3, 32, 32), metavar=("C", "H", "W"))
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--took", type=Path, help="results of the experiment")
    parser.add_argument("--out", type=Path, help="file for the figures, as JSON")
    chosen = parser.parse_args()
    prepare("cpu", 1)
    plan = declared([chosen.config], {}).plan
    networks = {
        cell.architecture: build(
            plan.settings.architectures[cell.architecture], tuple(chosen.shape), chosen.classes, 0
        )
        for cell in plan.cells
    }
    measured = measure_limits(networks, tuple(chosen.shape), ROUNDS)["networks"]
    found: Figures = described() | {
        "estimate": {
            name: estimate(count, measured[name], chosen.images, chosen.held_out)
            for name, count in passes(plan).items()
        }
    }
    if chosen.took is not None:
        found["took"] = took(chosen.took)
    asked = chosen.images + chosen.held_out
    print("\n".join(in_words(found, chosen.images, asked, chosen.cores)))
    if chosen.out is not None:
        write_json(chosen.out, found)


if __name__ == "__main__":
    main()
