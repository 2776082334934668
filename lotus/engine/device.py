"""The device on which tensors live: a choice of the run, recorded with it."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

from lotus.engine import gpus
from lotus.engine.forward import refuse_without_compiler
from lotus.engine.lease import PAUSE, Gpu, Lease, folder_of_user, take
from lotus.engine.runtime import DEFAULT_RUNTIME, Runtime
from lotus.engine.sharing import Kind, slots_wanted
from lotus.errors import LotusError
from lotus.lazy_torch import torch
from lotus.records.began import begin_job

log = getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A prepared device, and how models compute on it.

    Attributes:
        lease: of a GPU; None on the processor.
        kind: of the model that is made on a GPU, by the memory that it takes.

    """

    torch: torch.device
    threads: int
    runtime: Runtime = DEFAULT_RUNTIME
    lease: Lease | None = None
    kind: Kind | None = None

    @property
    def hardware(self) -> dict[str, Any]:
        """Device, its name, the processor threads in use and the runtime: what can change the last bits.

        A GPU has no number here: which of several equal ones it was changes nothing.
        """
        on_gpu = self.torch.type == "cuda"
        name = torch.cuda.get_device_name(self.torch) if on_gpu else None
        return {
            "device": self.torch.type,
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

    def note_memory(self) -> None:
        """Notes for later jobs what models of this kind take of a GPU, if this one was alone on it.

        That is all that is taken by now, libraries included: PyTorch keeps what tensors took at their peak.
        """
        if self.lease is not None and self.lease.slots == 1 and self.kind is not None:
            free, whole = torch.cuda.mem_get_info(self.torch)
            self.kind.note(whole - free)


_OWN: ContextVar[tuple[int, Device] | None] = ContextVar("device", default=None)
"""Process that prepared a device, and the last one: in what is forked from it there is none."""


def present() -> Device | None:
    """Returns the device that this process has prepared last, if it has."""
    process, device = _OWN.get() or (0, None)
    return device if process == os.getpid() else None


def check_name(name: str) -> None:
    """Raises a LotusError unless a device could be called so."""
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", name):
        raise LotusError(
            f"device {name!r} is unknown; accepted: auto, cpu, cuda, cuda:0, cuda:1, …"
        )


def prepare(
    name: str, threads: int, runtime: Runtime = DEFAULT_RUNTIME, alike: Sequence[str] = ()
) -> Device:
    """Chooses the device, waits for it if it is a GPU, and sets how the process computes on it.

    A GPU is leased until the process ends, since memory of it, once used, is not given back whole before.

    Args:
        name: `auto` (a GPU if there is one), `cpu`, `cuda` (any GPU) or `cuda:N`.
        threads: of the processor; a fixed number, since sums depend on it.
        runtime: the declared one; by default float32, repeatable to the last bit.
        alike: what models that take as much memory have in common; none: nothing is known of that.

    Raises:
        LotusError: no such device here, or the runtime cannot be had on it.

    """
    check_name(name)
    found = () if name == "cpu" else gpus.usable()
    wished = _wished(name, found)
    if not wished:
        runtime.refuse_without_cuda()
    if runtime.compile == "on":
        refuse_without_compiler("cuda" if wished else "cpu")
    if wished:
        kind = Kind((str(Path.cwd()), *alike, str(runtime)) if alike else (), folder_of_user())
        lease = _leased(wished, kind)
        chosen = torch.device("cuda", lease.gpu.index)
        # Pinned memory and code of others, which names no device, else take the first GPU.
        torch.cuda.set_device(chosen)
        _set_tf32(runtime.precision == "tf32")
        device = Device(chosen, threads, runtime, lease, kind)
    else:
        if name == "auto":
            log.info("device: %s", gpus.processor_in_words())
        _keep_freed_memory()
        device = Device(torch.device("cpu"), threads, runtime)
    torch.set_num_threads(threads)
    _set_determinism(runtime.deterministic == "on", device.torch.type)
    _OWN.set((os.getpid(), device))
    return device


def _wished(name: str, found: Sequence[Gpu]) -> list[Gpu]:
    """Returns the GPUs that a name means; none: the processor."""
    number = name.partition(":")[2]
    wished = [gpu for gpu in found if not number or gpu.index == int(number)]
    if not wished and name not in ("auto", "cpu"):
        raise LotusError(
            f"device '{name}': the number of usable GPUs of this machine is {len(found)}; try cpu"
        )
    return wished


def _leased(wished: Sequence[Gpu], kind: Kind) -> Lease:
    """Returns the lease that this process has, else a new one.

    Raises:
        LotusError: the process has another GPU, or too few slots are wanted.

    """
    own = present()
    if own is not None and own.lease is not None:
        if own.lease.gpu not in wished:
            raise LotusError(
                f"this process keeps GPU {own.lease.gpu.index} as long as it lives, and the job wants "
                f"cuda:{wished[0].index}; without LOTUS_KEPT_WORKERS each job has a process of its own"
            )
        return own.lease
    slots = slots_wanted(os.environ)
    lease = take(wished, kind.slots_on if slots is None else lambda _: slots, folder_of_user())
    log.info("device: GPU %d, on which %d such jobs may be", lease.gpu.index, lease.slots)
    if lease.waited >= PAUSE:
        # The wait is no part of the job's time.
        begin_job()
    return lease


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
