"""How time and memory grow with images, classes, width, runs and artifacts.

Each curve is measured in a process of its own, from small to large, so that the peak of its memory grows
with it. The exponent is the slope of the points in logarithms: 1 is linear. What does not depend on the
number makes it smaller, so the one of the last two points is given besides.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from math import log
from multiprocessing import get_context
from os import chdir
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory

from paired import Figures, rounded, timed

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20
REPEATED = 3

Points = Iterator[tuple[int, Callable[[], object]]]
"""A number, and what is done with so many."""


def measure_growth(quick: bool = False) -> Figures:
    """Returns the curves by what grows."""
    found = {}
    for name, sizes in SIZES.items():
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            found[name] = pool.submit(curve, name, sizes[:2] if quick else sizes).result()
    return found


def curve(name: str, sizes: Sequence[int]) -> Figures:
    """Returns the points of one curve and their exponents, measured in this process."""
    import torch

    torch.set_num_threads(1)
    numbers, seconds, memory = [], [], []
    with TemporaryDirectory() as folder:
        for number, work in CURVES[name](Path(folder), sizes):
            work()
            numbers.append(number)
            seconds.append(median(timed(work) for _ in range(REPEATED)))
            memory.append(peak())
        chdir(ROOT)
    return {
        "numbers": numbers,
        "seconds": [rounded(value) for value in seconds],
        "peak_mebibytes": [round(value) for value in memory],
        "exponent": exponent(numbers, seconds),
        "exponent_at_the_end": exponent(numbers[-2:], seconds[-2:]),
        "mebibytes_per_thousand_at_the_end": _slope(numbers, memory),
    }


def peak(process: int | str = "self") -> float:
    """Returns the most memory that a process had itself, in MiB.

    Not what `getrusage` says: on Linux that begins with what the process had that started it.

    Raises:
        OSError: it is gone, or the system does not tell.

    """
    status = Path(f"/proc/{process}/status")
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MIB
    raise OSError(f"{status} has no VmHWM; the growth of memory is measured on Linux alone")


def exponent(numbers: Sequence[int], seconds: Sequence[float]) -> float:
    """Returns the slope of the seconds over the numbers, both in logarithms."""
    return round(linear_regression([*map(log, numbers)], [*map(log, seconds)]).slope, 2)


def _slope(numbers: Sequence[int], memory: Sequence[float]) -> float:
    last = list(pairwise(zip(numbers, memory, strict=True)))[-1]
    (fewer, before), (more, after) = last
    return rounded((after - before) / (more - fewer) * 1000)


def _images(folder: Path, sizes: Sequence[int]) -> Points:
    """An epoch of training and a pass of inference of the default experiment's network."""
    import torch
    from problem import default_store, resnet18

    from lotus import models
    from lotus.config.images import Dataset
    from lotus.data.batches import Images
    from lotus.data.store import open_store
    from lotus.engine.inference import logits
    from lotus.engine.training import train

    store, architecture = open_store(default_store(folder)), resnet18(8)
    recipe = architecture.training.model_copy(
        update={"epochs": 1, "warmup_epochs": 0, "batch_size": 100}
    )
    everything = Images(store, Dataset(), torch.device("cpu")).take(store.part("test"))
    for count in sizes:
        some = everything.part(torch.arange(count))

        def work(some=some):
            network = models.build(architecture, (1, 28, 28), 10, 0)
            train(network, some, some, recipe, torch.Generator().manual_seed(0), lambda *_: None)
            logits(network, some)

        yield count, work


def _width(folder: Path, sizes: Sequence[int]) -> Points:
    """A forward and backward pass on 32 images of 32×32 pixels."""
    import torch
    from problem import resnet18

    from lotus import models

    images, labels = torch.randn(32, 3, 32, 32), torch.zeros(32, dtype=torch.long)
    for width in sizes:
        network = models.build(resnet18(width), (3, 32, 32), 10, 0)

        def work(network=network):
            torch.nn.functional.cross_entropy(network(images), labels).backward()

        yield width, work


