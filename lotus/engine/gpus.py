"""The GPUs of this machine: those that PyTorch can use, and drivers of those that it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

from lotus.engine.lease import Gpu
from lotus.lazy_torch import torch

DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvgpu", "/dev/nvmap", "/dev/dxg", "/dev/kfd")
"""Devices of Linux's drivers of GPUs that PyTorch can use: NVIDIA's, those of its small boards, of
Windows' Linux, and AMD's."""
UNUSED = (
    "the processor, although this machine has the driver of a GPU: PyTorch cannot use it (another build of "
    "PyTorch, or nvidia-smi, may tell why; LOTUS_DEVICE=cuda refuses the processor)"
)


def has_driver() -> bool:
    """Whether the driver of a GPU is loaded; elsewhere than on Linux that is not known, and so is none."""
    return sys.platform == "linux" and any(Path(file).exists() for file in DRIVERS)


def usable() -> tuple[Gpu, ...]:
    """Returns the GPUs that PyTorch can use here, by their numbers; no memory of any is taken.

    Their identities come from the driver, since numbers depend on CUDA_VISIBLE_DEVICES.
    """
    if not torch.cuda.is_available():
        return ()
    found = [torch.cuda.get_device_properties(it) for it in range(torch.cuda.device_count())]
    return tuple(
        Gpu(it, f"GPU-{found[it].uuid}", found[it].total_memory) for it in range(len(found))
    )


def processor_in_words() -> str:
    """Says on what models are made where PyTorch can use no GPU."""
    return UNUSED if has_driver() else "the processor, since PyTorch sees no GPU here"
