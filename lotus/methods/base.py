"""What a method is given, what it gives back, and how it is found.

A method is a frozen dataclass of hyper-parameters with one function of a task:

    @register("my-method")
    @dataclass(frozen=True)
    class MyMethod:
        '''One line on the idea. More: see `Described`.'''

        epochs: PositiveInt = 10

        def unlearn(self, task: Task) -> nn.Module: ...

Its fields are its configuration: unknown and ill-typed keys are refused. A file of this folder is
found by itself; another package names its methods under the entry point group `lotus.methods`; a
single file or module is named under `plugins` in the configuration (docs/own-method.md).
"""

import copy
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from functools import cache
from importlib import metadata
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import nn

from lotus import methods
from lotus.config.protocol import CORRECTED, REGISTER, of_stage
from lotus.config.protocol import Protocol as Switches
from lotus.data.batches import Batch, ImageSet, deal
from lotus.engine.training import Progress
from lotus.errors import LotusError, choices
from lotus.names import composed, look_alikes

ENTRY_POINTS = "lotus.methods"
NO_METHODS = frozenset({"base", "checks", "plugins"})
"""Modules of this folder that are none."""


def _no_untrained() -> nn.Module:
    raise LotusError("this task has no untrained network to offer")


@dataclass(frozen=True)
class Task:
    """Everything a method may use.

    Attributes:
        original: the trained model, in eval mode on the device; to be read, never changed.
        forget, retain: training images to forget and to keep.
        val: held-out images that are neither trained nor tested on, or synthetic ones in their place.
        num_classes: number of outputs.
        class_forgetting: the forget set is a whole class.
        generator: the only source of randomness; lies on the device.
        progress: to be called after each epoch.
        untrained: makes a network like the original, with fresh weights, on the device (M7: of timm's
            ViT-B/16 the head alone is fresh, the body pretrained).
        preparing: what happens inside `with task.preparing():` counts as preparation, not unlearning.
        protocol: which behaviours of the published code are on; see `released`.

    """

    original: nn.Module
    forget: ImageSet
    retain: ImageSet
    val: ImageSet
    num_classes: int
    class_forgetting: bool
    generator: torch.Generator
    progress: Progress
    untrained: Callable[[], nn.Module] = _no_untrained
    preparing: Callable[[], AbstractContextManager[None]] = nullcontext
    protocol: Switches = CORRECTED

    def student(self) -> nn.Module:
        """A fresh copy of the original model, to be changed."""
        return copy.deepcopy(self.original)

    def released(self, switch: str) -> bool:
        """Whether the behaviour `switch` of the published code is on."""
        return self.protocol.has(switch)

    def shuffled(self, images: ImageSet, batch_size: int) -> Iterator[Batch]:
        """One pass over `images` in random order, freshly augmented."""
        return images.shuffled(batch_size, self.generator, self.released("T2"))

    def deal(self, count: int, batch_size: int) -> Sequence[torch.Tensor]:
        """Positions of `count` things in random order, in batches (`lotus.data.batches.deal`)."""
        return deal(count, batch_size, self.generator, self.released("T2"))


class Method(Protocol):
    """What `register` wants of a class."""

    def unlearn(self, task: Task) -> nn.Module:
        """The unlearned model, in the mode in which the work leaves it (of consequence under E1)."""


