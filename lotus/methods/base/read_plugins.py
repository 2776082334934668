"""Methods of plug-ins, read in their sources without running a line of them.

What inspects results of somebody else (`lotus audit`, `lotus check-config`, …) must not run that person's
code. What a source says plainly is read: the names that are registered, the fields and those of their
defaults that are written out, and the published constants. What it computes cannot be known so.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus.names import composed
from lotus.plugin_files import folders_of, modules_of
from lotus.records.code_identity import reach
from lotus.records.syntax import parse
from lotus.surroundings import PACKAGE


@dataclass(frozen=True)
class ReadMethod:
    """A method as its source says it is.

    Attributes:
        module: that registers it.
        defaults: field → default, of the fields whose default is written out.
        others: names of the fields without a default, or with one that is computed.
        released: as in `registry.Entry`; empty where it is computed.
        is_whole: whether these are all fields: a class that inherits may have more.

    """

    module: str
    defaults: Mapping[str, Any]
    others: frozenset[str]
    released: Mapping[str, Mapping[str, Any]]
    is_whole: bool


def read_methods(plugins: Sequence[str]) -> dict[str, ReadMethod]:
    """Returns the methods that plug-ins, and the modules that they import, register: name → method.

    A plug-in that is not there, or that Python cannot parse, registers none.
    """
    found: dict[str, ReadMethod] = {}
    texts = reach(*modules_of(plugins), folders=folders_of(plugins)).texts if plugins else {}
    for module, text in texts.items():
        tree = None if module.partition(".")[0] == PACKAGE else parse(text)
        if tree is not None:
            found |= _registered(module, tree)
    return found


def _registered(module: str, tree: ast.Module) -> dict[str, ReadMethod]:
    found: dict[str, ReadMethod] = {}
    called = {"register"} | {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == "register" and alias.asname
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in called:
                    if (method := _name_of(decorator)) is not None:
                        found[composed(method)] = _read(module, node, decorator)
    return found


def _name_of(call: ast.Call) -> str | None:
    first = [*call.args[:1], *(it.value for it in call.keywords if it.arg == "name")]
    name = _literal(first[0]) if first else None
    return name if isinstance(name, str) else None


def _read(module: str, cls: ast.ClassDef, call: ast.Call) -> ReadMethod:
    defaults: dict[str, Any] = {}
    others: set[str] = set()
    for line in cls.body:
        match line:
            case ast.AnnAssign(target=ast.Name(id=field), value=value):
                default = _COMPUTED if value is None else _literal(value)
                if default is _COMPUTED:
                    others.add(field)
                else:
                    defaults[field] = default
    given = [it.value for it in call.keywords if it.arg == "released"] or call.args[1:2]
    released = _literal(given[0]) if given else {}
    is_whole = not cls.bases and not cls.keywords
    return ReadMethod(module, defaults, frozenset(others), _constants(released), is_whole)


_COMPUTED = object()


def _literal(node: ast.expr) -> Any:
    """Returns the value that is written out, or `_COMPUTED`."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _COMPUTED


def _constants(released: object) -> Mapping[str, Mapping[str, Any]]:
    """Returns switch → constants, without what has another form."""
    if not isinstance(released, Mapping):
        return {}
    return {
        switch: values
        for switch, values in released.items()
        if isinstance(switch, str) and isinstance(values, Mapping)
    }
