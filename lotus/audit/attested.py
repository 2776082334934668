"""Attestations beside the results: as they were written or not, still true or not, and what they found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.records.attestations import REFUTED, FoundAttestation, find_attestations, outdated
from lotus.records.digests import Seen
from lotus.records.index import Index
from lotus.wording import first_of

SAID = 2
"""Paths that are named of many."""


@dataclass(frozen=True)
class AttestationFindings:
    """Findings of an audit on the attestations of a project.

    Attributes:
        sound: paths that are an attestation or the signature of one.
        changed, stale: path → reason.
        notes: remarks.

    """

    sound: tuple[str, ...]
    changed: tuple[tuple[str, str], ...]
    stale: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def attested(index: Index, seen: Mapping[str, Seen]) -> AttestationFindings:
    """Looks at every attestation of the project in the present folder.

    Args:
        seen: the files of the project as they are now.

    """
    now = {path: it.sha256 for path, it in seen.items()}
    now |= {record.path: record.sha256 for record in index.records.values()}
    found = find_attestations()
    return AttestationFindings(
        sound=tuple(path for it in found for path in _files(it)),
        changed=tuple(pair for it in found for pair in _changed(it, now)),
        stale=tuple(pair for it in found for pair in _stale(it, now)),
        notes=tuple(note for it in found for note in _notes(it, index)),
    )


def _files(found: FoundAttestation) -> list[str]:
    signature = [layout.signature_of(Path(found.path)).as_posix()] if found.is_signed else []
    return [found.path, *signature]


def _changed(found: FoundAttestation, now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yields attestations that are damaged, and results that one saw come out otherwise."""
    if found.content is None:
        yield found.path, found.problem
        return
    for step in found.content.steps:
        for path, file in step.files.items():
            if file.finding in REFUTED and file.there and now.get(path) == file.there:
                yield path, f"{found.path} says: {file.said}"


def _stale(found: FoundAttestation, now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yields attestations of files that have other bytes now."""
    if found.content is not None:
        others = outdated(found.content, now)
        if others:
            yield found.path, f"attests other bytes of {first_of(others, SAID)} than lie here"


def _notes(found: FoundAttestation, index: Index) -> Iterator[str]:
    """Yields what an attestation says, and whether the page shows it."""
    if found.content is None:
        return
    signed = "signed (`lotus attest verify` checks by whom)" if found.is_signed else "not signed"
    yield f"{found.path}: {found.content.summary()}; {signed}"
    page = index.producers.get(str(layout.PAGE))
    if page is not None and not page.problem and found.path not in page.inputs:
        yield f"{found.path}: written after {layout.PAGE}, which the next `snakemake` makes anew with it"
