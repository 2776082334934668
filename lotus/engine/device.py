"""The device on which tensors live: a choice of the run, recorded with it."""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import dataclass
from typing import Any

from lotus.engine.forward import refuse_without_compiler
from lotus.engine.runtime import DEFAULT_RUNTIME, Runtime
from lotus.errors import LotusError
from lotus.lazy_torch import torch


@dataclass(frozen=True)
class Device:
    """A prepared device, and how models compute on it."""

    torch: torch.device
    threads: int
    runtime: Runtime = DEFAULT_RUNTIME

    @property
    def hardware(self) -> dict[str, Any]:
        """Device, its name, the processor threads in use and the runtime: what can change the last bits."""
        on_gpu = self.torch.type == "cuda"
        name = torch.cuda.get_device_name(self.torch) if on_gpu else None
        return {
            "device": str(self.torch),
            "device_name": name,
            "threads": self.threads,
            **self.runtime.stated,
        }

    @property
    def fuses_steps(self) -> bool:
        """Whether trainings may take fused optimizers, which have other last bits than the default ones."""
        return self.torch.type == "cuda" and self.runtime.deterministic == "off"

    def synchronize(self) -> None:
        """Waits until the device is idle."""
        if self.torch.type == "cuda":
            torch.cuda.synchronize(self.torch)

    @property
    def peak_memory(self) -> int:
        """Most bytes that tensors took on the device; 0 on the processor."""
        return torch.cuda.max_memory_allocated(self.torch) if self.torch.type == "cuda" else 0


def check_name(name: str) -> None:
    """Raises a LotusError unless a device could be called so."""
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name):
        raise LotusError(
            f"device {name!r} is unknown; accepted: auto, cpu, cuda, cuda:0, cuda:1, …"
        )


def prepare(name: str, threads: int, runtime: Runtime = DEFAULT_RUNTIME) -> Device:
    """Chooses the device, and sets how the process computes on it.

    Args:
        name: `auto` (the first GPU if there is one), `cpu`, `cuda` or `cuda:N`.
        threads: of the processor; a fixed number, since sums depend on it.
        runtime: the declared one; by default float32, repeatable to the last bit.

    Raises:
        LotusError: no such device here, or the runtime cannot be had on it.

    """
    check_name(name)
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    chosen = torch.device(("cuda:0" if gpus else "cpu") if name == "auto" else name)
    if chosen.type == "cuda":
        chosen = torch.device("cuda", chosen.index or 0)
        if (chosen.index or 0) >= gpus:
            raise LotusError(
                f"device '{name}': the number of usable GPUs of this machine is {gpus}; try cpu"
            )
    else:
        runtime.refuse_without_cuda()
    if runtime.compile == "on":
        refuse_without_compiler(chosen.type)
    torch.set_num_threads(threads)
    if chosen.type == "cpu":
        _keep_freed_memory()
    _set_determinism(runtime.deterministic == "on", chosen.type)
    if chosen.type == "cuda":
        _set_tf32(runtime.precision == "tf32")
    return Device(chosen, threads, runtime)


def _set_determinism(wanted: bool, device_type: str) -> None:
    if device_type == "cuda" and wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = not wanted
    # A warning where an operation has no repeatable form on the GPU (max-pool's gradient).
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    # A debugging aid that comes with it and costs a tenth of the time: no code here reads such memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _set_tf32(wanted: bool) -> None:
    """Whether float32 products and convolutions use TF32, which cuDNN does unless it is told otherwise."""
    # These two keep both of torch's interfaces to it in step; after the newer `fp32_precision` alone, what
    # torch.compile reads of the older one raises (pytorch#166387).
    torch.set_float32_matmul_precision("high" if wanted else "highest")
    torch.backends.cudnn.allow_tf32 = wanted


M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Parameters of glibc's `mallopt`."""


def _keep_freed_memory() -> None:
    """Has the process keep memory that tensors no longer need, where the C library is glibc.

    Else glibc hands large tensors back to the system, which clears each page when the next batch asks
    for it again: a quarter of the time of a forward pass, and a tenth of a training step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in (
            (M_MMAP_MAX, 0),
            (M_TRIM_THRESHOLD, 2**31 - 1),
            (M_TOP_PAD, 64 * 2**20),
        ):
            mallopt(parameter, value)
