"""YAML as people write it: each mistake with its line, no value dropped or read as another."""

import re
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lotus.errors import LotusError
from lotus.formats.json_text import read_file
from lotus.formats.utf8 import NotUtf8Error, decode
from lotus.names import composed, shown

Place = tuple[str | int, ...]
"""Keys and positions from the top of a text down to a value."""

MOST_VALUES = 1_000_000
"""Values that a text may come to; aliases of aliases multiply without end."""

MERGE = "tag:yaml.org,2002:merge"
OCTAL = re.compile(r"[-+]?0[0-7_]+")
SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


@dataclass(frozen=True)
class Text:
    """The content of a YAML text, and the line of each value.

    Attributes:
        content: the value.
        lines: place → line on which its key (in a list: its value) begins, from 1.

    """

    content: Any
    lines: Mapping[Place, int] = field(default_factory=dict)


def read_yaml(path: Path) -> Text:
    """Reads a YAML file in UTF-8.

    Raises:
        LotusError: absent, in another encoding, not YAML, or as `parse` says; names file and line.

    """
    try:
        data = read_file(path)
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    return parse(_decoded(data, shown(path)), shown(path))


def _decoded(data: bytes, name: str) -> str:
    """Text of a file's bytes, which must be UTF-8; a byte order mark is no part of it.

    Raises:
        LotusError: it is in another encoding; names the line.

    """
    try:
        return decode(data)
    except NotUtf8Error as error:
        if error.line is None:
            raise LotusError(f"{name}: is in UTF-16, not in UTF-8; save it as UTF-8") from error
        raise LotusError(
            f"{name}: line {error.line}: is not UTF-8 (byte 0x{error.byte:02x}); save it as UTF-8"
        ) from error


