"""An attestation as lines for a person."""

from collections.abc import Iterator
from pathlib import Path

from lotus.records.attestations import SAME, Attestation
from lotus.records.attested_words import WHOLE
from lotus.wording import counted


def lines(path: Path, attestation: Attestation) -> list[str]:
    """Returns a line for each difference, then what was compared how, the chances, and the place."""
    return [
        *attestation.differences(),
        *_elsewhere(attestation),
        attestation.summary(),
        *_chances(attestation),
        f"written to {path}",
    ]


def _elsewhere(attestation: Attestation) -> Iterator[str]:
    """Yields why bytes were not all that counted."""
    loose: dict[str, int] = {}
    for step in attestation.steps:
        if step.elsewhere and step.finding != SAME:
            loose[step.elsewhere] = loose.get(step.elsewhere, 0) + 1
    for reason, count in loose.items():
        yield f"{counted(count, 'step')} held against tolerances, not bytes: recorded with {reason}"
    if not loose and any(step.files for step in attestation.steps):
        yield "everything was compared by bytes"


def _chances(attestation: Attestation) -> Iterator[str]:
    of = len(attestation.draw.population)
    is_whole = attestation.draw.depth == WHOLE
    forged = "were not what their steps make" if is_whole else "had predictions of other weights"
    for chance in attestation.missed:
        yield (
            f"if {chance.forged} of {of} runs ({chance.share:.0%}) {forged}, this draw "
            f"of {attestation.by_bytes} would have missed them all with probability "
            f"{chance.missed_in_words()}"
        )
