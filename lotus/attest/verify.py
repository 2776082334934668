"""Checks attestations: their form, their signatures, and whether they still speak of what lies here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.attest.signing import ATTESTATION, said_of_signature
from lotus.errors import LotusError
from lotus.records.attestations import (
    SAME,
    Attestation,
    AttestedStep,
    find_attestation,
    outdated,
)
from lotus.records.digests import digests
from lotus.records.ledger import record_files
from lotus.records.places import refuse_links_out
from lotus.records.reading import find_record
from lotus.wording import counted, first_of


@dataclass(frozen=True)
class Verified:
    """Findings on one attestation, or certificate.

    Attributes:
        path: of it.
        wrong: why it vouches for nothing, or not for all that lies here; one reason each.
        facts: what it says, and who signed it.

    """

    path: str
    wrong: Sequence[str]
    facts: Sequence[str]

    def lines(self) -> list[str]:
        """Returns a line for each reason and fact, and one for the whole."""
        verdict = "holds" if not self.wrong else "does not hold"
        said = [*self.wrong, *self.facts]
        return [
            *(f"{self.path}: {line}" for line in said),
            f"{self.path}: {verdict}",
        ]


def verify(files: Sequence[Path], signers: Path | None) -> list[Verified]:
    """Checks attestations of the project in the present folder.

    Args:
        files: all that lie beside the results unless given.
        signers: who may sign; then an attestation without a signature is not accepted.

    Raises:
        LotusError: there is no attestation, a link leads out of the project, or a signature is to be
            checked and there is no `ssh-keygen`.

    """
    if not files:
        refuse_links_out(layout.ATTESTATIONS)
    chosen = [*files] or layout.attestations()
    if not chosen:
        raise LotusError(f"no attestation lies in {layout.ATTESTATIONS}; `lotus attest` makes one")
    return [_verified(path, signers) for path in chosen]


def _verified(path: Path, signers: Path | None) -> Verified:
    found = find_attestation(path)
    wrong: list[str] = []
    facts: list[str] = []
    if found.content is None:
        return Verified(found.path, [found.problem], [])
    facts.append(found.content.summary())
    if not found.content.steps:
        wrong.append("attests nothing")
    later = _later(found.content)
    if later:
        facts.append(f"{counted(later, 'run')} that lie here were not there to be drawn")
    wrong += found.content.differences()
    wrong += _changed(found.content)
    signed_by, problems = said_of_signature(path, signers, ATTESTATION)
    return Verified(found.path, [*wrong, *problems], [*facts, *signed_by])


def _changed(attestation: Attestation) -> Iterator[str]:
    """Yields what lies here with other bytes than were attested."""
    stated = {**attestation.inputs, **attestation.files}
    now = {path: seen.sha256 for path, seen in digests(stated, full=True).items()}
    for path in outdated(attestation, now):
        lies = f"now has sha256 {now[path][:12]}…" if now[path] else "is absent now"
        yield f"{path}: {lies}, attested was {stated[path][:12]}…"
    others = _others(attestation)
    for step in attestation.steps:
        yield from _unstated(step)
    if others:
        yield f"drawn among other runs than lie here: {first_of(others, 2)}"


def _unstated(step: AttestedStep) -> Iterator[str]:
    """Yields what a step was made of by its record, as it lies here, and not by the attestation."""
    records = [
        find_record(Path(path))
        for path, file in step.files.items()
        if file.finding == SAME and layout.is_record(Path(path))
    ]
    for record in records:
        # Of a record that is another one now it is told already.
        if record.sha256 != step.files[record.path].there:
            continue
        inputs = record.inputs.items()
        if lacking := [path for path, digest in inputs if step.inputs.get(path) != digest]:
            yield (
                f"{step.about}: made of {first_of(lacking, 2)} by its record, and of other bytes, or none, "
                "by the attestation"
            )


def _later(attestation: Attestation) -> int:
    """Number of runs that lie here and were not part of the population."""
    runs = {path.parent.as_posix() for path in record_files() if path.name == layout.RUN_RECORD}
    return len(runs - {*attestation.draw.population}) if attestation.draw.drawn else 0


def _others(attestation: Attestation) -> list[str]:
    """Runs of the draw that are gone."""
    folders = attestation.draw.population
    return [folder for folder in folders if not (Path(folder) / layout.RUN_RECORD).is_file()]
