"""The page's first sentence: what the measured distances and the verdicts can tell, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from lotus.claims.judging import FAILS, HOLDS, OPEN
from lotus.layout import REFERENCES
from lotus.page.sections import MeasuredCell
from lotus.page.verdict_counts import VerdictCount
from lotus.results.floor import column, floor_in, inside_floor
from lotus.wording import counted

SAID = {HOLDS: ("holds", "hold"), FAILS: ("does not", "do not")}
"""Verdict → what one and what several verdicts are said to do."""


@dataclass(frozen=True)
class Floors:
    """In how many comparisons, a benchmark under a protocol each, Avg Gap can rank the best methods.

    Attributes:
        known: comparisons in which it is known how far another gold is from gold.
        above: those of them in which at least one method is not farther.

    """

    known: int
    above: int


def count_floors(measured: Sequence[MeasuredCell]) -> Floors:
    """Returns the floors of Avg Gap, of comparisons without a study if there are any."""
    of_none = [each for each in measured if not each.described["study"]]
    numbers = [each.numbers for each in of_none or measured]
    ranked = [
        summary
        for summary in numbers
        if not isnan(floor_in(summary, "avg_gap"))
        and summary.drop(index=[*REFERENCES], errors="ignore")[column(summary, "avg_gap")].count()
    ]
    return Floors(len(ranked), sum(bool(inside_floor(summary, "avg_gap")) for summary in ranked))


def headline(floors: Floors, counts: Sequence[VerdictCount]) -> str:
    """Returns one sentence on where Avg Gap can rank, and on how many verdicts are settled."""
    said = "; ".join(filter(None, (_ranks(floors), _settled(counts))))
    return f"{said[0].upper()}{said[1:]}."


def _ranks(floors: Floors) -> str:
    if floors.above:
        return (
            f"in {floors.above} of {counted(floors.known, 'comparison')} the best methods are as near to "
            "gold as another gold, and Avg Gap cannot rank them"
        )
    if floors.known:
        among = counted(floors.known, "comparison")
        return f"every method is farther from gold than another gold ({among})"
    return ""


def _settled(counts: Sequence[VerdictCount]) -> str:
    by_verdict = {each.verdict: each.count for each in counts}
    every = sum(by_verdict.values())
    if not every:
        return "these runs concern none of the paper's claims"
    if by_verdict[OPEN] == every:
        return f"none of {counted(every, 'verdict')} on the paper's claims is settled"
    each = (f"{by_verdict[name]} {SAID[name][by_verdict[name] != 1]}" for name in SAID)
    return (
        f"{every - by_verdict[OPEN]} of {counted(every, 'verdict')} on the paper's claims are settled: "
        f"{', '.join(each)}"
    )
