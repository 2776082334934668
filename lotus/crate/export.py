"""Writes a run crate, as a folder or a zip file, whole or not at all."""

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from lotus import layout
from lotus.crate.entities import (
    Entity,
    action_ids,
    author_ids,
    citation_entities,
    compact,
    ended,
    file_properties,
    licence_id,
    ref,
    refs,
    run_entities,
    workflow_properties,
)
from lotus.crate.files import CrateFile, crate_files
from lotus.crate.project import (
    ENVIRONMENT,
    RULES,
    WORKFLOW,
    Citation,
    attestations,
    commit,
    configuration_files,
    project_files,
    read_citation,
)
from lotus.crate.recorded_run import RecordedRun
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.among_results import refuse_among_results
from lotus.records.attestations import Attestation, outdated
from lotus.records.environment import git_state
from lotus.records.files import atomic
from lotus.records.index import read_index
from lotus.records.whole_folder import atomic_folder

EXPERIMENT = str(layout.EXPERIMENT_RECORD)
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
CODEMETA = {"buildInstructions": "https://codemeta.github.io/terms/buildInstructions"}
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
REQUIREMENTS = "https://pip.pypa.io/en/stable/reference/requirements-file-format/"
DESCRIPTION = (
    "Every recorded step of a run of the workflow, with the sha256 of all that it read and wrote. "
    "Files that are not in the crate are named by their bytes (ni:///sha-256;…, RFC 6920); "
    "'identifier' says where DVC holds them."
)


@dataclass(frozen=True)
class Written:
    """The files of a written crate.

    Attributes:
        steps: recorded steps that it describes.
        copied: files in it.
        named: files that it only names, by their digest.

    """

    steps: int
    copied: int
    named: int


def export_crate(out: Path, copy_below: int) -> Written:
    """Writes the run crate of the project in the present folder.

    Args:
        out: an empty or new folder, or a new file that ends in `.zip`.
        copy_below: bytes from which files are not copied but named by their digest.

    Raises:
        LotusError: `out` is taken or lies among the results or stores; no experiment is recorded; files and
            records disagree; the project lacks its workflow or citation.

    """
    _refuse_place(out)
    index = read_index()
    if EXPERIMENT not in index.records:
        raise LotusError(
            f"{EXPERIMENT}: is not there; `snakemake --cores all` runs and records an experiment"
        )
    citation = read_citation()
    configuration = configuration_files(index.records[EXPERIMENT].settings.get("files", []))
    attested = attestations()
    files = crate_files(index, [*project_files(), *configuration, *attested], copy_below)
    _refuse_outdated(attested.values(), files)
    try:
        _write(_make_crate(RecordedRun(index, files, configuration), citation, attested), out)
    except OSError as error:
        raise LotusError(f"{shown(out)}: cannot be written: {error.strerror or error}") from error
    copied = sum(file.copied for file in files.values())
    return Written(len(index.records), copied, len(files) - copied)


def _refuse_outdated(
    attested: Iterable[Attestation | None], files: Mapping[str, CrateFile]
) -> None:
    """Refuses attestations that speak of other bytes than the crate does."""
    now = {path: file.sha256 for path, file in files.items()}
    others = [path for it in attested if it is not None for path in outdated(it, now)]
    if others:
        raise LotusError(
            f"{shown(others[0])}: has other bytes than an attestation in {layout.ATTESTATIONS} states "
            "(`lotus attest verify`); nothing is exported: attest again, or take the attestation away"
        )


def _refuse_place(out: Path) -> None:
    name = shown(out)
    if "\0" in str(out):
        raise LotusError(
            f"{name}: is not a path; accepted: an empty or new folder, or a new file *.zip"
        )
    # Records that are copied there would count as this project's.
    accepted = f"accepted: a place outside {layout.RESULTS} and {layout.STORES}"
    refuse_among_results(out, "--out", accepted)
    free = os.path.isdir(out) and not any(out.iterdir()) and out.suffix != ".zip"
    if os.path.lexists(out) and not free:
        raise LotusError(
            f"{name}: already exists; accepted: an empty or new folder, or a new file *.zip"
        )


def _write(crate: ROCrate, out: Path) -> None:
    if out.suffix == ".zip":
        with atomic(out) as draft:
            crate.write_zip(draft)
    else:
        with atomic_folder(out) as folder:
            crate.write(folder)


def _make_crate(
    run: RecordedRun, citation: Citation, attested: Mapping[str, Attestation | None]
) -> ROCrate:
    """The crate, in memory."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    crate.metadata.extra_terms.update(CODEMETA)
    # Not the present time, so that the same records give the same crate.
    published = max(ended(record) for record in run.records)
    for file in run.files.values():
        _add_file(crate, file, run, published, attested)
    for entity in (*_standards(), *citation_entities(citation), *run_entities(run, WORKFLOW)):
        crate.add(ContextEntity(crate, entity["@id"], properties=compact(entity)))
    licence = ref(licence_id(citation))
    recorded = [record.content["code"] for record in run.records]
    _set_properties(
        crate.mainEntity,
        **workflow_properties(run),
        # The workflow's file is today's; the records may be of an earlier one.
        version=commit([*recorded, git_state()]),
        license=licence,
        author=refs(author_ids(citation)),
        buildInstructions=refs(path for path in [ENVIRONMENT] if path in run.files),
    )
    _set_properties(
        crate.root_dataset,
        name=f"{citation.title}: {run.index.records[EXPERIMENT].about['title']}",
        description=DESCRIPTION,
        datePublished=published,
        license=licence,
        conformsTo=refs(PROFILES),
        mentions=refs(action_ids(run)),
        subjectOf=refs(path for path, attestation in attested.items() if attestation),
    )
    return crate


def _set_properties(entity: MutableMapping[str, Any], **properties: Any) -> None:
    # The library's entities are mappings without `update`.
    for key, value in compact(properties).items():
        if value:
            entity[key] = value


def _add_file(
    crate: ROCrate,
    file: CrateFile,
    run: RecordedRun,
    noted_at: str,
    attested: Mapping[str, Attestation | None],
) -> None:
    properties = compact(
        file_properties(file, run.parameters_of_files.get(file.path, []), noted_at)
    )
    if file.path == WORKFLOW:
        types = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
        given = {"@type": types, **properties}
        crate.add_workflow(WORKFLOW, WORKFLOW, properties=given, main=True, lang="snakemake")
    elif file.copied:
        crate.add_file(
            file.path,
            file.path,
            properties={**properties, **_properties_of_own_file(file.path, attested)},
        )
    else:
        crate.add_file(file.id, properties=properties)


def _properties_of_own_file(path: str, attested: Mapping[str, Attestation | None]) -> Entity:
    """Returns what is known of one of the project's own files."""
    if path in attested:
        attestation = attested[path]
        about = ref("./") if attestation else ref(path.removesuffix(layout.SIGNED))
        said = (
            attestation.summary()
            if attestation
            else "SSH signature (ssh-keygen -Y) of an attestation"
        )
        return {"about": about, "description": said}
    if Path(path).parent == RULES:
        return {"isPartOf": ref(WORKFLOW)}
    return {"conformsTo": ref(REQUIREMENTS)} if path == ENVIRONMENT else {}


def _standards() -> Iterator[Entity]:
    """Returns the pages of the standards that files and the crate conform to."""
    for identifier, name in PROFILES.items():
        version = identifier.rpartition("/")[2]
        yield {"@id": identifier, "@type": "CreativeWork", "name": name, "version": version}
    yield {"@id": REQUIREMENTS, "@type": "CreativeWork", "name": "Requirements file of pip"}
