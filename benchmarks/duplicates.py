"""Speed and memory of the duplicates audit: python benchmarks/duplicates.py [--images N] [--workers N].

Images are 32×32 RGB: smooth random fields, of which one in a hundred is a copy with a little noise.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from lotus.data.content import Content
from lotus.data.duplicates import distance_histogram, find_similar
from lotus.data.hashes import hash_store
from lotus.data.store import open_store, write_store


def random_images(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(256, size=(count, 8, 8, 3), dtype=np.uint8)
    images = coarse.repeat(4, axis=1).repeat(4, axis=2)
    copies = count // 100
    noise = rng.integers(3, size=(copies, 32, 32, 3), dtype=np.uint8)
    images[:copies] = images[copies : 2 * copies] // 2 + noise
    return images


def timed(what: str, count: int, unit: str, work):
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"{what:<32}{seconds:8.2f} s {count / seconds:14,.0f} {unit}/s")
    return result


def peak_memory() -> str:
    own, workers = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return f"peak memory: {own:.0f} MiB, of one worker {workers:.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    count = given.images
    with tempfile.TemporaryDirectory() as folder:
        images, labels = random_images(count), np.zeros(count, np.int64)
        content = Content(images, labels, {"train": (0, count)}, ("one",))
        write_store(Path(folder, "store"), images, content, {}, None)
        store = open_store(Path(folder, "store"))
        hashes = timed(
            f"hashes, {given.workers} processes",
            count,
            "images",
            lambda: hash_store(store, given.workers),
        )
    for distance in range(4):
        similar = timed(
            f"similar images, distance {distance}",
            count,
            "images",
            lambda distance=distance: find_similar(hashes, distance),
        )
        pairs = similar.count_pairs(np.zeros(count, np.int64), 1).item()
        print(f"  {pairs} pairs, {len(np.unique(similar.groups()))} images kept")
    cut = count // 10
    pairs = cut * (count - cut)
    timed(
        "all distances, 10 % against 90 %",
        pairs,
        "pairs",
        lambda: distance_histogram(hashes[:cut], hashes[cut:], pairs, np.random.default_rng()),
    )
    print(peak_memory())


if __name__ == "__main__":
    main()
