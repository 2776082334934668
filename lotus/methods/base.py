"""What a method is given, what it gives back, and how it is found.

A method is a frozen dataclass of hyper-parameters with one function of a task:

    @register("my-method")
    @dataclass(frozen=True)
    class MyMethod:
        '''One line on the idea. Source: the paper.'''

        epochs: PositiveInt = 10

        def unlearn(self, task: Task) -> nn.Module: ...

Its fields are its configuration: unknown and ill-typed keys are refused. A file of this folder is
found by itself; other packages name theirs under the entry point group `lotus.methods`.
"""

import copy
import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from typing import Any, Protocol, TypeVar

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import nn

from lotus import methods
from lotus.data.batches import ImageSet
from lotus.errors import LotusError, choices
from lotus.training import Progress

ENTRY_POINTS = "lotus.methods"


@dataclass(frozen=True)
class Task:
    """Everything a method may use.

    Attributes:
        original: the trained model, in eval mode on the device; to be read, never changed.
        forget, retain: training images to forget and to keep.
        val: held-out images that are neither trained nor tested on.
        num_classes: number of outputs.
        class_forgetting: the forget set is a whole class.
        generator: the only source of randomness; lies on the device.
        progress: to be called after each epoch.

    """

    original: nn.Module
    forget: ImageSet
    retain: ImageSet
    val: ImageSet
    num_classes: int
    class_forgetting: bool
    generator: torch.Generator
    progress: Progress

    def student(self) -> nn.Module:
        """A fresh copy of the original model, to be changed."""
        return copy.deepcopy(self.original)


class Method(Protocol):
    """What `register` wants of a class."""

    def unlearn(self, task: Task) -> nn.Module:
        """The unlearned model, in eval mode."""


M = TypeVar("M", bound=type)
_registry: dict[str, type[Method]] = {}


def register(name: str) -> Callable[[M], M]:
    """Makes a frozen dataclass known as method `name`."""

    def add(cls: M) -> M:
        cls.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[attr-defined]
        _registry[name] = cls
        return cls

    return add


def module_of(name: str) -> str:
    """Module that defines method `name`, without importing it if it is one of ours."""
    own = {m.name for m in pkgutil.iter_modules(methods.__path__)} - {"base"}
    if name.replace("-", "_") in own:
        return f"{methods.__name__}.{name.replace('-', '_')}"
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return entry.module
    raise LotusError(f"unknown method '{name}'; {choices(name, available())}")


def available() -> tuple[str, ...]:
    """Names of all methods."""
    own = (m.name.replace("_", "-") for m in pkgutil.iter_modules(methods.__path__))
    plugged = (entry.name for entry in metadata.entry_points(group=ENTRY_POINTS))
    return tuple(sorted(({*own} - {"base"}) | {*plugged}))


def method_class(name: str) -> type[Method]:
    """The class registered as `name`.

    Raises:
        LotusError: there is none.

    """
    importlib.import_module(module_of(name))
    if name not in _registry:
        raise LotusError(f"{module_of(name)}: registers no method '{name}'")
    return _registry[name]


def make(name: str, hyperparameters: Mapping[str, Any]) -> Method:
    """A method with these hyper-parameters, defaults for the rest.

    Raises:
        LotusError: one line per unknown key or value that is not accepted.

    """
    found = problems(name, hyperparameters)
    if found:
        lines = (f"method {name}: {key} = {value!r}: {what}" for key, value, what in found)
        raise LotusError("\n".join(lines))
    return _validate(method_class(name), hyperparameters)


def problems(name: str, hyperparameters: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """(key, value, what is wrong and accepted) for each hyper-parameter that is refused."""
    cls = method_class(name)
    try:
        _validate(cls, hyperparameters)
    except ValidationError as error:
        return [_explain(cls, details, hyperparameters) for details in error.errors()]
    return []


def _validate(cls: type[Method], given: Mapping[str, Any]) -> Method:
    # By way of JSON: pydantic's strict mode takes only instances of a dataclass, or JSON.
    return TypeAdapter(cls).validate_json(json.dumps(dict(given), default=str))


def _explain(cls: type, details: Any, given: Mapping[str, Any]) -> tuple[str, Any, str]:
    key = str(details["loc"][0]) if details["loc"] else "(values)"
    if details["type"] == "unexpected_keyword_argument":
        accepted = [field.name for field in fields(cls)]
        what = f"unknown hyper-parameter; {choices(key, accepted)}"
    else:
        what = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return key, given.get(key), what


def hyperparameters(method: Method) -> dict[str, Any]:
    """All fields of a method with their values."""
    return asdict(method)  # type: ignore[call-overload, no-any-return]
