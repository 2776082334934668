"""How specs are found: each file of a folder states one, by its name."""

import importlib
import pkgutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from lotus.errors import BrokenCodeError, LotusError, choices


class Stated(Protocol):
    """The parts that every spec has."""

    @property
    def name(self) -> str:
        """Returns its name."""

    @property
    def order(self) -> int:
        """Returns its place among the others."""

    @property
    def targets(self) -> Sequence[str]:
        """Returns the targets of the workflow that it alone has."""

    def mistakes(self) -> Iterator[str]:
        """Yields what is wrong with it."""


S_co = TypeVar("S_co", bound=Stated, covariant=True)


@dataclass(frozen=True)
class Registry(Generic[S_co]):
    """The specs of one folder.

    Attributes:
        package: the folder as a package, as `lotus.figures`.
        path: its places, as `__path__` of the package.
        kind: what each file states as `SPEC`.
        what: such a thing in one word, for messages.
        shared: modules that state none; what the files share.

    """

    package: str
    path: Sequence[str]
    kind: type[S_co]
    what: str
    shared: Collection[str]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all, by the alphabet; no file is read for this."""
        modules = (module.name for module in pkgutil.iter_modules(self.path))
        return tuple(sorted(name.replace("_", "-") for name in modules if name not in self.shared))

    def module_of(self, name: str) -> str:
        """Returns the module that states and makes `name`; it is not imported.

        Raises:
            LotusError: there is none.

        """
        if name not in self.names:
            raise LotusError(f"unknown {self.what} '{name}'; {choices(name, self.names)}")
        return f"{self.package}.{name.replace('-', '_')}"

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """Modules of all."""
        return tuple(map(self.module_of, self.names))

    def spec(self, name: str) -> S_co:
        """Returns the spec of `name`; only its file is imported.

        Raises:
            LotusError: there is none, or its file states none that can be used.

        """
        module = self.module_of(name)
        file = Path(self.path[0], f"{name.replace('-', '_')}.py").as_posix()
        try:
            found = getattr(importlib.import_module(module), "SPEC", None)
        except LotusError:
            raise
        except Exception as error:
            raise BrokenCodeError(f"{file}: {type(error).__name__}: {error}", module) from error
        if not isinstance(found, self.kind):
            given = "states no SPEC" if found is None else f"SPEC = {found!r}"
            raise LotusError(
                f"{file}: {given}; every file of this folder states a {self.kind.__name__} but those that "
                f"its registry names as shared: {', '.join(sorted(self.shared))}"
            )
        wrong = list(found.mistakes())
        if not wrong and found.name != name:
            wrong.append(f"name = {found.name!r}, but the file is called {name!r}")
        if wrong:
            raise LotusError(f"{file}: SPEC: {'; '.join(wrong)}")
        return found

    @cached_property
    def specs(self) -> Mapping[str, S_co]:
        """Name → spec, of all, in their order.

        Raises:
            LotusError: a file states none that can be used.

        """
        return {spec.name: spec for spec in sorted(map(self.spec, self.names), key=_place)}


def _place(spec: Stated) -> tuple[int, str]:
    return spec.order, spec.name


def refuse_shared_targets(*registries: Registry[Stated]) -> None:
    """Reads all specs, and makes sure that each target of the workflow is of one thing.

    Raises:
        LotusError: a file states no spec that can be used, or two have the same target.

    """
    owners: dict[str, str] = {}
    for registry in registries:
        for name, spec in registry.specs.items():
            module = registry.module_of(name)
            for target in spec.targets:
                if owners.setdefault(target, module) != module:
                    raise LotusError(
                        f"{owners[target]} and {module}: both would be the target '{target}' "
                        "of the workflow"
                    )
