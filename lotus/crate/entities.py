"""Entities of the Workflow Run RO-Crate profiles (0.5), as JSON-LD.

    record                    CreateAction, and the ControlAction of its step
    kind of record            HowToStep, by the tools (SoftwareApplication) that ran it
    input, output, setting    FormalParameter, of which files and values (PropertyValue) are examples
    all records together      CreateAction of the workflow, OrganizeAction of its engine

The profiles have no term for hardware: the description of an action tells it. Nor is there an agent,
since records do not say who ran a step.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lotus.crate.files import CrateFile
from lotus.crate.project import Citation
from lotus.crate.recorded_run import (
    WORKFLOW,
    FormalParameter,
    RecordedRun,
    Setting,
    Tool,
    settings_of,
    tool_of,
)
from lotus.names import without_home
from lotus.records.reading import Record

Entity = dict[str, Any]

RUN, ENGINE_RUN = "#run", "#engine-run"
ENGINE = "snakemake"
COMPLETED = "http://schema.org/CompletedActionStatus"
BYTE = "https://qudt.org/vocab/unit/BYTE"
MEMORY = {
    "process": "Peak resident memory of the step's process",
    "device": "Peak memory that the step took on its device",
}
"""Quantities of a record's `memory`."""
FORMATS = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".dvc": "application/yaml",
    ".html": "text/html",
    ".json": "application/json",
    ".npy": "application/octet-stream",
    ".npz": "application/zip",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".yaml": "application/yaml",
}
"""Media types; all else is plain text."""


def run_entities(run: RecordedRun, workflow: str) -> Iterator[Entity]:
    """All entities of the run except files.

    Args:
        run: the run.
        workflow: identifier of the workflow.

    """
    yield from (_formal_parameter(parameter, run) for parameter in run.parameters)
    yield from (_property_value(setting) for setting in run.settings)
    yield from (_step(kind, run) for kind in run.kinds)
    yield from (_tool(tool, run) for tool in run.tools)
    libraries = {pair for tool in run.tools for pair in tool.versions}
    yield from (_library(*pair) for pair in sorted(libraries))
    yield from (_quantity(name) for name in MEMORY)
    for record in run.records:
        yield _create_action(record, run)
        yield _control_action(record)
        yield from _memory_entities(record)
    yield _run_action(run, workflow)
    yield from _engine_action(run)


def file_properties(
    file: CrateFile, parameters: Iterable[FormalParameter], noted_at: str
) -> Entity:
    """Properties of a file entity.

    Args:
        file: the file.
        parameters: those that it has been in.
        noted_at: when its size and digest were noted_at (ISO 8601).

    """
    return {
        "name": file.name,
        "sha256": file.sha256,
        "encodingFormat": FORMATS.get(Path(file.path).suffix, "text/plain"),
        "exampleOfWork": refs(parameter.id for parameter in parameters),
        **({} if file.size is None else {"contentSize": str(file.size)}),
        **({"identifier": file.place} if file.place else {}),
        **({} if file.copied else {"alternateName": file.name, "sdDatePublished": noted_at}),
    }


def workflow_properties(run: RecordedRun) -> Entity:
    """Properties of the workflow's entity, beside those of its file."""
    steps = sorted(run.kinds, key=lambda kind: (run.positions.get(kind, 0), kind))
    return {
        "hasPart": refs(tool.id for tool in run.tools),
        "step": refs(_step_id(kind) for kind in steps),
        **_parameters_of(WORKFLOW, run),
    }


def citation_entities(citation: Citation) -> Iterator[Entity]:
    """Licence and authors of the project."""
    yield {
        "@id": licence_id(citation),
        "@type": "CreativeWork",
        "name": citation.licence,
    }
    for identifier, author in zip(author_ids(citation), citation.authors, strict=True):
        names = [author[key] for key in ("given-names", "family-names") if key in author]
        yield {
            "@id": identifier,
            "@type": "Person" if names else "Organization",
            "name": " ".join(names) or author["name"],
        }


