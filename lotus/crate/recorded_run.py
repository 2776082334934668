"""The recorded run in the concepts of the run-crate profiles: tools, steps, parameters, settings."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lotus import layout
from lotus.crate.files import CrateFile
from lotus.names import without_home
from lotus.records.index import Index
from lotus.records.reading import Record

Scalar = str | int | float | bool

WORKFLOW = "workflow"
"""Takes the place of a kind of step in the parameters of the workflow itself."""
PRODUCTS = {layout.PAGE.parent, layout.CLAIMS, *(layout.RESULTS / name for name in layout.MADE)}
"""What the workflow is run for: files, and folders of files."""


@dataclass(frozen=True, order=True)
class FormalParameter:
    """A formal parameter, as the profiles call it: a place for files or values in steps of one kind.

    Attributes:
        kind: of the step, or `workflow`.
        direction: input, output or setting.
        name: of the parameter.

    """

    kind: str
    direction: str
    name: str

    @property
    def id(self) -> str:
        """Within the crate."""
        return f"#{quote(self.kind)}/{self.direction}/{quote(self.name)}"


@dataclass(frozen=True)
class Setting:
    """A value that a step was run with; steps of the same kind with the same value share it."""

    parameter: FormalParameter
    value: Scalar

    @property
    def id(self) -> str:
        """Within the crate."""
        text = json.dumps(self.value)
        return f"{self.parameter.id}={quote(text) if len(text) <= 40 else short_digest(text)}"


@dataclass(frozen=True)
class Tool:
    """The package as it was when it ran steps of one kind.

    Attributes:
        kind: of the steps.
        package: digest of all its sources.
        versions: Python and the libraries, each with its version.

    """

    kind: str
    package: str
    versions: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """Within the crate."""
        return f"#{quote(self.kind)}/tool/{short_digest([self.package, self.versions])}"


def short_digest(value: Any) -> str:
    """12 digits that stand for a value in an identifier."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def tool_of(record: Record) -> Tool:
    """The tool that ran a step."""
    versions = tuple(sorted(record.content["versions"].items()))
    return Tool(record.kind, record.content["code"]["package"], versions)


def settings_of(record: Record) -> list[Setting]:
    """Returns what a step was run with: its subject, and every resolved parameter that is set."""
    values = {**dict(_leaves("", record.about)), **dict(_leaves("", record.settings))}
    return [
        Setting(FormalParameter(record.kind, "setting", key), value)
        for key, value in values.items()
    ]


def _leaves(above: str, value: Any) -> Iterator[tuple[str, Scalar]]:
    """Leaves of nested mappings by dotted keys; lists as JSON; nothing of what is null."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{above}.{key}" if above else str(key), inner)
    elif isinstance(value, Scalar):
        yield above, without_home(value) if isinstance(value, str) else value
    elif value is not None:
        yield above, without_home(json.dumps(value))


@dataclass(frozen=True)
class RecordedRun:
    """All records of a run, and the files that they name.

    Attributes:
        index: the records.
        files: path → file, of all that the records name, of the records, and of `configuration`.
        configuration: paths of the configuration files.

    """

    index: Index
    files: Mapping[str, CrateFile]
    configuration: Sequence[str]

    @cached_property
    def records(self) -> list[Record]:
        """In order of their paths."""
        return sorted(self.index.records.values(), key=lambda record: record.path)

    @cached_property
    def kinds(self) -> list[str]:
        """All kinds of steps."""
        return sorted({record.kind for record in self.records})

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Kind → place in an order that makes results before they are read; empty if there is none."""
        needs: dict[str, set[str]] = {kind: set() for kind in self.kinds}
        for record in self.records:
            makers = (self.index.producer(path) for path in record.inputs)
            needs[record.kind] |= {maker.kind for maker in makers if maker} - {record.kind}
        ordered = TopologicalSorter({kind: sorted(needed) for kind, needed in needs.items()})
        try:
            return {kind: place for place, kind in enumerate(ordered.static_order())}
        except CycleError:
            return {}

    @cached_property
    def tools(self) -> list[Tool]:
        """All tools."""
        return sorted({tool_of(record) for record in self.records}, key=lambda tool: tool.id)

    @cached_property
    def settings(self) -> list[Setting]:
        """All settings, each once."""
        found = {s.id: s for record in self.records for s in settings_of(record)}
        return [found[identifier] for identifier in sorted(found)]

    @cached_property
    def source_files(self) -> list[str]:
        """Inputs that no recorded step wrote."""
        read = {path for record in self.records for path in record.inputs}
        return sorted(path for path in read if self.index.producer(path) is None)

    @cached_property
    def products(self) -> list[str]:
        """Outputs that the workflow is run for: report, claims, tables and figures."""
        written = {path for record in self.records for path in record.outputs}
        return sorted(path for path in written if PRODUCTS & {Path(path), *Path(path).parents})

    @cached_property
    def parameters_of_files(self) -> Mapping[str, list[FormalParameter]]:
        """Path → the parameters that the file has been in."""
        parameters: defaultdict[str, set[FormalParameter]] = defaultdict(set)
        for record in self.records:
            parameters[record.path].add(FormalParameter(record.kind, "output", "record"))
            for path in record.outputs:
                parameters[path].add(FormalParameter(record.kind, "output", _file_type(path)))
            for path in record.inputs:
                parameters[path].add(
                    FormalParameter(record.kind, "input", self._name_of_input(path))
                )
        for name, paths in (("configuration", self.configuration), ("given", self.source_files)):
            for path in paths:
                parameters[path].add(FormalParameter(WORKFLOW, "input", name))
        for path in self.products:
            parameters[path].add(FormalParameter(WORKFLOW, "output", Path(path).parts[1]))
        return {path: sorted(found) for path, found in parameters.items()}

    def _name_of_input(self, path: str) -> str:
        """Returns what an input is: the kind of step that made it, and its form."""
        maker = self.index.producer(path)
        form = "record" if maker and maker.path == path else _file_type(path)
        return f"{maker.kind if maker else 'given'}.{form}"

    @cached_property
    def parameters(self) -> list[FormalParameter]:
        """All parameters, of files and settings."""
        of_files = {
            parameter
            for parameters in self.parameters_of_files.values()
            for parameter in parameters
        }
        return sorted(of_files | {setting.parameter for setting in self.settings})


def _file_type(path: str) -> str:
    return Path(path).suffix.lstrip(".") or Path(path).name
