"""Attestations that lie beside the results, as the page shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lotus.page.vouched import Attested
from lotus.records.attestations import (
    SAME,
    Attestation,
    FoundAttestation,
    find_attestations,
    outdated,
)
from lotus.records.files import sha256
from lotus.records.reading import Record
from lotus.wording import all_of, counted, first_of

SAID = 3
"""Paths that are named of many."""


@dataclass(frozen=True)
class ShownAttestation:
    """One attestation.

    Attributes:
        path: of its file, relative to the project.
        problem: why it cannot be trusted; then nothing else is shown.
        summary: what was done and found.
        facts: (heading, text): when, where, by what.
        chances: (share of forged runs, their number, the chance to miss all of them), as text.
        differences: a line for each.
        proves: what it can show and what not.
        outdated: results that this page rests on and that have other bytes than were attested, in words.
        is_signed: whether a signature lies beside it; the page does not check it.
        findings: folder of a run that was made again → what was found, in words.

    """

    path: str
    problem: str = ""
    summary: str = ""
    facts: Sequence[tuple[str, str]] = ()
    chances: Sequence[tuple[str, str, str]] = ()
    differences: Sequence[str] = ()
    proves: Sequence[str] = ()
    outdated: str = ""
    is_signed: bool = False
    findings: Mapping[str, str] = field(default_factory=dict)


def shown_attestations(
    runs: Iterable[Record], results: Iterable[Path], chosen: Iterable[Path] | None = None
) -> list[ShownAttestation]:
    """Returns attestations of the project in the present folder.

    Args:
        runs: records that the page is made of; they state the digests of models and predictions.
        results: other files that it is made of.
        chosen: see `find_attestations`.

    """
    found = find_attestations(chosen)
    if not found:
        return []
    now = {path: digest for run in runs for path, digest in run.outputs.items()}
    now |= {path.as_posix(): sha256(path) for path in results}
    return [_shown(it, now) for it in found]


def _shown(found: FoundAttestation, now: Mapping[str, str]) -> ShownAttestation:
    content = found.content
    if content is None:
        return ShownAttestation(found.path, problem=found.problem)
    of = len(content.draw.population)
    chances = [
        (f"{it.share:.0%}", f"{it.forged} of {of}", it.missed_in_words()) for it in content.missed
    ]
    others = outdated(content, now)
    return ShownAttestation(
        path=found.path,
        summary=content.summary(),
        facts=_facts(content),
        chances=chances,
        differences=list(content.differences()),
        proves=content.proves,
        outdated=first_of(others, SAID) if others else "",
        is_signed=found.is_signed,
        findings={step.about: step.finding for step in content.runs},
    )


def vouchers(shown: Iterable[ShownAttestation]) -> list[Attested]:
    """Returns what attestations that can be trusted say of single runs."""
    return [
        Attested(
            f"{it.path}: {it.summary}."
            + (f" Since then, other bytes have come: {it.outdated}." if it.outdated else ""),
            it.findings,
        )
        for it in shown
        if not it.problem
    ]


def _facts(content: Attestation) -> list[tuple[str, str]]:
    made, hardware = content.made, content.made.hardware
    devices = dict.fromkeys(step.device for step in content.runs if step.device)
    machine = [str(hardware[key]) for key in ("processor", "system") if key in hardware]
    if devices:
        machine.append(f"models on {all_of([*devices])}")
    changed = ", with uncommitted changes" if made.dirty else ""
    loose = sum(bool(step.elsewhere) and step.finding != SAME for step in content.steps)
    by_bytes = len(content.steps) - loose
    compared = f"{counted(by_bytes, 'step')} by bytes"
    return [
        ("Made", f"{made.started}, in {made.seconds:.0f} seconds"),
        ("On", ", ".join(machine)),
        ("By", f"package digest {made.package}, commit {made.commit or 'unknown'}{changed}"),
        ("Against", made.held_against),
        ("Compared", compared + (f", {loose} within tolerances" if loose else "")),
    ]