def licence_id(citation: Citation) -> str:
    """Its page at SPDX."""
    return f"https://spdx.org/licenses/{citation.licence}"


def author_ids(citation: Citation) -> list[str]:
    """ORCID where it is given, else within the crate."""
    return [
        author.get("orcid", f"#author/{number}")
        for number, author in enumerate(citation.authors, 1)
    ]


def ref(identifier: str) -> dict[str, str]:
    """A reference to an entity."""
    return {"@id": identifier}


def refs(identifiers: Iterable[str]) -> list[dict[str, str]]:
    """References to entities."""
    return [ref(identifier) for identifier in identifiers]


def compact(entity: Entity) -> Entity:
    """The entity as compacted JSON-LD has it: no empty lists, none of a single value."""
    return {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in entity.items()
        if value != []
    }


def action_ids(run: RecordedRun) -> list[str]:
    """Identifiers of what was done: the run and each step."""
    return [RUN, *(_action_id(record) for record in run.records)]


def ended(record: Record) -> str:
    """End of a step, UTC, ISO 8601."""
    end = datetime.fromisoformat(record.started) + timedelta(
        seconds=record.content["time"]["total"]
    )
    return end.isoformat(timespec="milliseconds")


def _formal_parameter(parameter: FormalParameter, run: RecordedRun) -> Entity:
    values = [setting.value for setting in run.settings if setting.parameter == parameter]
    return {
        "@id": parameter.id,
        "@type": "FormalParameter",
        "name": parameter.name,
        "additionalType": _data_type(values) if parameter.direction == "setting" else "File",
    }


def _data_type(values: Iterable[Any]) -> str:
    """The schema.org data type that fits all values."""
    types = {type(value) for value in values}
    if types == {bool}:
        return "Boolean"
    if types == {int}:
        return "Integer"
    return "Float" if types <= {int, float} else "Text"


def _property_value(setting: Setting) -> Entity:
    return {
        "@id": setting.id,
        "@type": "PropertyValue",
        "name": setting.parameter.name,
        "value": setting.value,
        "exampleOfWork": ref(setting.parameter.id),
    }


def _step(kind: str, run: RecordedRun) -> Entity:
    place = run.positions.get(kind)
    return {
        "@id": _step_id(kind),
        "@type": "HowToStep",
        "name": kind,
        "workExample": refs(tool.id for tool in run.tools if tool.kind == kind),
        **({} if place is None else {"position": str(place)}),
    }


def _step_id(kind: str) -> str:
    return f"#{quote(kind)}/step"


def _tool(tool: Tool, run: RecordedRun) -> Entity:
    ran = [record for record in run.records if tool_of(record) == tool]
    entries = sorted({module for record in ran for module in record.content["code"]["entry"]})
    commits = sorted({record.content["code"]["commit"] or "none" for record in ran})
    return {
        "@id": tool.id,
        "@type": "SoftwareApplication",
        "name": f"lotus: {tool.kind}",
        "description": f"Runs {', '.join(entries)}; git commit {', '.join(commits)}. "
        "The version is the digest of the package's sources.",
        "softwareVersion": tool.package,
        "softwareRequirements": refs(_library_id(*pair) for pair in tool.versions),
        **_parameters_of(tool.kind, run),
    }


def _parameters_of(kind: str, run: RecordedRun) -> Entity:
    own = [parameter for parameter in run.parameters if parameter.kind == kind]
    return {
        "input": refs(parameter.id for parameter in own if parameter.direction != "output"),
        "output": refs(parameter.id for parameter in own if parameter.direction == "output"),
    }


def _library(name: str, version: str) -> Entity:
    home = "https://www.python.org/" if name == "python" else f"https://pypi.org/project/{name}/"
    return {
        "@id": _library_id(name, version),
        "@type": "SoftwareApplication",
        "name": name,
        "softwareVersion": version,
        "url": home,
    }


