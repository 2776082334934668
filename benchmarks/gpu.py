"""Everything on a GPU, in at most eight minutes: does each method run there, how fast, and how idle is it?

First the real thing on a small network: original, gold and all methods under both protocols, predictions
and metrics by the functions that the workflow calls. Then rates, shares of the measured bf16 rate, the
methods on the paper's network, and models that share the GPU. A part that fails is told in the report, and
the others go on.

    python benchmarks/gpu.py --json gpu.json [--store data/stores/cifar10] [--minutes 8]
    python benchmarks/gpu.py --device cpu --quick       a rehearsal on a processor
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic

import torch
from gpu_problem import FASTEST, QUICK, SIDE, SMALL_SIDE, Sizes, failure, random_store
from gpu_runs import host_waits, real_runs
from gpu_sharing import in_one_process, in_processes, is_shared_by_mps, worker
from gpu_speed import matrix_rate, speeds

from lotus.data.store import open_store
from lotus.engine.device import Device, prepare
from lotus.engine.sharing import MOST, VARIABLE
from lotus.errors import LotusError


def surroundings(device: Device) -> dict[str, object]:
    found: dict[str, object] = {
        "device": device.hardware,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "cores": os.cpu_count(),
        "mps": is_shared_by_mps(),
    }
    if device.torch.type == "cuda":
        properties = torch.cuda.get_device_properties(device.torch)
        found["multiprocessors"] = properties.multi_processor_count
        found["memory_gib"] = round(properties.total_memory / 2**30, 1)
    return found


class Report:
    """What was found so far, written after each part."""

    def __init__(self, path: Path | None, deadline: float) -> None:
        self.content: dict[str, object] = {}
        self._seconds: dict[str, float] = {}
        self._path, self._deadline = path, deadline

    def part(self, name: str, work: Callable[[], object], takes: float = 0.0) -> None:
        """Does a part, if the seconds that it takes are left; keeps what it gives, or why it failed."""
        print(f"{name} …", flush=True)
        begun = monotonic()
        if begun + takes > self._deadline:
            self.content[name] = "left out: no time"
        else:
            try:
                self.content[name] = work()
            except Exception as error:
                traceback.print_exc()
                self.content[name] = failure(error)
        self._seconds[name] = round(monotonic() - begun, 1)
        self.content["seconds"] = self._seconds
        if self._path is not None:
            self._path.write_text(json.dumps(self.content, indent=1) + "\n")


def measure(given: argparse.Namespace, folder: Path) -> dict[str, object]:
    sizes, name = QUICK if given.quick else Sizes(), given.device
    begun, whole = monotonic(), 60 * given.minutes
    report = Report(given.json, begun + whole)
    report.part("surroundings", lambda: surroundings(prepare(name, 1)))
    small = random_store(folder / "small", sizes.small_images, SMALL_SIDE, 1)
    store = (
        open_store(given.store)
        if given.store
        else random_store(folder / "images", sizes.images, SIDE, 3)
    )
    runs, first = partial(real_runs, device=name), folder / "first_runs"

    def until(share: float) -> float:
        return begun + share * whole

    # The first real runs come before everything else.
    report.part("first_runs", partial(runs, first, small, 8, runtime="default", until=until(0.4)))
    report.part("bf16_rate", lambda: matrix_rate(prepare(name, 1), sizes))
    rate = report.content["bf16_rate"]
    limit = rate["tflops"] if isinstance(rate, dict) else None
    report.part("training", lambda: speeds(store, sizes, name, limit, until(0.65)))
    of_paper = partial(runs, folder / "methods", store, sizes.width, runtime=FASTEST)
    report.part("methods", partial(of_paper, until=until(0.8)))
    report.part("host_waits", partial(host_waits, first, small, name, until(0.85)))
    report.part("one_process", lambda: in_one_process(small, sizes, name), takes=30)
    report.part("processes", lambda: in_processes(folder, sizes, name, until(1)))
    small_bf16 = partial(runs, folder / "first_runs_bf16", small, 8, runtime=FASTEST)
    report.part("first_runs_bf16", partial(small_bf16, until=until(0.97)))
    return report.content


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--store", type=Path, help="a real store; random images unless given")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: a rehearsal")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        worker(given.worker, given.name, given.device, given.seconds)
        return
    # Its processes measure how one GPU is shared.
    os.environ[VARIABLE] = str(MOST)
    try:
        device = prepare(given.device, 1).torch
        given.device = "cpu" if device.type == "cpu" else f"{device.type}:{device.index}"
    except LotusError as error:
        sys.exit(f"{error} (--device cpu --quick rehearses it)")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given, Path(folder))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
