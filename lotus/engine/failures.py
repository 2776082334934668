"""Errors of jobs with models that cannot go on: what a user can change."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from lotus.engine.device import present
from lotus.engine.sharing import AUTO, VARIABLE
from lotus.errors import LotusError

SINGLE = "Expected more than 1 value per channel"
"""How torch says that BatchNorm was given a single value per channel to train on."""


@contextmanager
def explained_failures(who: str) -> Iterator[None]:
    """Says in a line what a user can change where a training cannot go on.

    Args:
        who: what trains, as `method lotus`.

    """
    try:
        yield
    except ValueError as error:
        if SINGLE not in str(error):
            raise
        raise LotusError(
            f"{who}: BatchNorm cannot normalise a batch of a single image, since the last maps are "
            "1×1 at this image size; take more images (of the forget set, if there is one), another "
            "batch_size, larger images (`resize` of the data set), or `max_pool: false` of the architecture"
        ) from error
    except SystemExit as error:
        raise LotusError(
            f"{who}: ended the process (exit code {error.code}), which it must not do"
        ) from error


FULL = (errno.ENOSPC, errno.EDQUOT)
DISK_IS_FULL = "No space left on device"
"""How systems, and libraries that have no error of their own for it, say so."""
NO_MEMORY = "DefaultCPUAllocator"
"""Part of what torch says where the machine has no memory left; it has no class of its own for it."""
OF_THE_GPU = ("CUDA error", "cuDNN error", "CUBLAS_STATUS")
"""Parts of what torch says where a GPU failed."""


def is_of_the_machine(error: BaseException) -> bool:
    """Whether the same job may succeed another time: memory, disk or GPU failed, not the method."""
    if isinstance(error, OSError | MemoryError) or is_out_of_gpu_memory(error):
        return True
    return any(words in str(error) for words in (DISK_IS_FULL, NO_MEMORY, *OF_THE_GPU))


def explained(error: BaseException) -> str:
    """Says what a user can change where the machine has too little of something; '' of other errors."""
    if is_out_of_gpu_memory(error):
        return explained_lack_of_memory(error)
    if DISK_IS_FULL in str(error) or getattr(error, "errno", None) in FULL:
        return (
            f"the disk is full, or your share of it ({str(error).splitlines()[0]}): make room; the same "
            "command then goes on where it stopped, and nothing is left half written"
        )
    if isinstance(error, MemoryError) or NO_MEMORY in str(error):
        return (
            "this machine has no memory left: let fewer jobs run at a time (`--cores`), or lower "
            "batch_size or the size of images (`resize`) in the configuration"
        )
    return ""


def is_out_of_gpu_memory(error: BaseException) -> bool:
    """Whether an error says that a GPU has no memory left; asked by its name, without loading torch."""
    # A handle of cuBLAS takes memory that PyTorch does not count.
    return type(error).__name__ == "OutOfMemoryError" or "CUBLAS_STATUS_ALLOC_FAILED" in str(error)


def explained_lack_of_memory(error: BaseException) -> str:
    """Says what a user can lower where a GPU has no memory left.

    What was measured of such models is forgotten: by it there was room, so the next is alone and measures.
    """
    own = present()
    lease, kind = (own.lease, own.kind) if own is not None else (None, None)
    if kind is not None:
        kind.forget()
    shared = (
        f"up to {lease.slots} models shared it, so lower {VARIABLE} first (1: each is alone; with {AUTO}, "
        "calling again is enough, since the next such model measures what it takes); then "
        if lease is not None and lease.slots > 1
        else "the model was alone among yours (`nvidia-smi` shows who else uses it); "
    )
    return (
        f"the GPU has no memory left: {shared}lower batch_size or the size of images (`resize`) in the "
        f"configuration, or take LOTUS_RUNTIME=precision=bf16 ({str(error).splitlines()[0]})"
    )
