"""Hyper-parameters of methods: read, described, refused."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lotus.errors import LotusError, choices
from lotus.methods.base import registry
from lotus.methods.base.registry import method_class
from lotus.methods.base.task import Method


def check_fields(name: str) -> None:
    """Looks at the fields of a registered method.

    Raises:
        LotusError: a type cannot be read from a configuration, or a default is not of its type.

    """
    cls = registry.entries[name].cls
    where = f"method '{name}': {cls.__module__}.{cls.__qualname__}"
    given: dict[str, Any] = {}
    try:
        given = defaults(name)
        json.dumps(given)
        _validate(cls, given)
    except ValidationError as error:
        for key, value, what in (_explain(cls, found, given) for found in error.errors()):
            if key in given or key == "(values)":
                raise LotusError(f"{where}: default {key} = {value!r}: {what}") from error
    # Types that pydantic does not know, names that are not defined, what __post_init__ raises.
    except Exception as error:
        said = str(error).partition("\n")[0]
        raise LotusError(
            f"{where}: its fields cannot be read: {type(error).__name__}: {said}; accepted: fields of "
            "numbers, texts, true or false, and tuples of these"
        ) from error


def defaults(name: str) -> dict[str, Any]:
    """Returns field → default of a method, of the fields that have one."""
    found: dict[str, Any] = {}
    for field in fields(method_class(name)):  # type: ignore[arg-type]
        if field.default is not MISSING:
            found[field.name] = field.default
        elif field.default_factory is not MISSING:
            found[field.name] = field.default_factory()
    return found


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
    # Whatever a __post_init__ raises.
    except Exception as error:
        said = " ".join(str(error).split())
        return [("(values)", dict(hyperparameters), f"{type(error).__name__}: {said}")]
    return []


def _validate(cls: type[Method], given: Mapping[str, Any]) -> Method:
    # By way of JSON: pydantic's strict mode takes only instances of a dataclass, or JSON.
    return _adapter(cls).validate_json(json.dumps(dict(given), default=str))


@cache
def _adapter(cls: type[Method]) -> TypeAdapter[Method]:
    return TypeAdapter(cls)


def _explain(cls: type, details: Any, given: Mapping[str, Any]) -> tuple[str, Any, str]:
    key = str(details["loc"][0]) if details["loc"] else "(values)"
    if details["type"] == "unexpected_keyword_argument":
        accepted = [field.name for field in fields(cls)]
        what = f"unknown hyper-parameter; {choices(key, accepted)}"
        if key in vars(cls):
            what += f" (the class has `{key}` without a type: to make it a field, write `{key}: float = …`)"
    else:
        what = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return key, given.get(key), what


def hyperparameters(method: Method) -> dict[str, Any]:
    """All fields of a method with their values."""
    return asdict(method)  # type: ignore[call-overload, no-any-return]
