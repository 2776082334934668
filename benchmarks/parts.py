"""The measurements that make up the benchmark, each by its name, and the sizes at which they run."""

from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import growth
import hardware
import many_models
import problem
import torch
import yaml
from audit import measure_audit
from default_run import measure_default_run
from evaluation import measure_evaluation
from lotus_epoch import measure_lotus_epoch, measure_teacher_cache
from method_epochs import GOAL, measure_method
from paired import Figures, rounded
from plan import measure_plan

from lotus import models
from lotus.config.architectures import Architecture
from lotus.config.images import Augmentation
from lotus.methods.base import registry

PAPERS, SMALL = 64, 8
"""Widths of the ResNet18: the paper's, and that of the default experiment."""

RATIOS = {
    "evaluation": ("at least", 11.0),
    "evaluation_released": ("at least", 7.0),
    "lotus_epoch_fp32": ("at least", 1.5),
    "lotus_epoch_bf16": ("at least", 2.2),
    "lotus_vit_teacher_cache": ("at least", 1.25),
    "default_run_over_compute": None,
    "seeds_32_over_8": None,
    "plan_ms_per_job": ("at most", 3.0),
    "audit_seconds": ("at most", 1.5),
}
"""What `ratios` holds, and what is aimed at."""


@dataclass
class Bench:
    """What is asked for, and the project that one part makes and another looks at.

    Attributes:
        quick: few images and rounds: whether everything works, not how fast it is.
        folder: where files of the measurements go.

    """

    quick: bool
    full: bool
    cifar: Path | None
    config: str
    threads: int
    cores: int
    folder: Path
    project: Path | None = None

    def take(self, sizes: tuple[int, int]) -> int:
        """Returns the first number, or the second of a quick one."""
        return sizes[self.quick]

    def problem(
        self,
        name: str,
        forget: tuple[int, int],
        architecture: Architecture,
        augmentation: Augmentation | None = None,
    ) -> problem.Problem:
        """Makes images and splits with so many forget images."""
        place = self.folder / name
        place.mkdir()
        return problem.make(place, self.take(forget), architecture, self.cifar, augmentation)


class NotAskedForError(Exception):
    """A part that needs what was not asked for."""


def limits(bench: Bench) -> Figures:
    shape = (3, 32, 32)
    networks = {
        f"ResNet18, width {width}": models.build(problem.resnet18(width), shape, 10, 0)
        for width in (PAPERS, SMALL)
    }
    return hardware.measure_limits(networks, shape, bench.take((5, 1)))


def evaluation(bench: Bench) -> Figures:
    made = bench.problem("evaluation", (100, 10), problem.resnet18(PAPERS))
    # Records are written of files in the present folder.
    with chdir(bench.folder):
        return measure_evaluation(made, bench.take((3, 1)), bench.folder)


def lotus_epoch(bench: Bench) -> Figures:
    made = bench.problem("lotus_epoch", (100, 10), problem.resnet18(PAPERS))
    return measure_lotus_epoch(made, bench.take((3, 1)))


def lotus_vit(bench: Bench) -> Figures:
    architecture = problem.small_vit()
    made = bench.problem("vit", (50, 10), architecture, augmentation=Augmentation())
    return measure_teacher_cache(made, bench.take((3, 1)))


def method_epochs(bench: Bench) -> Figures:
    own = [name for name in registry.available() if registry.is_own(name)]
    found: Figures = {"goal": GOAL}
    for width, forget, rounds, batch in ((PAPERS, (30, 20), 2, 128), (SMALL, (100, 20), 4, 100)):
        named = f"width {width}"
        made = bench.problem(named, forget, problem.resnet18(width))
        original = made.network()
        some = ["lotus", "salun"] if bench.quick and width == PAPERS else own
        found[named] = {
            name: measure_method(made, original, name, bench.take((rounds, 1)), batch)
            for name in some
        }
    below = [
        f"{name}, {named}"
        for named, of_width in found.items()
        if named != "goal"
        for name, figures in of_width.items()
        if figures["share"] < GOAL
    ]
    return {**found, "below_the_goal": below}


def many(bench: Bench) -> Figures:
    counts = (2,) if bench.quick else (2, 4, 8, 16)
    return many_models.measure_ways(counts, bench.take((5, 1)), bench.cores)


def seeds(bench: Bench) -> Figures:
    store = problem.default_store(bench.folder)
    images = bench.take((1000, 200))
    return many_models.measure_seeds(store, images, 1, bench.take((2, 1)), bench.cores)


def curves(bench: Bench) -> Figures:
    return growth.measure_growth(bench.quick)


def default_run(bench: Bench) -> Figures:
    if not bench.full:
        raise NotAskedForError("it takes minutes: --full")
    figures, bench.project = measure_default_run(bench.folder, bench.config, bench.cores)
    return figures


def plan(bench: Bench) -> Figures:
    # Its curve over more seeds takes minutes: `benchmarks/plan.py` has it.
    return measure_plan((1,), bench.take((3, 1)))


def audit(bench: Bench) -> Figures:
    if bench.project is None:
        raise NotAskedForError("it audits the project that the part default_run makes")
    return measure_audit(bench.project)


PARTS: Mapping[str, Callable[[Bench], Figures]] = {
    "limits": limits,
    "evaluation": evaluation,
    "lotus_epoch": lotus_epoch,
    "lotus_vit": lotus_vit,
    "method_epochs": method_epochs,
    "many_models": many,
    "seeds": seeds,
    "growth": curves,
    "plan": plan,
    "default_run": default_run,
    "audit": audit,
}
"""The measurements, in the order in which they run."""

ON_ONE_THREAD = ("method_epochs", "many_models")
"""Parts that count the processor's seconds, or set one model against several processes."""


def measure(bench: Bench, only: list[str]) -> Figures:
    """Returns what was measured, part by part; prints each part as it ends."""
    figures: Figures = {}
    not_measured: dict[str, str] = {}
    ratios: Figures = {}
    for name, part in PARTS.items():
        if only and name not in only:
            not_measured[name] = "it was not asked for: --only"
            continue
        start = perf_counter()
        torch.set_num_threads(1 if name in ON_ONE_THREAD else bench.threads)
        try:
            found = part(bench)
        except NotAskedForError as reason:
            not_measured[name] = str(reason)
            continue
        found["measured_in_seconds"] = rounded(perf_counter() - start)
        print(yaml.safe_dump({name: found}, sort_keys=False), flush=True)
        ratios |= found.get("ratios", {})
        figures[name] = found
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked": {
            "quick": bench.quick,
            "parts": list(figures),
            "images": "CIFAR-10" if bench.cifar else "Fashion-MNIST, 32×32 pixels, three channels",
            "threads": bench.threads,
            "cores": bench.cores,
        },
        **hardware.described(),
        "ratios": {name: ratios.get(name) for name in RATIOS},
        "not_measured": not_measured,
        "figures": figures,
    }
