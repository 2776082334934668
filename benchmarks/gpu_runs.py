"""Whole experiments by the functions that the workflow calls."""

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import torch
from gpu_problem import AUGMENTATION, architecture, failure

from lotus.config import protocol
from lotus.config.images import Dataset
from lotus.config.scenarios import Scenario
from lotus.data.splits import choose_forget_set, halve_held_out, save_forget_set, save_held_out
from lotus.data.store import Store
from lotus.engine.runtime import parse
from lotus.methods.base import registry
from lotus.runs.evaluation import evaluate_runs
from lotus.runs.run import Inputs, Run
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run

PROTOCOLS = ("corrected", "released")
WHOLE = 50_000
"""Training images of CIFAR-10."""


def real_runs(
    folder: Path, store: Store, width: int, device: str, runtime: str, until: float
) -> dict[str, object]:
    """Original, gold, every method and the metrics, under both protocols: seconds and outcomes."""
    folder.mkdir()
    splits = folder / "held-out.json", folder / "forget.json"
    save_held_out(splits[0], halve_held_out(store, 1))
    save_forget_set(splits[1], choose_forget_set(store, Scenario(forget_fraction=0.1), 1))
    images = len(store.part("train"))
    inputs = Inputs(store.folder, *splits)
    found: dict[str, object] = {"images": images, "runtime": runtime}
    for name in PROTOCOLS:
        told = protocol.parse(name)
        run = Run(folder / name, 1, device, 1, protocol=told, runtime=parse(runtime))
        rows = {
            row: attempted(step, replace(run, out=run.out / row), until)
            for row, step in steps(inputs, run.out / "original", width, images).items()
        }
        found[name] = {"runs": rows, "avg_gap": average_gaps(run.out, name)}
        made = sum(isinstance(row, dict) for row in rows.values())
        print(f"  {name}: {made} of {len(rows)} models", flush=True)
    return found


def steps(
    inputs: Inputs, original: Path, width: int, images: int
) -> dict[str, Callable[[Run], None]]:
    """Row → the function that makes its run."""
    use = Dataset(augmentation=AUGMENTATION)
    # Some sixty steps on a small store, three epochs on a large one.
    recipe = architecture(width, max(3, 6_000 // images), 100)
    whole = replace(inputs, forget_set=None)

    def unlearn(method: str) -> Callable[[Run], None]:
        return lambda run: unlearn_run(inputs, run, original, method, {})

    return {
        "original": lambda run: train_run("original", whole, run, recipe, use),
        "gold": lambda run: train_run("gold", inputs, run, recipe, use),
        **{method: unlearn(method) for method in sorted(registry.available())},
    }


def attempted(step: Callable[[Run], None], run: Run, until: float) -> dict[str, object] | str:
    """The seconds of a run by its record, or why there is none."""
    if monotonic() > until:
        return "left out: no time"
    try:
        step(run)
    except Exception as error:
        return failure(error)
    record = json.loads((run.out / "run.json").read_text())
    seconds = {key: it for key, it in record["time"].items() if isinstance(it, float)}
    del seconds["total"]  # Of the whole process so far.
    found = {**seconds, "outcome": record["notes"]["outcome"]}
    if "unlearn" in seconds:
        images = record["notes"]["forget_set"]["images"] * 10
        found["unlearn_projected_to_50000"] = seconds["unlearn"] * WHOLE / images
    return found


def average_gaps(folder: Path, name: str) -> dict[str, float | None] | str:
    """Avg Gap of the rows whose models were made, by the metrics of all of them."""
    files = {path.parent.name: path for path in sorted(folder.glob("*/predictions.npz"))}
    out = folder / "metrics.json"
    try:
        evaluate_runs(files, 1, {"protocol": name}, out, folder / "metrics.record.json")
    except Exception as error:
        return failure(error)
    return {row: it["avg_gap"] for row, it in json.loads(out.read_text())["rows"].items()}


def host_waits(runs: Path, store: Store, device: str, until: float) -> dict[str, object]:
    """Method → lines of the code at which the host waited for the GPU, and how often, in a whole run.

    Args:
        runs: folder that `real_runs` filled.

    """
    inputs = Inputs(store.folder, runs / "held-out.json", runs / "forget.json")
    made = steps(inputs, runs / "corrected/original", 8, len(store.part("train")))
    found: dict[str, object] = {}
    for method in sorted(registry.available()):
        with waits_counted() as counted:
            run = attempted(made[method], Run(runs / "waits" / method, 1, device, 1), until)
        found[method] = dict(counted.most_common()) if isinstance(run, dict) else run
    return found


@contextmanager
def waits_counted() -> Iterator[Counter[str]]:
    """Counts, by file and line, what PyTorch says of operations for which the host waits."""
    counted: Counter[str] = Counter()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("warn")
        try:
            yield counted
        finally:
            if torch.cuda.is_available():
                torch.cuda.set_sync_debug_mode("default")
    for it in told:
        if "synchronizing CUDA operation" in str(it.message):
            place = Path(it.filename)
            counted[f"{'/'.join(place.parts[-3:])}:{it.lineno}"] += 1
