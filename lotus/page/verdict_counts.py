"""The verdicts on the paper's claims, counted: what holds, what does not, what cannot be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus.claims.judging import FAILS, HOLDS, OPEN
from lotus.claims.overall import PAPER
from lotus.page.power_part import PowerPart
from lotus.wording import all_of

COUNTED = (HOLDS, FAILS, OPEN)
WOULD_TELL = {
    "seeds": "more seeds",
    "data": "other data",
    "measure": "stronger measure",
    "models": "models not run or collapsed",
}
"""Kind of what is needed first → in words, in the order of the page."""


@dataclass(frozen=True)
class CountedRuling:
    """The verdict of one protocol on a claim.

    Attributes:
        where: on which data.
        said: what would tell it, where it cannot be told; else why it is so.
        blind: which of its measures cannot tell doing nothing from gold, in a sentence; '' of none.

    """

    protocol: str
    where: str
    said: str
    blind: str


@dataclass(frozen=True)
class CountedClaim:
    """A claim with the rulings of one group.

    Attributes:
        anchor: on the page.

    """

    anchor: str
    says: str
    rulings: Sequence[CountedRuling]


@dataclass(frozen=True)
class RulingGroup:
    """The rulings of a verdict that the same would tell; all of them where it is told.

    Attributes:
        would_tell: in words; '' where it is told, or nothing is named.

    """

    would_tell: str
    claims: Sequence[CountedClaim]

    @property
    def count(self) -> int:
        """Number of rulings."""
        return sum(len(claim.rulings) for claim in self.claims)


@dataclass(frozen=True)
class VerdictCount:
    """The rulings of one verdict.

    Attributes:
        by_protocol: protocol → number of rulings.
        printed: claims on which the numbers that the paper prints have this verdict.

    """

    verdict: str
    groups: Sequence[RulingGroup]
    by_protocol: Mapping[str, int]
    printed: Sequence[CountedClaim]

    @property
    def count(self) -> int:
        """Number of rulings."""
        return sum(self.by_protocol.values())


def verdict_counts(verdicts: Mapping[str, Any], power: PowerPart) -> list[VerdictCount]:
    """Returns the counts of what holds, does not hold and cannot be told; each ruling that ran is in one.

    Args:
        verdicts: what `read_verdicts` gives.
        power: what is known of the measures that they rest on.

    """
    return [_count(verdict, verdicts["claims"], power) for verdict in COUNTED]


def _count(verdict: str, claims: Sequence[Mapping[str, Any]], power: PowerPart) -> VerdictCount:
    found = [
        (claim, ruling)
        for claim in claims
        for ruling in claim["rulings"]
        if ruling["verdict"] == verdict
    ]
    by_protocol: dict[str, int] = {}
    groups: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {}
    for claim, ruling in found:
        by_protocol[ruling["protocol"]] = by_protocol.get(ruling["protocol"], 0) + 1
        groups.setdefault(_would_tell(ruling), []).append((claim, ruling))
    return VerdictCount(
        verdict,
        [
            RulingGroup(name, _by_claim(groups[name], power))
            for name in ("", *WOULD_TELL.values())
            if name in groups
        ],
        dict(sorted(by_protocol.items())),
        [_claim(claim, ()) for claim in claims if claim["printed"]["verdict"] == verdict],
    )


def _would_tell(ruling: Mapping[str, Any]) -> str:
    """Returns what has to be there before anything else helps; '' where it is told, or nothing is named."""
    return next((WOULD_TELL[each["kind"]] for each in ruling["would_tell"]), "")


def _by_claim(
    found: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]], power: PowerPart
) -> list[CountedClaim]:
    claims: dict[str, tuple[Mapping[str, Any], list[CountedRuling]]] = {}
    for claim, ruling in found:
        claims.setdefault(claim["id"], (claim, []))[1].append(_ruling(ruling, power))
    return [_claim(claim, rulings) for claim, rulings in claims.values()]


def _claim(claim: Mapping[str, Any], rulings: Sequence[CountedRuling]) -> CountedClaim:
    return CountedClaim(f"claim-{claim['id']}", claim["says"], rulings)


def _ruling(ruling: Mapping[str, Any], power: PowerPart) -> CountedRuling:
    where = "the paper's benchmarks" if ruling["scope"] == PAPER else all_of(ruling["data"])
    needed = "; ".join(each["words"] for each in ruling["would_tell"])
    said = f"{needed}." if needed else ruling["why"]
    return CountedRuling(ruling["protocol"], where, said, power.in_short(ruling))
