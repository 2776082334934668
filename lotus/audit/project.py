"""The audit of a project against its present configuration."""

from collections.abc import Sequence
from pathlib import Path

from lotus.audit.audit import Audit, audit
from lotus.plan.steps import present, steps
from lotus.records.index import read_index


def audit_project(configfiles: Sequence[Path] = (), full: bool = False) -> Audit:
    """Audits the project in the present folder.

    Args:
        configfiles: see `present`.
        full: whether to read files again that did not change since the last audit.

    Raises:
        LotusError: this is no project, or a configuration is not accepted.

    """
    plan = present(configfiles).plan
    return audit(read_index(), steps(plan), full)
