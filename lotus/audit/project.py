"""The audit of a project against its present configuration."""

from collections.abc import Sequence
from pathlib import Path

from lotus.audit.audit import Audit, audit
from lotus.plan.declared import present
from lotus.plan.steps import expected_records
from lotus.records.index import read_index


def audit_project(configfiles: Sequence[Path] = (), full: bool = False) -> Audit:
    """Audits the project in the present folder.

    Args:
        configfiles: see `present`.
        full: whether to read files again that did not change since the last audit.

    Raises:
        LotusError: this is no project, or a configuration is not accepted.

    """
    return audit(read_index(), expected_records(present(configfiles).plan), full)
