"""Reading the records back: which run stands behind a number."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.names import shown


@dataclass(frozen=True)
class RunRecord:
    """The record of one model, and where it lies."""

    path: Path
    content: Mapping[str, Any]

    @property
    def anchor(self) -> str:
        """Name of the run on the report's page."""
        return "run-" + "-".join(self.path.parent.parts[1:]).replace(".", "-")

    @property
    def about(self) -> Mapping[str, Any]:
        """Data set, architecture, scenario, row, seed, protocol."""
        about: Mapping[str, Any] = self.content["about"]
        return about


def read_record(path: Path) -> dict[str, Any]:
    """Any record.

    Raises:
        LotusError: absent or damaged.

    """
    try:
        content = parse_json(read_file(path))
    except OSError as error:
        raise LotusError(f"{shown(path)}: record cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LotusError(f"{shown(path)}: damaged record: {error}") from error
    if not isinstance(content, dict):
        raise LotusError(f"{shown(path)}: damaged record: not a mapping")
    return content


def read_runs(folders: Sequence[Path]) -> list[RunRecord]:
    """Records of runs, in the order given.

    Raises:
        LotusError: a run has no record, so it is not finished.

    """
    return [RunRecord(folder / "run.json", read_record(folder / "run.json")) for folder in folders]


def distinct(runs: Sequence[RunRecord], key: str) -> list[tuple[dict[str, Any], int]]:
    """The different values of one part of the records, each with the number of runs that have it."""
    seen: dict[str, int] = {}
    for run in runs:
        text = json.dumps(run.content[key], sort_keys=True)
        seen[text] = seen.get(text, 0) + 1
    return [(json.loads(text), count) for text, count in seen.items()]