def parse(text: str, name: str) -> Text:
    """Reads YAML.

    Numbers with a leading zero (octal in YAML 1.1, decimal in 1.2) and with colons (of base 60 in 1.1) are
    refused, since writers mean another value.

    Args:
        name: of the file or option, for the messages.

    Raises:
        LotusError: it is not YAML, a key stands twice, a number is read otherwise than it is meant, or it
            is nested or repeated without end; names line, key and value.

    """
    loader = None
    try:
        loader = _Loader(text)
        loader.where, loader.starts = name, [it.end() for it in re.finditer(r"\r\n|\r|\n", text)]
        node = loader.get_single_node()
        if node is None:
            return Text(None)
        lines: dict[Place, int] = {}
        _count(loader, node, {})
        _note_lines(loader, node, (), lines)
        return Text(loader.construct_document(node), lines)
    except RecursionError as error:
        raise LotusError(f"{name}: is nested too deeply") from error
    except yaml.reader.ReaderError as error:
        line = len(re.findall(r"\r\n|\r|\n", text[: error.position])) + 1
        raise LotusError(
            f"{name}: line {line}: the character U+{ord(text[error.position]):04X} is not allowed"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {loader.line_at(mark)}: " if loader is not None and mark is not None else ""
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise LotusError(f"{name}: {place}this is not valid YAML: {said}") from error
    finally:
        if loader is not None:
            loader.dispose()


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, with the refusals that `parse` names."""

    where = ""
    starts: Sequence[int] = ()

    def line_at(self, mark: yaml.Mark) -> int:
        """Line of a place as an editor counts it; YAML takes more characters for line ends."""
        return bisect_right(self.starts, mark.index) + 1

    def refuse(self, node: yaml.Node, what: str) -> LotusError:
        """The error for a node."""
        return LotusError(f"{self.where}: line {self.line_at(node.start_mark)}: {what}")

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, each of whose keys stands once; keys of `<<` are defaults and may be repeated."""
        first: dict[Any, yaml.Node] = {}
        # What is only marked as one PyYAML refuses below.
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        for key_node, _ in pairs:
            if key_node.tag == MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise self.refuse(
                    key_node, "a list or mapping stands where a key is expected; accepted: a name"
                )
            name = composed(key) if isinstance(key, str) else key
            if name in first:
                before = self.line_at(first[name].start_mark)
                raise self.refuse(
                    key_node,
                    f"{key!r} occurs twice (first on line {before}); each key may be given once",
                )
            first[name] = key_node
        return super().construct_mapping(node, deep)


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = node.value
    if OCTAL.fullmatch(text):
        plain = re.sub(r"^([-+]?)0+(?=\d)", r"\1", text.replace("_", ""))
        what = (
            f"{text}: a number with a leading zero; write {plain}, or '{text}' in quotes for a text"
        )
        raise loader.refuse(node, what)
    _refuse_base_60(loader, node)
    return int(loader.construct_yaml_int(node))


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    _refuse_base_60(loader, node)
    return float(loader.construct_yaml_float(node))


def _refuse_base_60(loader: _Loader, node: yaml.ScalarNode) -> None:
    if SEXAGESIMAL.fullmatch(node.value):
        what = f"{node.value}: YAML reads it as a number of base 60; write '{node.value}' in quotes"
        raise loader.refuse(node, what)


def _construct_text(loader: _Loader, node: yaml.ScalarNode) -> str:
    """A text; two escapes for the halves of one character, as JSON writes them, are that character."""
    text = str(loader.construct_scalar(node))
    if text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise loader.refuse(node, f"{text!r} has half of a character") from error


def _readable(construct: Callable[[_Loader, yaml.ScalarNode], Any]) -> Callable[..., Any]:
    """The same with a place where the value cannot be read: PyYAML gives Python's own error."""

    def tried(loader: _Loader, node: yaml.ScalarNode) -> Any:
        try:
            return construct(loader, node)
        except (ValueError, OverflowError, AttributeError, TypeError) as error:
            raise loader.refuse(node, f"{_short(node)!r} cannot be read: {error}") from error
        except LookupError as error:
            # PyYAML looks a value up, or at its first character, without a look whether there is one.
            kind = node.tag.rpartition(":")[2]
            raise loader.refuse(
                node, f"{_short(node)!r} is marked as !!{kind}, and is none"
            ) from error

    return tried


def _short(node: yaml.ScalarNode) -> str:
    return node.value if len(node.value) < 40 else f"{node.value[:20]}…"


for _tag, _construct in {
    "bool": _Loader.construct_yaml_bool,
    "int": _construct_int,
    "float": _construct_float,
    "str": _construct_text,
    "timestamp": _Loader.construct_yaml_timestamp,
}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _readable(_construct))


def _count(loader: _Loader, node: yaml.Node, seen: dict[int, int]) -> int:
    """Values below a node, each alias counted again.

    Raises:
        LotusError: too many, or the node is a part of itself.

    """
    if id(node) in seen:
        if seen[id(node)] < 0:
            raise loader.refuse(node, "an alias stands within the value that it names")
        return seen[id(node)]
    seen[id(node)] = -1
    parts: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        parts = list(node.value)
    elif isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    total = 1 + sum(_count(loader, part, seen) for part in parts)
    if total > MOST_VALUES:
        raise loader.refuse(node, f"aliases come to more than {MOST_VALUES:,} values")
    seen[id(node)] = total
    return total


def _note_lines(loader: _Loader, node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        # Keys of `<<` first, since the mapping's own take their place.
        for key, value in sorted(node.value, key=lambda pair: pair[0].tag != MERGE):
            if key.tag == MERGE:
                merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for defaults in merged:
                    _note_lines(loader, defaults, place, lines)
                continue
            is_plain = isinstance(key, yaml.ScalarNode)
            here = (*place, loader.construct_object(key, deep=True) if is_plain else "")
            lines[here] = loader.line_at(key.start_mark)
            _note_lines(loader, value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            here = (*place, position)
            lines[here] = loader.line_at(value.start_mark)
            _note_lines(loader, value, here, lines)
