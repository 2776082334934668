"""Compares a record with the present: its code, its parameters, the files that it read."""

import hashlib
import json
from ast import PyCF_ONLY_AST as ONLY_AST
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.plan.step import ExpectedRecord
from lotus.records.code_identity import identify
from lotus.records.files import as_text
from lotus.records.local_modules import find_module
from lotus.records.reading import Record
from lotus.surroundings import PACKAGE
from lotus.wording import first_of

SAID = 5
"""Names of a list that are given; others are counted."""

OLDER_FORMAT = (
    "an older version of the package made it, so that its code identity cannot be compared"
)
NOT_OF_DIGEST = "the digest of its code is the present one, and it does not state the present"


def code_changes(plugin_folders: tuple[Path, ...] = ()) -> Callable[[Record], str]:
    """Returns a function: a record → which modules are other ones now, in words; else ''.

    The function looks at the same modules once. Present code is that of the project in the present folder,
    if it has code of its own, whichever copy runs. Modules are compared by their syntax
    (`lotus.records.syntax`); a record of an older format states digests of another kind.

    Args:
        plugin_folders: where plug-ins lie, which are read and not imported.

    """
    own = Path.cwd() if Path(PACKAGE, "__init__.py").is_file() else None
    code_of = cache(partial(identify, root=own, folders=plugin_folders))

    def changes(record: Record) -> str:
        if record.is_of_older_format:
            return f"code: {OLDER_FORMAT}"
        recorded = record.content["code"]
        now = code_of(*recorded["entry"])
        changed = _changed(recorded["modules"], now.modules)
        if now.step == recorded["step"]:
            # What it states of its modules is held against its commit, so it has to be true and whole.
            return f"code: {NOT_OF_DIGEST} {first_of(changed, SAID)}" if changed else ""
        broken = [said for name in changed if (said := _no_python(name, own))]
        return f"code: {'; '.join([*broken, f'{first_of(changed, SAID)} changed since'])}"

    return changes


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def _no_python(name: str, root: Path | None) -> str:
    """Returns what is wrong with a module that is no Python; '' of any other."""
    found = find_module(name, root)
    try:
        if found is not None and found.file is not None:
            compile(found.file.read_bytes(), name, "exec", flags=ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        return f"{name} is no Python (line {error.lineno}: {error.msg})"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return f"{name} cannot be read: {error}"
    return ""


def differences(record: Record, expected: ExpectedRecord) -> Iterator[str]:
    """Yields what a step would do otherwise under the present configuration."""
    entered = record.content["code"]["entry"]
    own = [name for name in expected.modules if name.startswith(f"{PACKAGE}.")]
    if passed_by := [name for name in own if name not in entered]:
        yield f"code: states {first_of(entered, SAID)}, and not {first_of(passed_by, SAID)}"
    if expected.settings is not None:
        for key, old, new in changed_values(record.settings, expected.settings):
            yield f"parameters: {key} was {_shown(old)} and is now {_shown(new)}"
    if expected.content is not None:
        yield from _described(record, expected.outputs[0], expected.content)
    if expected.inputs is not None:
        absent = [path for path in expected.inputs if path not in record.inputs]
        if absent:
            yield f"inputs: it was made without {first_of(absent, SAID)}"
        made = [path for path in record.inputs if Path(path).is_relative_to(layout.RESULTS)]
        extra = [path for path in made if path not in expected.inputs]
        if extra:
            yield f"inputs: it was also made with {first_of(extra, SAID)}"
    unstated = [path for path in expected.outputs if path not in record.outputs]
    if unstated:
        yield f"outputs: it does not state {first_of(unstated, SAID)}"


def _described(record: Record, path: str, content: Mapping[str, Any]) -> Iterator[str]:
    """Yields where the configuration is another one than the one that was written down."""
    if record.outputs.get(path) == hashlib.sha256(as_text(content).encode()).hexdigest():
        return
    try:
        before = json.loads(Path(path).read_text(encoding="utf-8"))["settings"]
        keys = [key for key, _, _ in changed_values(before, content["settings"])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        keys = []
    yield f"parameters: the configuration changed: {first_of(keys, SAID) or 'what follows from it'}"


ABSENT = object()
"""In place of a value that one side lacks."""


def changed_values(
    old: Mapping[str, Any], new: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yields key (with dots), old and new value, of nested mappings; `ABSENT` where there is none."""
    for key in dict.fromkeys([*old, *new]):
        before, now = old.get(key, ABSENT), new.get(key, ABSENT)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            yield from changed_values(before, now, f"{above}{key}.")
        elif before != now:
            yield f"{above}{key}", before, now


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else repr(value)
