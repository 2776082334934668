"""How many small networks share a GPU: in one process, and as several processes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, perf_counter, sleep

import torch
from gpu_problem import FASTEST, Sizes, architecture, failure, shown
from torch.nn import functional as F

from lotus.config.images import Dataset
from lotus.data.store import Store, open_store
from lotus.engine.device import Device, prepare
from lotus.engine.runtime import parse
from lotus.engine.training import make_optimizer
from lotus.runs.networks import build_network

STARTING = 25.0
"""Seconds that some processes may take to load PyTorch, reach the GPU and do an epoch."""


def small_training(device: Device, seed: int, store: Store) -> Callable[[], int]:
    """A default small network in training: a function that does one epoch and counts its images."""
    recipe = architecture(8, 1, 100)
    network = build_network(store, recipe, Dataset(), seed, device).train()
    images = shown(store, device, 1000)
    chance = torch.Generator(device.torch).manual_seed(seed)
    optimizer = make_optimizer(network, recipe.training, device.fuses_steps)

    def epoch() -> int:
        for batch in images.shuffled(100, chance):
            optimizer.zero_grad()
            F.cross_entropy(network(batch.images), batch.labels).backward()
            optimizer.step()
        return len(images)

    return epoch


def in_one_process(store: Store, sizes: Sizes, device_name: str) -> dict[str, float]:
    """Images a second of several small networks that one process trains in turn, each on its stream."""
    device = prepare(device_name, 1, parse(FASTEST))
    on_gpu = device.torch.type == "cuda"
    found = {}
    for count in sizes.sharing:
        networks = [small_training(device, seed, store) for seed in range(count)]
        streams = [torch.cuda.Stream() if on_gpu else None for _ in networks]
        for epoch in networks:
            epoch()
        device.synchronize()
        start, done = perf_counter(), 0
        while perf_counter() - start < sizes.shared_seconds:
            for epoch, stream in zip(networks, streams, strict=True):
                # On a processor there is no stream, and this does nothing.
                with torch.cuda.stream(stream):
                    done += epoch()
            device.synchronize()
        found[str(count)] = done / (perf_counter() - start)
    return found


def in_processes(folder: Path, sizes: Sizes, device: str, until: float) -> dict[str, object]:
    """Images a second of several processes together, each with a small network, on one GPU."""
    found: dict[str, object] = {}
    for count in sizes.sharing:
        place = folder / f"sharing-{count}"
        place.mkdir()
        if monotonic() + STARTING > until:
            found[str(count)] = "left out: no time"
            continue
        try:
            found[str(count)] = together(place, count, sizes.shared_seconds, device)
        except Exception as error:
            found[str(count)] = failure(error)
    return found


def together(place: Path, count: int, seconds: float, device: str) -> float:
    """The sum of the rates of so many processes, which begin once all of them have warmed up."""
    own = [sys.executable, sys.argv[0], "--device", device, "--worker", str(place)]
    told = [*own, "--seconds", str(seconds)]
    workers = [subprocess.Popen([*told, "--name", str(it)]) for it in range(count)]
    try:
        deadline = monotonic() + 2 * STARTING
        while len([*place.glob("*.ready")]) < count:
            if any(worker.poll() for worker in workers) or monotonic() > deadline:
                raise RuntimeError(f"not all of {count} processes came so far as to train")
            sleep(0.05)
        (place / "go").touch()
        codes = [worker.wait(timeout=seconds + STARTING) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    if any(codes):
        raise RuntimeError(f"processes ended with codes {codes}")
    return sum(float(path.read_text()) for path in place.glob("*.rate"))


def worker(folder: Path, name: str, device_name: str, seconds: float) -> None:
    """One of the processes that share a GPU."""
    device = prepare(device_name, 1, parse(FASTEST))
    epoch = small_training(device, int(name), open_store(folder.parent / "small"))
    epoch()
    device.synchronize()
    (folder / f"{name}.ready").touch()
    while not (folder / "go").exists():
        sleep(0.01)
    start, done = perf_counter(), 0
    while perf_counter() - start < seconds:
        done += epoch()
        device.synchronize()
    (folder / f"{name}.rate").write_text(str(done / (perf_counter() - start)))


def is_shared_by_mps() -> bool:
    """Whether NVIDIA's server, by which processes use a GPU at the same time, is running."""
    names = (path.read_text(errors="replace") for path in Path("/proc").glob("[0-9]*/comm"))
    try:
        return any(name.startswith("nvidia-cuda-mps") for name in names)
    except OSError:
        return False
