"""Audits of the images as the figures and the report read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.results.metrics import benchmark_title

KEYS = ("dataset", "images", "distance", "classes", "parts", "across", "similarity", "groups")


@dataclass(frozen=True)
class AuditRow:
    """One part in the report's table; `pairs` with each part in order, itself included."""

    name: str
    images: int
    pairs: Sequence[int]
    dropped: int


@dataclass(frozen=True)
class AuditTable:
    """One audit as the report shows it."""

    title: str
    rows: Sequence[AuditRow]

    @property
    def images(self) -> int:
        """In all parts."""
        return sum(row.images for row in self.rows)

    @property
    def is_clean(self) -> bool:
        """Whether no two images are alike."""
        return not any(any(row.pairs) for row in self.rows)


def read_audit(path: Path) -> dict[str, Any]:
    """Reads what `lotus duplicates` wrote.

    Raises:
        LotusError: absent or something else.

    """
    content = read_mapping(path)
    missing = [key for key in KEYS if key not in content]
    if missing:
        raise LotusError(
            f"{path}: is not an audit of `lotus duplicates`: it lacks {', '.join(missing)}"
        )
    return content


def audit_title(audit: Mapping[str, Any]) -> str:
    """Data set and scenario."""
    return benchmark_title(audit["dataset"], "", audit.get("scenario", ""))


def pairs_between(audit: Mapping[str, Any], first: str, second: str) -> int:
    """Pairs of similar images, one in each of two parts, or both in one."""
    if first == second:
        return int(audit["parts"][first]["pairs"])
    across = audit["across"]
    return int(across.get(f"{first}-{second}", across.get(f"{second}-{first}")))


def audit_table(path: Path) -> AuditTable:
    """The table of an audit.

    Raises:
        LotusError: it is absent or no audit.

    """
    audit = read_audit(path)
    rows = [
        AuditRow(
            name,
            part["images"],
            [pairs_between(audit, name, other) for other in audit["parts"]],
            part["dropped"],
        )
        for name, part in audit["parts"].items()
    ]
    return AuditTable(audit_title(audit), rows)
