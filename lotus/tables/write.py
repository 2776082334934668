"""The commands `lotus table` and `lotus exhibit`: a table by its name, with its record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from lotus.records.record import write_record
from lotus.tables.discovery import Registry, Stated
from lotus.tables.registry import PAPER_TABLES, TABLES


class Writable(Stated, Protocol):
    """A spec whose table or figure is made of files alone."""

    def write(self, sources: Sequence[Path], out: Path) -> list[Path]:
        """Writes it as `out` with each of its endings, and returns these files."""


def write_table(name: str, sources: Sequence[Path], out: Path, record: Path) -> None:
    """Writes a table as `out`.csv and `out`.tex with its record.

    Args:
        name: which table; a file of `lotus/tables`.
        sources: metrics files (`times`, `cost`: run records).
        out: path without ending.

    Raises:
        LotusError: unknown table, or sources that are not what it is made of.

    """
    write_recorded(TABLES, name, sources, out, record)


def write_recorded(
    registry: Registry[Writable],
    name: str,
    sources: Sequence[Path],
    out: Path,
    record: Path,
) -> None:
    """Writes a table or figure of a registry, as its spec does, with its record; see `write_table`."""
    files = registry.spec(name).write(sources, out)
    write_record(
        record,
        kind=registry.what,
        modules=[registry.module_of(name)],
        about={registry.what: name},
        settings={},
        inputs=list(sources),
        outputs=files,
    )


def write_paper_table(
    name: str, experiment: Path, published: Path, out: Path, record: Path
) -> None:
    """Writes a table of the paper beside what was measured, as `out`.csv and `out`.tex, with its record.

    Args:
        name: which; a file of `lotus/tables/paper`.
        experiment: what `lotus describe` wrote.
        published: folder of the published reference.
        out: path without ending.

    Raises:
        LotusError: unknown name, a published file that is not as it should be, or a result that is
            absent.

    """
    inputs, files = PAPER_TABLES.spec(name).write(experiment, published, out)
    write_record(
        record,
        kind="table",
        modules=[PAPER_TABLES.module_of(name)],
        about={"item": name},
        settings={},
        inputs=inputs,
        outputs=files,
    )
