"""What a plan asks about methods: answered by the imported ones, or by what sources and records say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lotus.config.protocol import Protocol as Switches
from lotus.errors import LotusError, choices
from lotus.methods.base import configured, registry
from lotus.methods.base.read_plugins import ReadMethod, read_methods
from lotus.plugin_files import modules_of

Recorded = Callable[[], Iterable[Mapping[str, Any]]]
"""Gives the hyper-parameters that records of a row's runs state, if there are any."""


class Catalogue(Protocol):
    """The methods of a configuration."""

    def refusal(self, name: str) -> str:
        """Returns why there is no such method; '' where there may be one."""

    def problems(self, name: str, given: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
        """(key, value, what is wrong and accepted) for each hyper-parameter that is refused."""

    def hyperparameters(
        self, name: str, switches: Switches, given: Mapping[str, Any], recorded: Recorded
    ) -> dict[str, Any]:
        """Returns all hyper-parameters of a method: its defaults, the protocol's, and what is given."""

    def defaults(self, name: str) -> Mapping[str, Any]:
        """Returns the defaults of a method's hyper-parameters, of those that have one."""

    def as_read(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what is given as the method reads it: the text `1e-3` is a number."""

    def effective(
        self, name: str, switches: Switches, given: Mapping[str, Any], class_forgetting: bool
    ) -> dict[str, Any]:
        """Returns the hyper-parameters that play a part, of a protocol and a kind of forget set."""

    def released(self, name: str) -> registry.Constants:
        """Returns the published code's constants of a method, by switch."""

    def module_of(self, name: str) -> str:
        """Returns the module that defines a method."""

    def is_imported(self, name: str) -> bool:
        """Whether the method itself can be asked."""


class Imported:
    """Methods that can be asked themselves: ours, those of installed packages, and of loaded plug-ins."""

    def refusal(self, name: str) -> str:
        """Returns that the method is not registered, and which ones are."""
        try:
            registry.module_of(name)
        except LotusError:
            return f"unknown method; {choices(name, registry.available())}"
        return ""

    def problems(self, name: str, given: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
        """Has the method's fields read what is given."""
        return configured.problems(name, given)

    def hyperparameters(
        self, name: str, switches: Switches, given: Mapping[str, Any], recorded: Recorded
    ) -> dict[str, Any]:
        """Makes the method and returns its fields; what records state is of no consequence."""
        return configured.hyperparameters(
            configured.make(name, {**registry.constants(name, switches), **given})
        )

    def defaults(self, name: str) -> Mapping[str, Any]:
        """Returns those of the method's fields."""
        return configured.defaults(name)

    def as_read(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Makes the method and returns the fields that are given."""
        read = configured.hyperparameters(configured.make(name, given))
        return {key: read[key] for key in given}

    def effective(
        self, name: str, switches: Switches, given: Mapping[str, Any], class_forgetting: bool
    ) -> dict[str, Any]:
        """Makes the method and returns its fields without those that it says play no part."""
        method = configured.make(name, {**registry.constants(name, switches), **given})
        unused = registry.entry_of(name).unused_by(method, switches, class_forgetting)
        every = configured.hyperparameters(method)
        return {key: value for key, value in every.items() if key not in unused}

    def released(self, name: str) -> registry.Constants:
        """Returns what the method was registered with."""
        return registry.entry_of(name).released

    def module_of(self, name: str) -> str:
        """Returns the module that registers the method."""
        return registry.module_of(name)

    def is_imported(self, name: str) -> bool:
        """All are."""
        return True


IMPORTED = Imported()


@dataclass(frozen=True)
class NotImported(Imported):
    """The same, but for plug-ins, of which no line is run: their sources and the records of runs are read.

    Attributes:
        plugins: as the configuration names them.
        read: name → method, of those that a source registers by a plain `@register("name")`.
        imported: names of ours and of those of installed packages, looked up once.

    """

    plugins: Sequence[str]
    read: Mapping[str, ReadMethod]
    imported: frozenset[str]

    @classmethod
    def of(cls, plugins: Sequence[str]) -> "NotImported":
        """Reads the sources of plug-ins."""
        return cls(plugins, read_methods(plugins), frozenset(registry.available()))

    def is_imported(self, name: str) -> bool:
        """Whether the method is ours, or of an installed package."""
        return name in self.imported

    def refusal(self, name: str) -> str:
        """As of imported methods; any plug-in may register a name that it puts together."""
        return "" if self.plugins else super().refusal(name)

    def problems(self, name: str, given: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
        """Finds wrong names only of a plug-in's hyper-parameters: its source does not check values."""
        if self.is_imported(name):
            return super().problems(name, given)
        method = self.read.get(name)
        if method is None or not method.is_whole:
            return []
        known = {*method.defaults, *method.others}
        return [
            (key, value, f"unknown hyper-parameter; accepted are {', '.join(sorted(known))}")
            for key, value in given.items()
            if key not in known
        ]

    def hyperparameters(
        self, name: str, switches: Switches, given: Mapping[str, Any], recorded: Recorded
    ) -> dict[str, Any]:
        """Returns for a plug-in's method what its source, the protocol and the configuration say.

        Where a record agrees with all of that, its values are taken: it has those that cannot be read, and
        each in the type of its field.
        """
        if self.is_imported(name):
            return super().hyperparameters(name, switches, given, recorded)
        method = self.read.get(name)
        known = dict(method.defaults) if method is not None else {}
        for switch, values in self.released(name).items():
            if switches.has(switch):
                known |= values
        known |= given
        has_all = method is not None and method.is_whole and not (method.others - given.keys())
        for stated in recorded():
            if _agree(stated, known) and not (has_all and stated.keys() - known.keys()):
                return dict(stated)
        return known

    def defaults(self, name: str) -> Mapping[str, Any]:
        """Returns for a plug-in's method the defaults that its source writes out."""
        if self.is_imported(name):
            return super().defaults(name)
        return self.read[name].defaults if name in self.read else {}

    def as_read(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns for a plug-in's method what is given as it is, since nobody reads it."""
        return super().as_read(name, given) if self.is_imported(name) else dict(given)

    def effective(
        self, name: str, switches: Switches, given: Mapping[str, Any], class_forgetting: bool
    ) -> dict[str, Any]:
        """Returns for a plug-in's method all that is given, since it cannot be asked what plays no part."""
        if self.is_imported(name):
            return super().effective(name, switches, given, class_forgetting)
        return dict(given)

    def released(self, name: str) -> registry.Constants:
        """Returns for a plug-in's method what its source says."""
        if self.is_imported(name):
            return super().released(name)
        return self.read[name].released if name in self.read else {}

    def module_of(self, name: str) -> str:
        """Returns for a plug-in's method the module that plainly registers it, else the first plug-in."""
        if self.is_imported(name):
            return super().module_of(name)
        return self.read[name].module if name in self.read else modules_of(self.plugins)[0]


def _agree(stated: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    return all(key in stated and _same(stated[key], value) for key, value in known.items())


def _same(stated: Any, value: Any) -> bool:
    """Whether a field can have made one value of the other: a list of a tuple, a number of a text."""
    if isinstance(stated, list) and isinstance(value, list | tuple):
        return len(stated) == len(value) and all(map(_same, stated, value))
    if isinstance(stated, int | float) and isinstance(value, str):
        try:
            return float(value) == stated
        except ValueError:
            return False
    # Numbers alone: True is no 1.
    return bool(stated == value) and isinstance(stated, bool) == isinstance(value, bool)
