"""How metrics are found: each module of `lotus/metrics` states some."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import TypeVar

from lotus import metrics
from lotus.errors import BrokenCodeError, LotusError
from lotus.metrics.base.family import Family
from lotus.metrics.base.spec import MetricSpec

NO_METRICS = frozenset({"base"})
"""Modules of that folder that state none."""
Kind = TypeVar("Kind", Family, MetricSpec)


@cache
def families() -> tuple[Family, ...]:
    """All metrics, in the order of their columns.

    Raises:
        LotusError: a file of `lotus/metrics` is none of metrics, or two state one column; names the file.

    """
    names = sorted({m.name for m in pkgutil.iter_modules(metrics.__path__)} - NO_METRICS)
    found: list[tuple[int, str, Family]] = []
    owners: dict[str, str] = {}
    for name in names:
        for family in _families_of(name):
            for column in family.columns:
                if column in owners:
                    raise LotusError(
                        f"{_file(name)}: metric '{column}': {owners[column]} already has one "
                        "of this name; choose "
                        "another"
                    )
                owners[column] = _file(name)
            found.append((family.column, name, family))
    return tuple(family for *_, family in sorted(found, key=lambda each: each[:2]))


def _families_of(name: str) -> list[Family]:
    """Returns the families that a module states.

    Raises:
        LotusError: nothing, or something that is not complete; names the file.

    """
    module = _imported(name)
    found = list(dict.fromkeys(_stated(module, Family)))
    given = {spec.name for family in found for spec in family.specs}
    for spec in _stated(module, MetricSpec):
        if spec.name not in given:
            raise LotusError(
                f"{_file(name)}: metric '{spec.name}' has no function: put @measures(…) with its "
                "MetricSpec above one"
            )
    if not found:
        raise LotusError(
            f"{_file(name)}: states no metric: put @measures(MetricSpec(…)) above a function of a Case"
        )
    for family in found:
        if not family.specs:
            raise LotusError(f"{_file(name)}: @measures() was given no MetricSpec")
        if not callable(family.function):
            raise LotusError(f"{_file(name)}: @measures(…) must stand above a function")
        if len({"gold" in spec.needs for spec in family.specs}) > 1:
            raise LotusError(
                f"{_file(name)}: metrics of one function must all need gold or all do "
                "without it: give the others a "
                "function of their own"
            )
    return found


def _stated(module: ModuleType, kind: type[Kind]) -> Iterator[Kind]:
    """Objects of a kind that a module has names for, and did not import from one that states metrics."""
    return (
        each
        for each in vars(module).values()
        if isinstance(each, kind)
        and not (isinstance(each, Family) and each.function.__module__ != module.__name__)
    )


def _imported(name: str) -> ModuleType:
    try:
        # The name is put together in the call: so the identity of code sees that any metric can be meant.
        return importlib.import_module(f"lotus.metrics.{name}")
    except LotusError as error:
        raise LotusError(f"{_file(name)}: {error}") from error
    except (ImportError, SyntaxError, TypeError, NameError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise BrokenCodeError(
            f"{_file(name)}: cannot be imported: {said}", f"lotus.metrics.{name}"
        ) from error


def _file(name: str) -> str:
    return f"lotus/metrics/{name}.py"


def file_of(family: Family) -> str:
    """The file that states a family, as messages name it."""
    return _file(family.function.__module__.rpartition(".")[2])


@cache
def columns() -> tuple[str, ...]:
    """Columns of all metrics and of their forms, in the order of metrics files."""
    return tuple(column for family in families() for column in family.columns)


@cache
def specs() -> Mapping[str, MetricSpec]:
    """Name → metric, in the order of the tables of means."""
    found = [spec for family in families() for spec in family.specs]
    return {spec.name: spec for spec in sorted(found, key=lambda spec: spec.place)}


@cache
def labels() -> Mapping[str, str]:
    """Name → label of the metrics that are printed, in the order of the tables of means."""
    return {spec.name: spec.label for spec in specs().values() if spec.is_printed}


@cache
def metric_of(column: str) -> MetricSpec | None:
    """The metric that a column of any table is made of; None where it is of no metric.

    A column has its name, or begins with it: `jsd_std`, `jsd_released_e3_e4`, `jsd_change`.
    """
    named = [name for name in specs() if column == name or column.startswith(f"{name}_")]
    return specs()[max(named, key=len)] if named else None


def needs(column: str, what: str) -> bool:
    """Whether the metric of a column needs `gold`, `original` or `instances`."""
    spec = metric_of(column)
    return spec is not None and what in spec.needs
