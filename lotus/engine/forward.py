"""The forward of a network as the runtime declares it: in bf16, compiled, in another memory format.

Methods and losses know nothing of it: the network takes float32 images and gives float32 logits, its
weights stay float32 and have the same names.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from os import environ
from typing import TYPE_CHECKING, Any

from lotus.engine.runtime import Runtime
from lotus.errors import LotusError
from lotus.lazy_torch import nn, torch
from lotus.private_folder import keep_compiled_code_private

if TYPE_CHECKING:
    from torch import Tensor


def as_declared(network: nn.Module, runtime: Runtime, device_type: str) -> nn.Module:
    """The same network, which from now on computes as the runtime says.

    Args:
        device_type: `cpu` or `cuda`, where the network lies.

    """
    if not runtime.changes_networks:
        return network
    if runtime.compile == "on":
        # In each job: a worker that stays gets the next job's variables.
        keep_compiled_code_private()
    network.to(memory_format=_memory_format(runtime))
    # A class of its own, not a hook or a function that is put into the instance: students are made by
    # `copy.deepcopy`, which would leave both bound to the network that was copied. A subclass is copied
    # with its instance, counts as the network's class, adds no key to its state, and is what
    # `torch.func.functional_call` and Grad-CAM call.
    built: Any = type(network)
    network.__class__ = _declared_class(built, runtime, device_type)
    return network


def refuse_without_compiler(device_type: str) -> None:
    """Raises a LotusError if `torch.compile` could not build what it writes."""
    if device_type == "cuda":
        usual, what = ["cc", "gcc", "clang"], "a C compiler (gcc or clang, or as CC says)"
        given = environ.get("CC")
        if find_spec("triton") is None:
            raise LotusError(
                "runtime compile=on: needs the package triton on a GPU, which is not installed; accepted "
                "without it: compile=off"
            )
    else:
        usual = ["clang++"] if sys.platform == "darwin" else ["g++"]
        what, given = f"a C++ compiler ({usual[0]}, or as CXX says)", environ.get("CXX")
    wanted = shlex.split(given)[:1] if given else usual
    if not any(shutil.which(program) for program in wanted):
        raise LotusError(
            f"runtime compile=on: needs {what}, and {' or '.join(wanted)} is not on the PATH; accepted "
            "without one: compile=off"
        )


@cache
def _declared_class(built: Any, runtime: Runtime, device_type: str) -> type[nn.Module]:
    """A class like `built` whose forward is the declared one.

    One for all networks of a kind, and so one compiled forward for the original, its students and
    untrained networks: their weights are inputs of what is compiled.
    """
    as_built = built.forward
    compiled = _compiled(as_built, runtime) if runtime.compile == "on" else as_built
    memory_format = _memory_format(runtime)

    def forward(self: nn.Module, images: Tensor) -> Tensor:
        logits: Tensor
        # `torch.func`'s transforms (SSD by image) know no memory format, no BatchNorm of two types of
        # numbers, and nothing compiled.
        if torch._C._functorch.peek_interpreter_stack() is not None:
            logits = as_built(self, images)
            return logits
        images = images.contiguous(memory_format=memory_format)
        run = compiled if _is_untouched(self) else as_built
        # Without autocast's cache: a weight is used once in a forward, and a copy of it that outlived the
        # optimizer's step would be stale.
        with torch.autocast(
            device_type, torch.bfloat16, runtime.precision == "bf16", cache_enabled=False
        ):
            logits = run(self, images)
        return logits.float()

    return type(built.__name__, (built,), {"forward": forward, "__module__": built.__module__})


def _compiled(forward: Callable[..., Any], runtime: Runtime) -> Callable[..., Any]:
    """A forward through `torch.compile`, for batches of any size."""
    graphs = runtime.cuda_graphs == "on"
    made = torch.compile(forward, mode="reduce-overhead" if graphs else None)

    def run(network: nn.Module, images: Tensor) -> Tensor:
        # An epoch has batches of n and of n + 1 images, and sets have any size: what is compiled for one
        # number of images is compiled for all.
        torch._dynamo.maybe_mark_dynamic(images, 0)
        try:
            logits: Tensor = made(network, images)
        except torch._dynamo.exc.TorchDynamoException as error:
            first = str(error).strip().partition("\n")[0]
            raise LotusError(
                f"runtime compile=on: torch.compile failed on {type(network).__name__}: {first}; accepted "
                "in any case: compile=off"
            ) from error
        # The memory of a graph's outputs is written over when it is replayed.
        return logits.clone() if graphs else logits

    return run


def _is_untouched(network: nn.Module) -> bool:
    """Whether nobody looks into a network (Grad-CAM's hooks) or has exchanged a layer's forward (E1).

    torch looks for neither in what it has compiled.
    """
    return not any(
        "forward" in module.__dict__
        or module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        for module in network.modules()
    )


def _memory_format(runtime: Runtime) -> torch.memory_format:
    return torch.channels_last if runtime.channels_last == "on" else torch.contiguous_format
