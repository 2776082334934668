"""Holds a method to its contract: the model it returns, what it must leave alone, what it reports."""

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lotus.engine.inference import evaluation_mode
from lotus.engine.progress import Progress
from lotus.errors import LotusError
from lotus.methods.base.task import Task
from lotus.wording import first_of

LONGEST = 300
TAKEN = ("epoch", "seconds")
"""Keys of a report that the record of each epoch has by itself."""


def check_returned(name: str, returned: object, task: Task) -> None:
    """Looks at what a method returned; leaves its state, its modes and all random states as they are.

    Raises:
        LotusError: it is no network that can stand in the original's place: whose state has the same
            names, shapes and types on the same device, and which gives logits of all classes.

    """
    if not isinstance(returned, nn.Module):
        what = "None" if returned is None else _described(returned)
        raise LotusError(
            f"method {name} returned {what} instead of a network; its `unlearn` must end in `return "
            "student`"
        )
    try:
        problem = _problem_of_state(returned, task.original) or _problem_of_outputs(returned, task)
    # Whatever a network of a user's own making raises when it is asked.
    except Exception as error:
        problem = f"cannot be used: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if problem:
        raise LotusError(
            f"method {name}: the network that it returned {problem}; it must be one like "
            "`task.student()`, with weights of its own"
        )


def check_original(name: str, original: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Raises a LotusError if a method changed `task.original`, whose weights were these."""
    now = original.state_dict()
    for key in {**weights, **now}:
        if key not in now or key not in weights or not _same(now[key], weights[key]):
            raise LotusError(
                f"method {name} changed task.original ({key} differs), which it may only read; work on "
                "`task.student()`, a copy of it"
            )


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree to the last bit, NaN included."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    one, other = one.detach().cpu(), other.detach().cpu()
    return torch.equal(one.flatten().view(torch.uint8), other.flatten().view(torch.uint8))


def _problem_of_state(returned: nn.Module, original: nn.Module) -> str:
    """Returns how the state of a network differs from the original's in form; '' if it does not."""
    found, wanted = returned.state_dict(), original.state_dict()
    missing = [key for key in wanted if key not in found]
    unknown = [key for key in found if key not in wanted]
    if missing or unknown:
        parts = (("lacks", missing), ("has also", unknown))
        return "; ".join(
            f"{verb} {first_of([*map(repr, keys)], 3)}" for verb, keys in parts if keys
        )
    for key, value in wanted.items():
        mine = found[key]
        if not isinstance(mine, Tensor):
            return f"has {_described(mine)} as {key} instead of a tensor"
        for is_so, should_be, what in (
            (mine.device, value.device, "on"),
            (mine.layout, value.layout, "of layout"),
            (mine.dtype, value.dtype, "of"),
            (list(mine.shape), list(value.shape), "of shape"),
        ):
            if is_so != should_be:
                return f"has {key} {what} {is_so} instead of {should_be}"
    return ""


def _problem_of_outputs(returned: nn.Module, task: Task) -> str:
    """Returns what is wrong with a network's logits of two images; '' if nothing is."""
    twice = torch.zeros(2, dtype=torch.int64, device=task.forget.index.device)
    images = task.forget.draw(twice, None).images
    on = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices=on), evaluation_mode(returned):
        said = returned(images)
    wanted = [2, task.num_classes]
    if isinstance(said, Tensor) and list(said.shape) == wanted and said.is_floating_point():
        return ""
    return (
        f"answers two images with {_described(said)} instead of logits, a floating tensor {wanted}"
    )


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)} of {value.dtype}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"a value of type {type(value).__name__}"


class CheckedProgress:
    """`task.progress` for a method: passes on what is a report, refuses what is not.

    Args:
        name: of the method.
        told: gets the reports.

    """

    def __init__(self, name: str, told: Progress) -> None:
        self._name, self._told = name, told
        self._last = -1

    def __call__(self, epoch: Any = None, of: Any = None, report: Any = None) -> None:
        """Takes the report of one epoch (see `Progress`).

        Raises:
            LotusError: a number is none, epochs are out of order, or a key of the report is taken.

        """
        number, count = self._whole("epoch", epoch), self._whole("of", of)
        if not self._last < number < count:
            after = f" after epoch {self._last}" if self._last >= 0 else ""
            raise self._refusal(
                f"epoch {number} of {count}{after}: epochs count from 0, each once and in order, and there "
                "are `of` of them"
            )
        if not isinstance(report, Mapping):
            raise self._refusal(
                f"{_described(report)}: the report must be a mapping, such as {{'loss': 0.5}}"
            )
        for key in report:
            if not isinstance(key, str) or key in TAKEN:
                raise self._refusal(
                    f"the key {key!r}: must be text, and not one of {', '.join(TAKEN)}"
                )
        values = {key: self._real(key, value) for key, value in report.items()}
        self._last = number
        self._told(number, count, values)

    def _whole(self, key: str, value: Any) -> int:
        try:
            return operator.index(value)
        except TypeError as error:
            raise self._refusal(f"{key} = {value!r}: must be a whole number") from error

    def _real(self, key: str, value: Any) -> float:
        try:
            if not isinstance(value, str | bytes):
                return float(value)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            pass
        raise self._refusal(f"{key} = {value!r}: must be a number")

    def _refusal(self, what: str) -> LotusError:
        line = " ".join(what.split())
        return LotusError(
            f"method {self._name}: task.progress(epoch, of, report) was given {line[:LONGEST]}"
        )