def _classes(folder: Path, sizes: Sequence[int]) -> Points:
    """All metrics of original, gold and one method, for 3,000 images."""
    import numpy as np

    from lotus.metrics.base.scoring import score_all
    from lotus.predictions.predictions_file import Split

    counts = {"forget": 200, "retain": 1800, "val": 500, "test": 500}
    ends = np.cumsum([0, *counts.values()])
    places = {
        name: np.arange(first, end)
        for name, (first, end) in zip(counts, pairwise(ends.tolist()), strict=True)
    }
    for classes in sizes:

        def said(seed: int, classes: int = classes) -> Split:
            drawn = np.random.default_rng(seed)
            labels = np.arange(ends[-1]) % classes
            logits = drawn.standard_normal((ends[-1], classes)).astype(np.float32)
            logits[np.arange(ends[-1]), labels] += 2
            return Split(logits, labels, np.arange(ends[-1]))

        def work(said=said):
            whole = said(0)
            train = np.concatenate([places["forget"], places["retain"]])
            original = {"train": train, "val": places["val"], "test": places["test"]}
            others = [
                {name: said(seed).at(where) for name, where in places.items()} for seed in (1, 2)
            ]
            of_original = {name: whole.at(where) for name, where in original.items()}
            score_all(of_original, others[0], {"row": others[1]}, 0)

        yield classes, work


def _runs(folder: Path, sizes: Sequence[int]) -> Points:
    """The plan of the default experiment with more seeds; the number is that of its records."""
    from lotus.plan.declared import declared
    from lotus.plan.description import description
    from lotus.plan.steps import expected_records

    chdir(ROOT)
    for seeds in sizes:
        # Its parts name the first three of its seeds.
        given = {"seeds": [3407, 13, 12, *range(1000, 1000 + seeds - 3)]}

        def work(given=given):
            plan = declared([ROOT / "config/fashion-mini.yaml"], given).plan
            description(plan)
            return len(expected_records(plan))

        yield work(), work


def _artifacts(folder: Path, sizes: Sequence[int]) -> Points:
    """An audit of files with a record each, in a project that holds nothing else."""
    from lotus.audit.audit import audit
    from lotus.formats.json_text import parse_json
    from lotus.records.files import sha256, write_json
    from lotus.records.index import read_index
    from lotus.records.record import write_record
    from lotus.records.seal import sealed

    chdir(folder)
    Path("Snakefile").touch()
    table, record = "results/tables/t{}.csv", "results/records/tables/t{}.table.json"
    first, of_first = Path(table.format(0)), Path(record.format(0))
    first.parent.mkdir(parents=True)
    first.write_text("a,b\n")
    write_record(
        of_first,
        kind="table",
        modules=["lotus.errors"],
        about={},
        settings={},
        inputs=[],
        outputs=[first],
    )
    content = {**parse_json(of_first.read_bytes())}
    content.pop("digest")
    there = 1
    for count in sizes:
        for number in range(there, count):
            path = Path(table.format(number))
            path.write_text(f"a,b\n{number}\n")
            own = {"path": record.format(number), "outputs": {path.as_posix(): sha256(path)}}
            write_json(Path(record.format(number)), sealed({**content, **own}))
        there = count
        yield count, lambda: audit(read_index(), [])


CURVES: dict[str, Callable[[Path, Sequence[int]], Points]] = {
    "images": _images,
    "classes": _classes,
    "width": _width,
    "runs": _runs,
    "artifacts": _artifacts,
}
SIZES = {
    "images": (250, 500, 1000, 2000),
    "classes": (10, 50, 100, 200),
    "width": (8, 16, 32, 64),
    "runs": (3, 6, 12, 24),
    "artifacts": (250, 500, 1000, 2000),
}
