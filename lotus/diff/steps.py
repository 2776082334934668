"""The steps behind numbers, on both sides: what differs between them, and which bytes it passes on."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lotus import layout
from lotus.engine.runtime import device_in, stated_in
from lotus.records.index import Index
from lotus.records.reading import Record
from lotus.surroundings import PACKAGE

Kind = Literal["parameter", "protocol", "seed", "data", "code", "environment", "record"]
OF_MACHINE = ("processor", "threads", "system")
"""What a record's `hardware` has, beside device and runtime, that can change numbers."""
STATE = "state"
"""Of a record that cannot be trusted: what is wrong with it."""
DATA = ("store", "held-out", "half", "image-losses", "image-hashes", "forget-set")
"""Kinds of steps whose outputs are the data of an experiment."""


class Difference(NamedTuple):
    """One difference between the two records of a step.

    Attributes:
        what: the parameter, file, module or library; what is wrong with a record.
        old, new: None where a side has none of it. Of files and modules: digests.

    """

    kind: Kind
    what: str
    old: Any
    new: Any


class Key(NamedTuple):
    """A step by the places of its records on both sides."""

    a: str
    b: str


@dataclass(frozen=True)
class ComparedStep:
    """A step that both sides made.

    Attributes:
        kind: of its record: original, gold, unlearned, metrics, …
        row: '' where the step is no model's.
        place: data set, architecture and scenario; '' where they do not apply.
        differences: between its records.
        reads: the steps that made what it read.
        changed_inputs: those of them whose bytes differ.
        same: whether it wrote the same bytes on both sides.

    """

    kind: str
    row: str
    place: tuple[str, ...]
    differences: tuple[Difference, ...]
    reads: tuple[Key, ...]
    changed_inputs: tuple[Key, ...]
    same: bool


def compare_steps(a: Index, b: Index, starts: Iterable[Key]) -> dict[Key, ComparedStep]:
    """Returns the steps at `starts`, and all steps before them."""
    found: dict[Key, ComparedStep] = {}
    queue = [*starts]
    while queue:
        key = queue.pop()
        if key not in found:
            found[key] = _step(key, a, b)
            queue += found[key].reads
    return found


def steps_behind(steps: Mapping[Key, ComparedStep], start: Key) -> set[Key]:
    """Returns a step, and those from which bytes that differ come to it."""
    found: set[Key] = set()
    queue = [start]
    while queue:
        key = queue.pop()
        if key not in found:
            found.add(key)
            queue += steps[key].changed_inputs
    return found


@cache
def place_of(artifact: str) -> str:
    """Returns where the record of a file belongs; '' for a file that no step writes."""
    place = layout.record_of(Path(artifact))
    return place.as_posix() if place is not None else ""


def _step(key: Key, a: Index, b: Index) -> ComparedStep:
    mine, theirs = a.records.get(key.a), b.records.get(key.b)
    about = _about(mine) or _about(theirs)
    place = tuple(str(about.get(name, "")) for name in ("dataset", "architecture", "scenario"))
    kind = next((record.kind for record in (mine, theirs) if record and record.kind), "")
    row = str(about.get("row", ""))
    if mine is None or theirs is None or mine.problem or theirs.problem:
        state = Difference("record", STATE, _state(mine), _state(theirs))
        return ComparedStep(kind, row, place, (state,), (), (), same=False)
    makers = {path: Key(maker, maker) for path in mine.inputs if (maker := _maker(path, a, b))}
    others = [path for path in makers if theirs.inputs.get(path) not in (None, mine.inputs[path])]
    return ComparedStep(
        kind,
        row,
        place,
        differences=tuple(_differences(mine, theirs, a, b)),
        reads=tuple(dict.fromkeys(makers.values())),
        changed_inputs=tuple(dict.fromkeys(makers[path] for path in others)),
        same=mine.outputs == theirs.outputs,
    )


