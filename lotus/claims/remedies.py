"""What would settle a verdict that cannot be told: seeds, other data, a stronger measure, or models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lotus.claims.comparisons import PairedComparison
from lotus.results.titles import row_title
from lotus.wording import counted

Kind = Literal["seeds", "data", "measure", "models"]
ORDER: tuple[Kind, ...] = ("models", "measure", "seeds", "data")
"""What comes first has to be there before the others help."""
POWER = 0.8
"""How often the seeds that are named are to suffice, if mean and spread are as seen."""
MOST = 100
"""Seeds that somebody might run."""


@dataclass(frozen=True)
class Remedy:
    """A way to settle a verdict that cannot be told.

    Attributes:
        kind: `seeds`; `data`: benchmarks that were not run; `measure`: one that varies less between seeds,
            or tells golds apart less; `models`: a row that was not run, or that collapsed.
        words: for a reader.
        seeds: how many in all would do, of `seeds`; None where that cannot be estimated.

    """

    kind: Kind
    words: str
    seeds: int | None = None

    @property
    def effort(self) -> float:
        """For sorting: seeds, without end where they do not help."""
        if self.kind != "seeds":
            return math.inf
        return self.seeds if self.seeds is not None else MOST


def of_comparison(each: PairedComparison) -> Remedy:
    """Returns what would tell one row from another."""
    pair = f"{row_title(each.row)} from {row_title(each.other)}"
    difference = f"the difference between {row_title(each.row)} and {row_title(each.other)}"
    if each.is_inside:
        return Remedy(
            "measure", f"no number of seeds tells {pair}: both are as close to gold as another gold"
        )
    found = each.advantage
    if found is None:
        return Remedy("models", f"{pair}: {each.status}")
    if each.is_better_where_sound:
        return Remedy(
            "models",
            f"{row_title(each.other)} is better in the seeds in which it has not collapsed: no number of "
            "seeds ranks a method that is sometimes of no use",
        )
    if found.n < 2:
        return Remedy("seeds", f"one seed says nothing of the spread of {difference}")
    if not found.is_bounded:
        return Remedy("measure", f"{difference} is the same in each seed")
    needed = found.needed(each.bound, 1 - found.level, POWER, MOST)
    if needed is None:
        return Remedy(
            "measure",
            f"more than {MOST} seeds would be needed to tell {pair}: the difference is that small beside "
            "its spread between seeds",
        )
    # As many as there are would have told it in most cases; one more at least.
    needed = max(needed, found.n + 1)
    return Remedy(
        "seeds",
        f"about {counted(needed, 'seed')} (now {found.n}) would tell {pair} four times in five, "
        "if mean and spread stay as they are",
        needed,
    )


def of_rivals(held: Sequence[PairedComparison], rank: int = 1) -> list[Remedy]:
    """Returns what would settle whether a row is among the first `rank` of its rivals.

    It is refuted by `rank` rivals that are better, so where as many seem so, the ones that are told most
    easily decide; else all but `rank` − 1 have to be beaten.
    """
    open_ = [each for each in held if not (each.is_told or each.is_tie)]
    ahead = [
        each for each in open_ if each.advantage is not None and each.advantage.mean < each.bound
    ]
    missing = rank - sum(each.is_behind for each in held)
    easiest = sorted((of_comparison(each) for each in ahead), key=lambda it: it.effort)
    if easiest and len(easiest) >= missing:
        return easiest[missing - 1 : missing]
    hardest = sorted((of_comparison(each) for each in open_), key=lambda it: -it.effort)
    return hardest[rank - 1 : rank]


def together(remedies: Sequence[Remedy]) -> list[Remedy]:
    """Returns one remedy of each kind, that with most effort, in the order in which they are needed."""
    found = []
    for kind in ORDER:
        of_kind = [each for each in remedies if each.kind == kind]
        if of_kind:
            found.append(max(of_kind, key=lambda it: it.effort))
    return found