def _library_id(name: str, version: str) -> str:
    return f"#library/{quote(name)}-{quote(version)}"


def _create_action(record: Record, run: RecordedRun) -> Entity:
    settings = [setting.id for setting in settings_of(record)]
    about = ", ".join(f"{key} {value}" for key, value in record.about.items())
    return {
        "@id": _action_id(record),
        "@type": "CreateAction",
        "name": f"{record.kind}: {about}" if about else record.kind,
        "description": without_home(
            f"{record.content['command']}\n{_hardware_in_words(record.content['hardware'])}"
        ),
        "instrument": ref(tool_of(record).id),
        "object": refs([*(run.files[path].id for path in record.inputs), *settings]),
        "result": refs(run.files[path].id for path in (*record.outputs, record.path)),
        "startTime": record.started,
        "endTime": ended(record),
        "actionStatus": COMPLETED,
        "resourceUsage": refs(_usage_id(record, name) for name in _memory_taken(record)),
    }


def _action_id(record: Record) -> str:
    return f"#run/{quote(record.path)}"


def _hardware_in_words(found: Mapping[str, Any]) -> str:
    return "; ".join(f"{key} {value}" for key, value in found.items() if value is not None)


def _control_action(record: Record) -> Entity:
    return {
        "@id": _control_id(record),
        "@type": "ControlAction",
        "name": f"step {record.kind}",
        "instrument": ref(_step_id(record.kind)),
        "object": ref(_action_id(record)),
        "actionStatus": COMPLETED,
    }


def _control_id(record: Record) -> str:
    return f"#step/{quote(record.path)}"


def _memory_taken(record: Record) -> Mapping[str, int]:
    memory: Mapping[str, int] = record.content["memory"]
    return {name: memory[name] for name in MEMORY if memory.get(name)}


def _memory_entities(record: Record) -> Iterator[Entity]:
    for name, taken in _memory_taken(record).items():
        yield {
            "@id": _usage_id(record, name),
            "@type": "PropertyValue",
            "name": f"memory.{name}",
            "propertyID": ref(_quantity_id(name)),
            "unitCode": BYTE,
            "value": taken,
        }


def _usage_id(record: Record, name: str) -> str:
    return f"#memory/{name}/{quote(record.path)}"


def _quantity(name: str) -> Entity:
    return {
        "@id": _quantity_id(name),
        "@type": "DefinedTerm",
        "name": f"memory.{name}",
        "description": MEMORY[name],
    }


def _quantity_id(name: str) -> str:
    return f"#quantity/memory.{name}"


def _start_and_end(run: RecordedRun) -> Entity:
    return {
        "startTime": min(record.started for record in run.records),
        "endTime": max(ended(record) for record in run.records),
        "actionStatus": COMPLETED,
    }


def _run_action(run: RecordedRun, workflow: str) -> Entity:
    read = [*run.configuration, *run.source_files]
    return {
        "@id": RUN,
        "@type": "CreateAction",
        "name": "Run of the workflow",
        "description": f"{len(run.records)} steps, from the first start to the last end.",
        "instrument": ref(workflow),
        "object": refs(run.files[path].id for path in read),
        "result": refs(run.files[path].id for path in run.products),
        **_start_and_end(run),
    }


def _engine_action(run: RecordedRun) -> Iterator[Entity]:
    """The engine's action; and the engine, where no record knows its version."""
    known = {pair for tool in run.tools for pair in tool.versions if pair[0] == ENGINE}
    engines = [_library_id(*pair) for pair in sorted(known)]
    if not engines:
        engines = [f"#{ENGINE}"]
        yield {"@id": engines[0], "@type": "SoftwareApplication", "name": ENGINE}
    yield {
        "@id": ENGINE_RUN,
        "@type": "OrganizeAction",
        "name": f"Run of {ENGINE}",
        "instrument": refs(engines),
        "object": refs(_control_id(record) for record in run.records),
        "result": ref(RUN),
        **_start_and_end(run),
    }