def sgd_or_adam(
    kind: Literal["sgd", "adam"],
    model: nn.Module,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """An optimizer over all parameters; `momentum` is SGD's."""
    if kind == "adam":
        return torch.optim.Adam(model.parameters(), lr, weight_decay=weight_decay)
    return torch.optim.SGD(model.parameters(), lr, momentum, weight_decay=weight_decay)


Constants = Mapping[str, Mapping[str, Any]]
Deals = Callable[[Any, Switches, bool], Collection[str]]
"""Method, protocol, whether a class is forgotten → the image sets of `Entry.deals_alone`."""
SETS = frozenset({"forget", "retain", "val"})


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

    """

    cls: type[Method]
    released: Constants
    alone: frozenset[str] = frozenset()
    deals: Deals | None = None

    def deals_alone(
        self, method: Method, protocol: Switches = CORRECTED, class_forgetting: bool = False
    ) -> frozenset[str]:
        """As `alone`, for these hyper-parameters, this protocol and this kind of forget set."""
        if self.deals is None:
            return self.alone
        return frozenset(self.deals(method, protocol, class_forgetting))

    @property
    def switches(self) -> frozenset[str]:
        """Switches that can change this method's weights on any data; T2 (batches) is one of all."""
        return (frozenset(self.released) & of_stage("method")) | {"T2"}

    @property
    def own_switches(self) -> frozenset[str]:
        """Switches that exchange the method's own defaults for the published code's constants."""
        return frozenset(switch for switch, values in self.released.items() if values)


RESERVED = frozenset({"method", "calibration"})
"""Keys of a row of the configuration that are no hyper-parameters."""
M = TypeVar("M", bound=type)
_registry: dict[str, Entry] = {}


def register(
    name: str,
    released: Constants = MappingProxyType({}),
    alone: Collection[str] | Deals = (),
) -> Callable[[M], M]:
    """Makes a frozen dataclass known as method `name`; `released` and `alone` as in `Entry`.

    Args:
        alone: the sets themselves, or a function of the method, the protocol and whether a class is
            forgotten, where they depend on these.

    Raises:
        LotusError: the class is no frozen dataclass with `unlearn`, the name is taken, or `alone` names
            another set than forget, retain or val.

    """
    if (
        not isinstance(name, str)
        or not name.strip()
        or name != name.strip()
        or not name.isprintable()
    ):
        raise LotusError(
            f"register({name!r}): a method needs a name to be called by: @register('my-method')"
        )
    name = composed(name)
    if unknown := released.keys() - REGISTER.keys():
        raise LotusError(
            f"method '{name}': released: {', '.join(map(repr, unknown))}: no switch of `lotus protocols`"
        )

    def add(cls: M) -> M:
        _check(name, cls)
        cls.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[attr-defined]
        deals = alone if callable(alone) else None
        _registry[name] = Entry(cls, released, _sets(name, cls, alone), deals)
        return cls

    return add


def _sets(name: str, cls: type, alone: Collection[str] | Deals) -> frozenset[str]:
    """What is declared of a method with its defaults; of one that has no default for a field, nothing."""
    if callable(alone):
        if any(f.default is f.default_factory is MISSING for f in fields(cls)):
            return frozenset()
        alone = alone(cls(), CORRECTED, False)
    if isinstance(alone, str) or not SETS.issuperset(alone):
        raise LotusError(
            f"method '{name}': alone = {alone!r}: accepted are {', '.join(sorted(SETS))}, as in "
            "alone=('forget',)"
        )
    return frozenset(alone)


def _check(name: str, cls: type) -> None:
    """What is registered must be a method, under a name of its own."""
    frozen = is_dataclass(cls) and cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    if not frozen or not _takes_a_task(getattr(cls, "unlearn", None)):
        raise LotusError(
            f"method '{name}': {cls.__module__}.{cls.__qualname__} must be a frozen dataclass with a "
            "function unlearn(self, task)"
        )
    if reserved := RESERVED & {field.name for field in fields(cls)}:
        raise LotusError(
            f"method '{name}': {cls.__module__}.{cls.__qualname__} has a field `{min(reserved)}`, a key "
            "of every row of the configuration; call it otherwise"
        )
    ours = f"{methods.__name__}.{name.replace('-', '_')}"
    owner = ours if name in _own() else None
    if name in _registry:
        owner = _registry[name].cls.__module__
    if owner not in (None, cls.__module__):
        raise LotusError(
            f"method '{name}' of {cls.__module__}: {owner} has this name; take another"
        )
    known = _registry.get(name)
    if known is not None and known.cls is not cls and _are_of_one_text(known.cls, cls):
        raise LotusError(
            f"method '{name}': {cls.__module__} registers two classes by this name, "
            f"{known.cls.__qualname__} and {cls.__qualname__}; give one another"
        )
    if not cls.__module__.startswith(f"{methods.__name__}."):
        for pair in look_alikes([*available(), name]):
            if name in (pair.first, pair.second):
                raise LotusError(f"method '{name}' of {cls.__module__}: {pair}; take another name")


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
    before = dict(_registry)
    try:
        yield frozenset(before)
    except BaseException:
        _registry.clear()
        _registry.update(before)
        raise


def registered() -> frozenset[str]:
    """Names of the methods whose modules are loaded."""
    return frozenset(_registry)


def check_fields(name: str) -> None:
    """Looks at the fields of a registered method.

    Raises:
        LotusError: a type cannot be read from a configuration, or a default is not of its type.

    """
    cls = _registry[name].cls
    where = f"method '{name}': {cls.__module__}.{cls.__qualname__}"
    given: dict[str, Any] = {}
    try:
        for field in fields(cls):  # type: ignore[arg-type]
            if field.default is not MISSING:
                given[field.name] = field.default
            elif field.default_factory is not MISSING:
                given[field.name] = field.default_factory()
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
            f"{where}: its fields cannot be read: {type(error).__name__}: {said}; accepted are fields of "
            "numbers, texts, true or false, and tuples of these"
        ) from error


