"""The files and the command line that a configuration is merged from."""

from collections.abc import Mapping
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
