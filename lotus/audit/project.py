"""The audit of a project against its present configuration."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lotus.audit.audit import STALE, Artifact, Audit, audit
from lotus.audit.committed import remarks_on_configuration
from lotus.audit.tuned import remarks_on_tuning
from lotus.errors import BrokenCodeError
from lotus.plan.declared import present
from lotus.plan.steps import expected_records
from lotus.plugin_files import folders_of
from lotus.records.index import read_index
from lotus.records.kept_sources import read_ahead_by_memory


def audit_project(configfiles: Sequence[Path] = (), full: bool = False) -> Audit:
    """Audits the project in the present folder; the result names what it was held against.

    Where code that a configuration names cannot be loaded, this is a finding, and records are held against
    each other and the present code alone.

    Args:
        configfiles: see `present`.
        full: whether to read everything again, believing nothing that an earlier command kept in `.lotus`.

    Raises:
        LotusError: this is no project, or a configuration is not accepted.

    """
    if not full:
        read_ahead_by_memory()
    index = read_index()
    try:
        now = present(configfiles)
        expected = expected_records(now.plan)
    except BrokenCodeError as error:
        return _without_plan(audit(index, [], full, folders_of(())), error)
    folders = folders_of(now.plan.settings.own_code)
    found = audit(index, expected, full, folders)
    notes = [*found.notes, *remarks_on_configuration(now), *remarks_on_tuning(now.plan, index)]
    return replace(found, notes=notes, held_against=now.why)


def _without_plan(found: Audit, error: BrokenCodeError) -> Audit:
    """Returns an audit with the module that cannot be loaded as a finding of its own."""
    path = f"{error.module.replace('.', '/')}.py"
    broken = Artifact(path, STALE, str(error))
    artifacts = sorted([*found.artifacts, broken], key=lambda artifact: artifact.path)
    return replace(
        found, artifacts=artifacts, held_against=f"no configuration: {path} cannot be loaded"
    )
