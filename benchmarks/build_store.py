"""Speed and memory of building stores: python benchmarks/build_store.py [--images N] [--workers N].

N generated JPEG files of 64×64 pixels (Tiny-ImageNet has 110,000) in class folders, decoded by one and by
all processes; then pickles of CIFAR-10's size, which are read as arrays. Each build has a process of its
own, so that its peak of memory is its own; torchvision's import and the pages of the mapped store that
are cached count as memory.
"""

import argparse
import multiprocessing
import os
import pickle
import resource
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from lotus.config.images import StoreOptions
from lotus.data.build import build_store, fetch_raw
from lotus.data.sources.cifar10 import SOURCE as CIFAR10

CLASSES, DIFFERENT = 200, 1000


def write_jpegs(folder: Path, count: int) -> None:
    """Smooth random fields, about 2 kB each; some thousand different ones serve for all."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    different = []
    for position in range(min(DIFFERENT, count)):
        coarse = rng.integers(256, size=(8, 8, 3), dtype=np.uint8)
        path = folder / f"{position}.jpg"
        Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(path, quality=90)
        different.append(path.read_bytes())
    for position in range(count):
        part = "train" if position % 11 else "test"
        path = folder / part / f"{position % CLASSES:03d}" / f"{position}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(different[position % len(different)])


def write_pickles(folder: Path) -> None:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for name in CIFAR10.files[0].members:
        data = rng.integers(256, size=(10_000, 3072), dtype=np.uint8)
        content = {"data": data, "labels": [i % 10 for i in range(10_000)]}
        if name == "batches.meta":
            content = {"label_names": list(CIFAR10.classes or ())}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))


def build(dataset: str, raw: Path, out: Path, workers: int) -> tuple[float, float, float]:
    """Seconds, and the peaks of memory of the main process and of one worker, in MiB."""
    largest, over = [0.0], threading.Event()
    # The system's own peak of a child counts the memory of its parent before it started.
    watch = threading.Thread(target=watch_workers, args=(largest, over))
    watch.start()
    start = time.perf_counter()
    options = StoreOptions(raw=str(raw), content="any")
    fetch_raw(dataset, options, (), out.with_suffix(".json"))
    build_store(dataset, options, out.with_suffix(".json"), out, None, workers)
    seconds = time.perf_counter() - start
    over.set()
    watch.join()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, own, max(largest)


def watch_workers(largest: list[float], over: threading.Event) -> None:
    while not over.wait(0.05):
        for worker in psutil.Process().children(recursive=True):
            try:
                largest.append(worker.memory_info().rss / 2**20)
            except psutil.NoSuchProcess:
                continue


def measure(dataset: str, raw: Path, out: Path, workers: int) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        seconds, own, worker = alone.submit(build, dataset, raw, out, workers).result()
    count = len(np.load(out / "labels.npy"))
    size = sum(path.stat().st_size for path in out.iterdir())
    print(
        f"{dataset}, processes: {workers}; {count:,} images in {seconds:.2f} s, "
        f"{count / seconds:,.0f} images/s; store {size / 1e6:,.0f} MB; "
        f"peak memory {own:.0f} MiB" + (f", of one worker {worker:.0f} MiB" if workers > 1 else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_jpegs(folder / "jpegs", given.images)
        for workers in sorted({1, given.workers}):
            measure("image-folder", folder / "jpegs", folder / f"store{workers}", workers)
        write_pickles(folder / "pickles")
        measure("cifar10", folder / "pickles", folder / "arrays", 1)


if __name__ == "__main__":
    main()
