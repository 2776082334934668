"""What the processor can do at best, and the share of it that a bare network reaches.

The peak is measured, not looked up: the product of two large matrices, in float32 and bfloat16, and a
copy of 256 MB. A network's operations are counted by torch; its rate is that of forward, backward and
optimizer step on one fixed batch.
"""

import platform
from collections.abc import Callable, Mapping

import torch
from paired import Figures, in_turn, rounded, timed
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from lotus.records.environment import processor, versions

SIZE, COPIED = 1536, 2**28
BATCH = 128


def described() -> Figures:
    """Returns the machine and the versions."""
    return {
        "hardware": processor(),
        "versions": {**versions(), "system": platform.platform()},
    }


def measure_limits(
    networks: Mapping[str, nn.Module], shape: tuple[int, int, int], rounds: int
) -> Figures:
    """Returns peak rates, and rate and share of each network.

    Args:
        networks: by name, on images of this shape (C, H, W).

    """
    peaks = {
        str(dtype).removeprefix("torch."): _product(dtype, rounds)
        for dtype in (torch.float32, torch.bfloat16)
    }
    source = torch.empty(COPIED // 4)
    target = torch.empty_like(source)
    # Read once and written once.
    copied = 2 * COPIED / min(timed(lambda: target.copy_(source)) for _ in range(rounds + 2)) / 1e9
    found = {name: _network(network, shape, peaks, rounds) for name, network in networks.items()}
    return {
        "peak_gflops": {name: rounded(value) for name, value in peaks.items()},
        "copy_gigabytes_per_second": rounded(copied),
        "networks": found,
    }


def _product(dtype: torch.dtype, rounds: int) -> float:
    """Billions of operations a second; the best of all rounds, since a peak is asked for."""
    left, right = (torch.randn(SIZE, SIZE).to(dtype) for _ in range(2))
    left @ right
    return 2 * SIZE**3 / min(timed(lambda: left @ right) for _ in range(rounds + 2)) / 1e9


def _network(
    network: nn.Module, shape: tuple[int, int, int], peaks: Mapping[str, float], rounds: int
) -> Figures:
    images = torch.randn(BATCH, *shape).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(BATCH, dtype=torch.long)
    optimizer = torch.optim.SGD(network.parameters(), 1e-6, 0.9)

    def step(dtype: torch.dtype) -> Callable[[], None]:
        def run() -> None:
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                said = network(images)
            F.cross_entropy(said.float(), labels).backward()
            optimizer.step()
            optimizer.zero_grad()

        return run

    network.train()
    steps = {"float32": step(torch.float32), "bfloat16": step(torch.bfloat16)}
    with FlopCounterMode(display=False) as counter:
        steps["float32"]()
    operations = counter.get_total_flops()
    found = in_turn(steps, rounds)
    rates = {name: operations / found.median(name) / 1e9 for name in steps}
    return {
        "images_per_second": {name: rounded(BATCH / found.median(name)) for name in steps},
        "gflops": {name: rounded(rate) for name, rate in rates.items()},
        "share_of_peak": {name: rounded(rates[name] / peaks[name]) for name in steps},
        "bf16_gain": found.ratio("float32", "bfloat16"),
    }