def _about(record: Record | None) -> Mapping[str, Any]:
    about = record.about if record is not None else None
    # That of a record that was edited can be anything.
    return about if isinstance(about, Mapping) else {}


def _state(record: Record | None) -> str:
    return "absent" if record is None else record.problem or "sound"


def _maker(path: str, a: Index, b: Index) -> str | None:
    """The record of the step that wrote a file, if either side has it.

    A record that was read is no way on: it differs with every repetition, by its times.
    """
    place = place_of(path)
    return place if place in a.records or place in b.records else None


def _differences(mine: Record, theirs: Record, a: Index, b: Index) -> Iterator[Difference]:
    if mine.kind != "metrics":
        yield from _settings(mine, theirs)
        yield from _inputs(mine, theirs, a, b)
    if mine.kind in DATA:
        yield from _outputs(mine, theirs)
    yield from _code(mine, theirs)
    yield from _compared("environment", _environment(mine), _environment(theirs))


def _settings(mine: Record, theirs: Record) -> Iterator[Difference]:
    for name in ("protocol", "seed"):
        old, new = mine.about.get(name), theirs.about.get(name)
        if old != new:
            yield Difference("seed" if name == "seed" else "protocol", name, old, new)
    old, new = (
        flat({key: value for key, value in record.settings.items() if key != "protocol"})
        for record in (mine, theirs)
    )
    yield from _compared("parameter", old, new)


def _inputs(mine: Record, theirs: Record, a: Index, b: Index) -> Iterator[Difference]:
    """Files that no step made, and those that only one side read."""
    for path in _changed(mine.inputs, theirs.inputs):
        old, new = mine.inputs.get(path), theirs.inputs.get(path)
        # Lists of raw files name the places of one machine; what was made of them is told by the store.
        if layout.is_record(Path(path)) or Path(path).is_relative_to(layout.RAW):
            continue
        if old is None or new is None or _maker(path, a, b) is None:
            yield Difference("code" if path.endswith(".py") else "data", path, old, new)


def _outputs(mine: Record, theirs: Record) -> Iterator[Difference]:
    """The data that a step made; of a forget set the digest of its indices."""
    if mine.kind == "forget-set":
        old, new = (_digests_of_splits(record) for record in (mine, theirs))
    else:
        old, new = mine.outputs, theirs.outputs
    yield from _compared("data", old, new)


def _digests_of_splits(record: Record) -> Mapping[str, str]:
    digest = record.content.get("notes", {}).get("digest")
    return {path: digest or stated for path, stated in record.outputs.items()}


def _environment(record: Record) -> dict[str, Any]:
    hardware = record.content.get("hardware", {})
    device = device_in(hardware) | {key: hardware[key] for key in OF_MACHINE if key in hardware}
    # Steps without a model have no device and no runtime.
    computing = device | (stated_in(hardware) if "device" in device else {})
    in_words = {key.replace("_", " "): value for key, value in computing.items()}
    return {**record.content.get("versions", {}), **in_words}


def _code(mine: Record, theirs: Record) -> Iterator[Difference]:
    """Modules of other code; the package as a whole where the records know code by other digests."""
    formats = [record.content.get("format") for record in (mine, theirs)]
    if formats[0] != formats[1]:
        what = (
            f"{PACKAGE} (its records of formats {formats[0]} and {formats[1]} cannot be compared)"
        )
        yield Difference("code", what, *formats)
        return
    modules = [record.content["code"].get("modules", {}) for record in (mine, theirs)]
    yield from _compared("code", *modules)


def _compared(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in _changed(old, new):
        yield Difference(kind, key, old.get(key), new.get(key))


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Keys of either that do not have the same value in both, in their order."""
    both = dict.fromkeys(chain(old, new))
    return [key for key in both if old.get(key) != new.get(key)]


def flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings as one mapping: `hyperparameters.alpha` → 4."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        else:
            found[name] = value
    return found


def over_seeds(path: str) -> str:
    """A path with the seeds left open."""
    return re.sub(r"\bseed\d+\b", "seed*", path)
