"""A mistake in a configuration as one line: file, line, key, value, and what is accepted."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from lotus.config.architectures import (
    CheckpointFile,
    OwnNetwork,
    ResNet18,
    TimmNetwork,
    TorchvisionNetwork,
    TorchvisionViTB16,
    Training,
    ViT,
    ViTB16,
    WeightsFile,
)
from lotus.config.fields import Section
from lotus.config.grid import Block
from lotus.config.images import Affine, Augmentation, ColourJitter, Dataset, StoreOptions
from lotus.config.origins import Origin
from lotus.config.overrides import Chosen, Override, Where
from lotus.config.power import Power
from lotus.config.privacy import Privacy
from lotus.config.scenarios import Scenario
from lotus.config.seeds import SeedApart
from lotus.config.settings import Data, Settings
from lotus.config.tuning import Tuning
from lotus.errors import LotusError, choices
from lotus.names import shown

T = TypeVar("T")
LONGEST = 200
"""Characters of a key or a value that a message shows."""


def check(kind: type[T] | TypeAdapter[T], content: Mapping[str, Any], place: str) -> T:
    """Validates one section that was given elsewhere than in a file, as in `--scenario '{…}'`.

    Raises:
        LotusError: one line per mistake, each with `place`, key, value and what is accepted.

    """
    try:
        adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
        return adapter.validate_python(dict(content))
    except ValidationError as error:
        lines = [_explain_section(details, place) for details in mistakes_in(error)]
        raise LotusError("\n".join(lines)) from None


def mistakes_in(error: ValidationError) -> list[ErrorDetails]:
    """Returns what pydantic found, but not that a list is too short whose items are all refused."""
    return [
        details
        for details in error.errors()
        if details["type"] != "too_short" or not details["input"]
    ]


def _explain_section(details: ErrorDetails, place: str) -> str:
    path = [part for part in details["loc"] if part not in _TAGGED]
    where = ".".join(str(part) for part in path)
    if details["type"] == "extra_forbidden":
        return _in_one_line(f"{place}: {where}: unknown key")
    if details["type"] == "union_tag_invalid":
        model, what = _unknown_model(details)
        return _in_one_line(f"{place}: model = {_cut(repr(model))}: {what}")
    message = worded(details["msg"])
    given = "" if isinstance(details["input"], Mapping) else f" = {_cut(repr(details['input']))}"
    return _in_one_line(f"{place}: {where or '(all)'}{given}: {message}")


def complain(origins: Sequence[Origin], path: Sequence[str | int], value: Any, what: str) -> str:
    """`FILE: line N: key.path = value: what is wrong and what is accepted`."""
    place = ".".join(str(part) for part in path) or "(top level)"
    given = "" if value is None else f" = {_cut(repr(value))}"
    return _in_one_line(f"{_place_of(origins, path)}: {place}{given}: {what}")


def _cut(text: str) -> str:
    """The text, of a long one its beginning."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _in_one_line(message: str) -> str:
    """The message without line ends, of long names and values in it their beginnings."""
    return re.sub(rf"\S{{{LONGEST},}}", lambda found: _cut(found[0]), shown(message))


def _place_of(origins: Sequence[Origin], path: Sequence[str | int]) -> str:
    """The last origin that holds the longest part of `path`, and the line of that part.

    A key that stands nowhere is missing in the last file, rather than in the command line.
    """
    if not origins:
        return "configuration"
    files = [origin for origin in origins if origin.lines] or origins
    found, deepest = files[-1], 0
    for origin in reversed(origins):
        depth, is_whole = _depth(origin.content, path)
        if depth > deepest:
            found, deepest = origin, depth
        # Only mappings are merged: what stands in earlier files at this place has no effect.
        if is_whole:
            break
    line = found.lines.get(tuple(path[:deepest]))
    return found.name if line is None else f"{found.name}: line {line}"


def _depth(node: Any, path: Sequence[str | int]) -> tuple[int, bool]:
    """How many parts of a path are held, and whether the last of them is in place of all before it."""
    for level, key in enumerate(path):
        if not isinstance(node, Mapping):
            is_held = _holds(node, key)
            return (level + 1 + _depth(node[key], path[level + 1 :])[0] if is_held else level), True
        if not _holds(node, key):
            return level, False
        node = node[key]
    return len(path), not isinstance(node, Mapping)