def module_of(name: str) -> str:
    """Module that defines method `name`, without importing it if it is one of ours.

    Raises:
        LotusError: there is no such method.

    """
    name = composed(name)
    if name in _registry:
        return _registry[name].cls.__module__
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
    return tuple(sorted(_own() | set(_entry_points()) | set(_registry)))


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
    if name not in _registry:
        entry = _entry_points().get(name)
        if entry is not None and entry.attr:
            register(name)(entry.load())
    if name not in _registry:
        raise LotusError(f"{module}: registers no method '{name}'")
    return _registry[name]


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


@dataclass(frozen=True)
class Described:
    """What the docstring of a method says: its first line, and the paragraphs `Loss:`, `Reads:`, ….

    Attributes:
        idea: one line.
        loss, reads, source, not_for: empty where the docstring has no such paragraph.

    """

    idea: str
    loss: str
    reads: str
    source: str
    not_for: str


def describe(name: str) -> Described:
    """What method `name` says of itself."""
    cls = method_class(name)
    text = inspect.cleandoc(cls.__doc__ or "")
    # What a dataclass writes by itself where there is nothing.
    if text.startswith(f"{cls.__name__}("):
        text = ""
    idea, _, rest = text.partition("\n")
    parts = dict(re.findall(r"^(Loss|Reads|Source|Not for): (.+?)(?=\n\S|\Z)", rest, re.M | re.S))
    joined = {key: " ".join(value.split()) for key, value in parts.items()}
    wanted = ("Loss", "Reads", "Source", "Not for")
    return Described(idea, *(joined.get(key, "") for key in wanted))


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
            what += f" (the class has `{key}` without a type, so it is no field: write `{key}: float = …`)"
    else:
        what = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return key, given.get(key), what


def lone_image(
    name: str,
    method: Method,
    counts: Mapping[str, int],
    protocol: Switches = CORRECTED,
    class_forgetting: bool = False,
) -> str | None:
    """The first image set of which the method makes a batch of one image to train on; None: of none.

    Says what the declaration `alone` of the method says; what it does is found out when it runs.

    Args:
        name: that it is registered under.
        counts: images of `forget`, `retain`, `val`; sets that are not named are passed over.

    """
    given = hyperparameters(method)
    if any(given.get(key) == 0 for key in ("epochs", "rounds")):
        return None
    for each in sorted(entry_of(name).deals_alone(method, protocol, class_forgetting)):
        batch_size = given.get(f"{each}_batch_size", given.get("batch_size"))
        if each in counts and has_single(counts[each], batch_size, protocol.has("T2")):
            return each
    return None


def has_single(count: int, batch_size: int | None, keep_partial: bool) -> bool:
    """Whether dealing so many images (`lotus.data.batches.deal`) makes a batch of one image.

    Args:
        batch_size: None: not known; then only a single image is one.

    """
    if count < 1 or batch_size is None:
        return count == 1
    if keep_partial:
        return batch_size == 1 or count % batch_size == 1
    return count // -(-count // batch_size) == 1


def hyperparameters(method: Method) -> dict[str, Any]:
    """All fields of a method with their values."""
    return asdict(method)  # type: ignore[call-overload, no-any-return]
