"""How methods are found: files of this folder, entry points of packages, plug-ins of a configuration."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from importlib import metadata
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ConfigDict

from lotus import methods
from lotus.config.protocol import CORRECTED, SWITCHES, of_stage
from lotus.config.protocol import Protocol as Switches
from lotus.errors import BrokenCodeError, LotusError, choices
from lotus.methods.base.task import Method
from lotus.names import composed, look_alikes

ENTRY_POINTS = "lotus.methods"
NO_METHODS = frozenset({"base"})
"""Modules of this folder that are none."""


Constants = Mapping[str, Mapping[str, Any]]
Deals = Callable[[Any, Switches, bool], Collection[str]]
"""Method, protocol, whether a class is forgotten → the image sets of `Entry.deals_alone`."""
PlaysNoPart = Callable[[Any, Switches, bool], Collection[str]]
"""Method, protocol, whether a class is forgotten → the hyper-parameters of `Entry.unused_by`."""
SETS = frozenset({"forget", "retain", "val"})


def switches_of(released: Constants) -> frozenset[str]:
    """Returns the switches that can change the weights of such a method; T2 (batches) is one of all."""
    return (frozenset(released) & of_stage("method")) | {"T2"}


def own_switches_of(released: Constants) -> frozenset[str]:
    """Returns the switches that exchange a method's own defaults for the published code's constants."""
    return frozenset(switch for switch, values in released.items() if values)


@dataclass(frozen=True)
class Entry:
    """A registered method.

    Attributes:
        released: for each switch of the register that this method obeys, the published code's
            constants: defaults while the switch is on.
        alone: image sets (forget, retain, val) that the method, with its defaults under the corrected
            protocol, deals in batches of their own to a network in train mode. A set of one image is then
            a batch of one, which BatchNorm cannot normalise where maps are 1×1.
        deals: the same for given hyper-parameters; None: `alone` whatever they are.
        unused: which hyper-parameters play no part; None: all play one.

    """

    cls: type[Method]
    released: Constants
    alone: frozenset[str] = frozenset()
    deals: Deals | None = None
    unused: PlaysNoPart | None = None

    def unused_by(
        self, method: Method, protocol: Switches = CORRECTED, class_forgetting: bool = False
    ) -> frozenset[str]:
        """Returns the hyper-parameters that can have any value here: the model is the same to the bit."""
        if self.unused is None:
            return frozenset()
        return frozenset(self.unused(method, protocol, class_forgetting))

    def deals_alone(
        self, method: Method, protocol: Switches = CORRECTED, class_forgetting: bool = False
    ) -> frozenset[str]:
        """As `alone`, for these hyper-parameters, this protocol and this kind of forget set."""
        if self.deals is None:
            return self.alone
        return frozenset(self.deals(method, protocol, class_forgetting))

    @property
    def switches(self) -> frozenset[str]:
        """See `switches_of`."""
        return switches_of(self.released)


RESERVED = frozenset({"method", "calibration"})
"""Keys of a row of the configuration that are no hyper-parameters."""
M = TypeVar("M", bound=type)
entries: dict[str, Entry] = {}


def register(
    name: str,
    released: Constants = MappingProxyType({}),
    alone: Collection[str] | Deals = (),
    unused: PlaysNoPart | None = None,
) -> Callable[[M], M]:
    """Makes a frozen dataclass known as method `name`; `released`, `alone`, `unused` as in `Entry`.

    Args:
        alone: the sets themselves, or a function of the method, the protocol and whether a class is
            forgotten, where they depend on these.
        unused: a function of the same. Tuning counts candidates that differ in nothing else as one.

    Raises:
        LotusError: the class is no frozen dataclass with `unlearn`, the name is taken, `alone` names
            another set than forget, retain or val, or `unused` something that is no field.

    """
    if (
        not isinstance(name, str)
        or not name.strip()
        or name != name.strip()
        or not name.isprintable()
    ):
        raise LotusError(f"register({name!r}): a method needs a name: @register('my-method')")
    name = composed(name)
    if unknown := released.keys() - SWITCHES.keys():
        raise LotusError(
            f"method '{name}': released: {', '.join(map(repr, unknown))}: not among the "
            "switches of `lotus protocols`"
        )

    def add(cls: M) -> M:
        _check(name, cls)
        cls.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[attr-defined]
        deals = alone if callable(alone) else None
        entry = Entry(cls, released, _sets(name, cls, alone), deals, unused)
        _check_unused(name, entry)
        entries[name] = entry
        return cls

    return add


def _sets(name: str, cls: type, alone: Collection[str] | Deals) -> frozenset[str]:
    """Returns the sets that a method with its defaults deals; none where a field has no default."""
    if callable(alone):
        if any(f.default is f.default_factory is MISSING for f in fields(cls)):
            return frozenset()
        alone = alone(cls(), CORRECTED, False)
    if isinstance(alone, str) or not SETS.issuperset(alone):
        raise LotusError(
            f"method '{name}': alone = {alone!r}: accepted: {', '.join(sorted(SETS))}, as in "
            "alone=('forget',)"
        )
    return frozenset(alone)


def _check_unused(name: str, entry: Entry) -> None:
    """Refuses names that are no fields, as far as a method can be made without values for its fields."""
    if entry.unused is None:
        return
    known = {field.name for field in fields(entry.cls)}  # type: ignore[arg-type]
    if any(f.default is f.default_factory is MISSING for f in fields(entry.cls)):  # type: ignore[arg-type]
        return
    named = entry.unused_by(entry.cls()) | entry.unused_by(entry.cls(), class_forgetting=True)
    if strange := named - known:
        raise LotusError(
            f"method '{name}': unused = {min(strange)!r}: no hyper-parameter of it; "
            f"{choices(min(strange), known)}"
        )


def _check(name: str, cls: type) -> None:
    """Refuses a class that is no method, or has no name of its own."""
    frozen = is_dataclass(cls) and cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    if not frozen or not _takes_a_task(getattr(cls, "unlearn", None)):
        raise LotusError(
            f"method '{name}': {cls.__module__}.{cls.__qualname__} must be a frozen dataclass with a "
            "function unlearn(self, task)"
        )
    if reserved := RESERVED & {field.name for field in fields(cls)}:
        raise LotusError(
            f"method '{name}': {cls.__module__}.{cls.__qualname__} has a field "
            f"`{min(reserved)}`, which is a "
            "key of every row of the configuration; give it another name"
        )
    ours = f"{methods.__name__}.{name.replace('-', '_')}"
    owner = ours if name in _own() else None
    if name in entries:
        owner = entries[name].cls.__module__
    if owner not in (None, cls.__module__):
        raise LotusError(
            f"method '{name}' of {cls.__module__}: {owner} already has this name; choose another"
        )
    known = entries.get(name)
    if known is not None and known.cls is not cls and _are_of_one_text(known.cls, cls):
        raise LotusError(
            f"method '{name}': {cls.__module__} registers two classes under this name, "
            f"{known.cls.__qualname__} and {cls.__qualname__}; give one of them another name"
        )
    if not cls.__module__.startswith(f"{methods.__name__}."):
        for pair in look_alikes([*available(), name]):
            if name in (pair.first, pair.second):
                raise LotusError(
                    f"method '{name}' of {cls.__module__}: {pair}; choose another name"
                )


def _are_of_one_text(one: type, other: type) -> bool:
    """Whether two classes of a module stand side by side, and not one where the other stood before."""
    if "<locals>" in one.__qualname__ + other.__qualname__:
        return False
    texts = [getattr(cls.unlearn, "__globals__", None) for cls in (one, other)]  # type: ignore[attr-defined]
    return one.__qualname__ != other.__qualname__ or texts[0] is texts[1] is not None


def _takes_a_task(unlearn: object) -> bool:
    if not callable(unlearn):
        return False
    try:
        inspect.signature(unlearn).bind("self", "task")
    except (TypeError, ValueError):
        return False
    return True


@contextmanager
def registering() -> Iterator[frozenset[str]]:
    """Gives the names that are registered; on an error none that was registered meanwhile stays."""
    before = dict(entries)
    try:
        yield frozenset(before)
    except BaseException:
        entries.clear()
        entries.update(before)
        raise


def registered() -> frozenset[str]:
    """Names of the methods whose modules are loaded."""
    return frozenset(entries)


def module_of(name: str) -> str:
    """Module that defines method `name`, without importing it if it is one of ours.

    Raises:
        LotusError: there is no such method.

    """
    name = composed(name)
    if name in entries:
        return entries[name].cls.__module__
    if name in _own():
        return f"{methods.__name__}.{name.replace('-', '_')}"
    if name in _entry_points():
        return _entry_points()[name].module
    raise LotusError(f"unknown method '{name}'; {choices(name, available())}")


def _entry_points() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=ENTRY_POINTS)}


def _own() -> set[str]:
    return {m.name.replace("_", "-") for m in pkgutil.iter_modules(methods.__path__)} - NO_METHODS


def is_own(name: str) -> bool:
    """Whether a method comes with this package."""
    return name in _own()


def available() -> tuple[str, ...]:
    """Names of all methods: ours, those of other packages, those of loaded plugins."""
    return tuple(sorted(_own() | set(_entry_points()) | set(entries)))


def entry_of(name: str) -> Entry:
    """The method registered as `name`.

    Raises:
        LotusError: there is none, or the module that should register it does not load.

    """
    module, name = module_of(name), composed(name)
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise LotusError(f"method '{name}': {module} cannot be imported: {error}") from error
    except LotusError:
        raise
    # What the syntax of a file under work, or its first lines, make Python raise.
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise BrokenCodeError(
            f"method '{name}': {module} cannot be imported: {said}", module
        ) from error
    if name not in entries:
        entry = _entry_points().get(name)
        if entry is not None and entry.attr:
            register(name)(entry.load())
    if name not in entries:
        raise LotusError(f"{module}: registers no method '{name}'")
    return entries[name]


def method_class(name: str) -> type[Method]:
    """The class registered as `name`."""
    return entry_of(name).cls


def constants(name: str, chosen: Switches) -> dict[str, Any]:
    """Defaults that the switches of a protocol bring: constants of the published code."""
    merged: dict[str, Any] = {}
    for switch, values in entry_of(name).released.items():
        if chosen.has(switch):
            merged |= values
    return merged