def explain(details: ErrorDetails, content: Mapping[str, Any], origins: Sequence[Origin]) -> str:
    """One mistake that pydantic found in a merged configuration, as one line."""
    path, section = _locate(details["loc"], content)
    kind, value, message = details["type"], details["input"], details["msg"]
    if kind == "extra_forbidden":
        what, value = f"unknown key; {choices(str(path[-1]), section.model_fields)}", None
    elif kind == "missing":
        field = section.model_fields.get(str(path[-1]))
        said = field.description if field is not None else None
        what, value = f"is required: {said or 'see config/schema.json'}", None
    elif kind == "string_pattern_mismatch":
        what = (
            "accepted: 'any' or a sha256, 64 hexadecimal digits"
            if path[-1] == "content"
            else "accepted: lower-case letters, digits, '-' and '.'"
        )
    elif kind == "union_tag_not_found":
        what, value = f"needs the key 'model'; accepted: {', '.join(map(str, _MODELS))}", None
    elif kind == "union_tag_invalid":
        path = [*path, "model"]
        value, what = _unknown_model(details)
    elif kind in ("string_type", "invalid_key") and not isinstance(value, Mapping | list):
        what = f"must be text, but YAML reads {_kind_in_words(value)} here: write it in quotes"
        value = None if details["loc"][-1:] == ("[key]",) else value
    else:
        what = worded(message)
        value = None if isinstance(value, Mapping) else value
    return complain(origins, path, value, what)


def _unknown_model(details: ErrorDetails) -> tuple[Any, str]:
    """Returns what stands as the `model` of an architecture, and what is accepted in its place."""
    model = details["input"]["model"]
    return model, choices(str(model), map(str, _MODELS))


def worded(message: str) -> str:
    """Returns a message of pydantic's in the words of a configuration file."""
    words = {
        "Value error, ": "",
        "Input should be": "must be",
        "a valid tuple": "a list",
        "a valid list": "a list",
        "a valid dictionary": "a mapping",
        "String should have at least 1 character": "must not be empty",
        "Tuple should have": "must have",
        "List should have": "must have",
        "Dictionary should have": "must have",
        " after validation, not 0": "",
    }
    for said, plain in words.items():
        message = message.replace(said, plain)
    return message


def _kind_in_words(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", date: "a date"}
    kinds |= {datetime: "a date", type(None): "nothing"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def _locate(
    loc: Sequence[str | int], content: Mapping[str, Any]
) -> tuple[list[str | int], type[BaseModel]]:
    """The path in the file (pydantic adds union tags and `[key]`) and the section it ends in."""
    path: list[str | int] = []
    section: type[BaseModel] = Settings
    node: Any = content
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        if part == "[key]":
            continue
        if not _holds(node, part) and (not last or part in _TAGGED):
            section = _TAGGED.get(part, section)
            continue
        path.append(part)
        if last:
            break
        section = _section_below(section, str(part))
        node = node[part]
    return path, section


def _holds(node: Any, part: str | int) -> bool:
    if isinstance(node, Mapping):
        return part in node
    return isinstance(node, list | tuple) and isinstance(part, int) and part < len(node)


_MODELS: dict[str | int, type[BaseModel]] = {
    "resnet18": ResNet18,
    "vit": ViT,
    "vit-b16": ViTB16,
    "torchvision-vit-b16": TorchvisionViTB16,
    "timm": TimmNetwork,
    "torchvision": TorchvisionNetwork,
    "plugin": OwnNetwork,
}
# Parts of pydantic's paths that are no keys of the file.
_TAGGED: dict[str | int, type[BaseModel]] = {
    **_MODELS,
    "weights-file": WeightsFile,
    "weights-name": Section,
}
_BELOW: dict[str, type[BaseModel]] = {
    "checkpoint": CheckpointFile,
    "weights": WeightsFile,
    "data": Data,
    "datasets": Dataset,
    "store": StoreOptions,
    "augmentation": Augmentation,
    "affine": Affine,
    "colour_jitter": ColourJitter,
    "scenarios": Scenario,
    "seeds_apart": SeedApart,
    "grid": Block,
    "overrides": Override,
    "where": Where,
    "training": Training,
    "tuning": Tuning,
    "power": Power,
    "privacy": Privacy,
    "tuned": Chosen,
}


def _section_below(section: type[BaseModel], key: str) -> type[BaseModel]:
    return _BELOW.get(key, section) if key in section.model_fields else section
