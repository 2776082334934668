"""The page's first sentence: what the measured distances and the verdicts can tell, and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import pandas as pd

from lotus.claims.judging import FAILS, HOLDS, OPEN
from lotus.layout import REFERENCES
from lotus.metrics.base import registry
from lotus.page.sections import MeasuredCell
from lotus.page.verdict_counts import VerdictCount
from lotus.results.floor import column, floor_in, inside_floor
from lotus.wording import all_of, counted

MEASURES = ("avg_gap", "jsd")
"""Distances to gold of which the first sentence says what they can rank."""
SAID = {HOLDS: ("holds", "hold"), FAILS: ("does not", "do not")}
"""Verdict → what one and what several verdicts are said to do."""


@dataclass(frozen=True)
class Floors:
    """In how many comparisons, a benchmark under a protocol each, a measure can rank the best methods.

    Attributes:
        measure: its name for readers.
        known: comparisons in which it is known how far another gold is from gold.
        above: those of them in which at least one method is not farther.

    """

    measure: str
    known: int
    above: int


def count_floors(measured: Sequence[MeasuredCell]) -> list[Floors]:
    """Returns the floors of Avg Gap and JSD, of comparisons without a study if there are any."""
    of_none = [each for each in measured if not each.described["study"]]
    numbers = [each.numbers for each in of_none or measured]
    return [_floors(metric, numbers) for metric in MEASURES]


def _floors(metric: str, numbers: Sequence[pd.DataFrame]) -> Floors:
    ranked = [
        summary
        for summary in numbers
        if not isnan(floor_in(summary, metric))
        and summary.drop(index=[*REFERENCES], errors="ignore")[column(summary, metric)].count()
    ]
    above = sum(bool(inside_floor(summary, metric)) for summary in ranked)
    return Floors(registry.labels()[metric], len(ranked), above)


def headline(floors: Sequence[Floors], counts: Sequence[VerdictCount]) -> str:
    """Returns one sentence on where Avg Gap and JSD can rank, and on how many verdicts are settled."""
    said = "; ".join((*_ranks(floors), _settled(counts)))
    return f"{said[0].upper()}{said[1:]}."


def _ranks(floors: Sequence[Floors]) -> list[str]:
    """Returns what the measures can rank, those that say the same together."""
    among: dict[bool, dict[str, str]] = {}
    for each in floors:
        if each.known:
            count = counted(each.known, "comparison")
            said = f"in {each.above} of {count}" if each.above else count
            among.setdefault(each.above > 0, {})[each.measure] = said
    return [_rank(is_above, counts) for is_above, counts in among.items()]


def _rank(is_above: bool, counts: Mapping[str, str]) -> str:
    """Returns what measures say of the best methods.

    Args:
        is_above: whether these are not farther from gold than another gold.
        counts: measure → among how many comparisons, in words.

    """
    count, *others = {*counts.values()}
    if others:
        named, where = all_of([f"{name} ({count})" for name, count in counts.items()]), ""
    else:
        named, where = all_of([*counts]), f" ({count})"
    if is_above:
        return (
            f"by {named} the best methods are no farther from gold than another gold{where}, and have no "
            "rank there"
        )
    return f"by {named} every method is farther from gold than another gold{where}"


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
