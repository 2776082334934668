"""The verdicts on the paper's claims, counted: what holds, what does not, what cannot be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus.claims.judging import FAILS, HOLDS, OPEN
from lotus.claims.overall import PAPER
from lotus.wording import all_of

COUNTED = (HOLDS, FAILS, OPEN)


@dataclass(frozen=True)
class CountedRuling:
    """What one protocol says of a claim.

    Attributes:
        where: on which data.

    """

    protocol: str
    where: str
    why: str


@dataclass(frozen=True)
class CountedClaim:
    """A claim with the rulings of one verdict.

    Attributes:
        anchor: on the page.

    """

    anchor: str
    says: str
    rulings: Sequence[CountedRuling]


@dataclass(frozen=True)
class VerdictCount:
    """The claims of one verdict.

    Attributes:
        claims: as measured here.
        by_protocol: protocol → number of rulings.
        printed: claims on which the numbers that the paper prints have this verdict.

    """

    verdict: str
    claims: Sequence[CountedClaim]
    by_protocol: Mapping[str, int]
    printed: Sequence[CountedClaim]

    @property
    def count(self) -> int:
        """Number of rulings."""
        return sum(self.by_protocol.values())


def verdict_counts(verdicts: Mapping[str, Any]) -> list[VerdictCount]:
    """Returns the counts of what holds, does not hold and cannot be told; each ruling that ran is in one.

    Args:
        verdicts: what `read_verdicts` gives.

    """
    return [_count(verdict, verdicts["claims"]) for verdict in COUNTED]


def _count(verdict: str, claims: Sequence[Mapping[str, Any]]) -> VerdictCount:
    by_protocol: dict[str, int] = {}
    found = []
    for claim in claims:
        rulings = [each for each in claim["rulings"] if each["verdict"] == verdict]
        for each in rulings:
            by_protocol[each["protocol"]] = by_protocol.get(each["protocol"], 0) + 1
        if rulings:
            found.append(_claim(claim, [_ruling(each) for each in rulings]))
    printed = [_claim(claim, []) for claim in claims if claim["printed"]["verdict"] == verdict]
    return VerdictCount(verdict, found, dict(sorted(by_protocol.items())), printed)


def _claim(claim: Mapping[str, Any], rulings: Sequence[CountedRuling]) -> CountedClaim:
    return CountedClaim(f"claim-{claim['id']}", claim["says"], rulings)


def _ruling(ruling: Mapping[str, Any]) -> CountedRuling:
    where = "the paper's benchmarks" if ruling["scope"] == PAPER else all_of(ruling["data"])
    return CountedRuling(ruling["protocol"], where, ruling["why"])
