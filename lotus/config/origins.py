"""The files and the command line that a configuration is merged from."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.formats.yaml_text import Place, parse, read_yaml
from lotus.names import shown

DEFAULT_CONFIG = Path("config/fashion-mini.yaml")
"""What is run where no configuration is named."""


@dataclass(frozen=True)
class Origin:
    """One of the files (or the command line) that a configuration was merged from.

    Attributes:
        lines: place of a value → its line, where there are lines.

    """

    name: str
    content: Mapping[str, Any]
    lines: Mapping[Place, int] = field(default_factory=dict)


def read_origin(path: Path) -> Origin:
    """Reads one YAML file.

    Raises:
        LotusError: absent, not a mapping, or as `read_yaml` says.

    """
    text = read_yaml(path)
    if text.content is None:
        raise LotusError(f"{shown(path)}: is empty; it must be a mapping of settings")
    if not isinstance(text.content, dict):
        what = type(text.content).__name__
        raise LotusError(f"{shown(path)}: must be a mapping of settings, not {what}")
    return Origin(shown(path), text.content, text.lines)


def with_bases(files: Sequence[Path]) -> dict[Path, Origin]:
    """Returns the files with those that they are based on (`based_on`) before them, and what they hold.

    Raises:
        LotusError: a file cannot be read, or what it is based on is no file beside it, or is based on it.

    """
    found: dict[Path, Origin] = {}
    for path in files:
        found |= {of: it for of, it in _with_base(path, ()).items() if of not in found}
    return found


def _with_base(path: Path, above: tuple[Path, ...]) -> dict[Path, Origin]:
    origin = read_origin(path)
    base = origin.content.get("based_on")
    # Of another type: told with all other mistakes, once the files are merged.
    if not isinstance(base, str):
        return {path: origin}
    where = f"{origin.name}: line {origin.lines.get(('based_on',), 1)}: based_on = '{shown(base[:200])}'"
    # Beside it: a stranger's configuration shall not have any file read.
    if not base or Path(base).name != base:
        raise LotusError(f"{where}: must be the name of a file in the same folder")
    found = path.with_name(base)
    if found in (*above, path):
        raise LotusError(f"{where}: that file is itself based on {shown(path)}")
    if not os.path.isfile(found):
        raise LotusError(f"{where}: there is no such file in {shown(path.parent)}")
    return {**_with_base(found, (*above, path)), path: origin}


def typed(value: Any) -> Any:
    """A value of Snakemake's `--config`, which leaves what is inside lists and mappings as text.

    `seeds=[3407]` means a number; texts become what YAML reads in them.

    Raises:
        LotusError: a text is not YAML, or YAML reads it otherwise than it is meant.

    """
    if isinstance(value, Mapping):
        return {key: typed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [typed(part) for part in value]
    return parse(value, "--config").content if isinstance(value, str) and value else value
