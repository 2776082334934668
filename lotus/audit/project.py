"""The audit of a project against its present configuration."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lotus.audit.audit import Audit, audit
from lotus.methods.base.read_plugins import folders_of
from lotus.plan.declared import present
from lotus.plan.steps import expected_records
from lotus.records.index import read_index


def audit_project(configfiles: Sequence[Path] = (), full: bool = False) -> Audit:
    """Audits the project in the present folder; the result names what it was held against.

    Args:
        configfiles: see `present`.
        full: whether to read files again that have not changed since the last audit.

    Raises:
        LotusError: this is no project, or a configuration is not accepted.

    """
    now = present(configfiles)
    folders = folders_of(now.plan.settings.plugins)
    found = audit(read_index(), expected_records(now.plan), full, folders)
    return replace(found, held_against=now.why)
