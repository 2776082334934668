"""How fast the paper's network trains under each runtime, the device's own limit, and how idle it is."""

from collections.abc import Callable
from statistics import median
from time import monotonic, perf_counter

import torch
from gpu_problem import AUGMENTATION, FASTEST, Sizes, architecture, failure, shown
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from lotus.config.images import Dataset
from lotus.data.store import Store
from lotus.engine.device import Device, prepare
from lotus.engine.runtime import parse
from lotus.engine.training import train
from lotus.runs.networks import build_network

COMPILED = f"{FASTEST},compile=on"
RUNTIMES = (
    *("default", "precision=tf32", "precision=bf16", FASTEST),
    *(COMPILED, f"{COMPILED},cuda_graphs=on"),
)
EPOCHS, IMAGES = 150, 50_000
"""Of the paper's training on CIFAR-10."""


def timed(work: Callable[[], object], device: Device, repeats: int) -> float:
    """Median seconds of a piece of work, after three that warm up."""
    seconds = []
    for _ in range(3 + repeats):
        device.synchronize()
        start = perf_counter()
        work()
        device.synchronize()
        seconds.append(perf_counter() - start)
    return median(seconds[3:])


def matrix_rate(device: Device, sizes: Sizes) -> dict[str, float]:
    """The device's own limit: a product of bf16 matrices."""
    n = sizes.matrix
    one, other = (torch.randn(n, n, device=device.torch, dtype=torch.bfloat16) for _ in range(2))
    seconds = timed(lambda: one @ other, device, 10)
    return {"size": n, "tflops": 2 * n**3 / seconds / 1e12}


def flops_of_an_image(store: Store, sizes: Sizes, device: Device) -> float:
    """Of one step of training: forward, and backward to weights and layers."""
    network = build_network(store, architecture(sizes.width, 1, 1), Dataset(), 0, device)
    images = torch.randn(4, store.images.shape[3], *store.images.shape[1:3], device=device.torch)
    with FlopCounterMode(display=False) as counted:
        network(images).sum().backward()
    return counted.get_total_flops() / len(images)


class Clock:
    """Seconds of each epoch of a training, which ends with reading the loss."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = perf_counter()

    def __call__(self, *_: object) -> None:
        now = perf_counter()
        self.seconds.append(now - self._last)
        self._last = now


def training_speed(store: Store, sizes: Sizes, device_name: str, runtime: str) -> dict[str, float]:
    """Images a second of the training loop, and the share of it in which the device idles."""
    device = prepare(device_name, 1, parse(runtime))
    if device.torch.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    recipe = architecture(sizes.width, 4, sizes.batch_size)
    network = build_network(store, recipe, Dataset(augmentation=AUGMENTATION), 0, device)
    images = shown(store, device, sizes.timed_batches * sizes.batch_size)
    chance = torch.Generator(device.torch).manual_seed(0)

    def epochs(count: int) -> list[float]:
        clock = Clock()
        told = recipe.training.model_copy(update={"epochs": count})
        train(network, images, images, told, chance, clock, fused=device.fuses_steps)
        return clock.seconds

    first, *others = epochs(4)
    seconds = median(others)
    kinds = [ProfilerActivity.CPU]
    if device.torch.type == "cuda":
        kinds.append(ProfilerActivity.CUDA)
    with profile(activities=kinds) as seen:
        epochs(1)
    return {
        "images_per_second": len(images) / seconds,
        "first_epoch_seconds": first,
        "idle_share": max(0.0, 1 - busy_seconds(seen, device) / seconds),
        "peak_memory_gib": device.peak_memory / 2**30,
    }


def busy_seconds(seen: profile, device: Device) -> float:
    """Time in which at least one kernel or copy ran; on a processor, one operator."""
    kind = DeviceType.CUDA if device.torch.type == "cuda" else DeviceType.CPU
    ranges = sorted(
        (it.time_range.start, it.time_range.end)
        for it in seen.events()
        # Annotations span the gaps between the kernels below them.
        if it.device_type == kind and not it.is_user_annotation
    )
    busy, reached = 0.0, float("-inf")
    for start, end in ranges:
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return busy / 1e6


def speeds(
    store: Store, sizes: Sizes, device_name: str, limit: float | None, until: float
) -> dict[str, object]:
    """Training speed under each runtime, with the share of the device's own limit (TFLOP/s)."""
    each = flops_of_an_image(store, sizes, prepare(device_name, 1))
    found: dict[str, object] = {"flops_per_image": each}
    for runtime in RUNTIMES:
        if monotonic() > until:
            found[runtime] = "left out: no time"
            continue
        try:
            speed = training_speed(store, sizes, device_name, runtime)
        except Exception as error:
            found[runtime] = failure(error)
            continue
        rate = speed["images_per_second"]
        share = rate * each / 1e12 / limit if limit else None
        projected = EPOCHS * IMAGES / rate
        found[runtime] = {**speed, "share_of_bf16_rate": share, "seconds_150_epochs": projected}
        print(f"  {runtime}: {rate:,.0f} images/s", flush=True)
    return found
