"""Two rows of a benchmark beside each other, over the seeds that both have, and many of them at one error.

Whatever is compared, an *advantage* is positive where the claim's row does better: a difference in the
metric's own unit; of times a ratio, and its bounds that of 1 instead of 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from lotus.claims.evidence import Evidence
from lotus.claims.stated import TIME, is_higher_better
from lotus.results.holm import shares
from lotus.results.intervals import Interval, of_the_same, paired, paired_ratio
from lotus.results.titles import row_title
from lotus.tables.cell_texts import signed

ERROR = 0.05
"""Share of wrong verdicts that is accepted where there is nothing to be found."""
BEATEN = ", counts as beaten"
"""What is said of a row whose models, several, have all collapsed, after in which seeds."""
LEFT_OUT = ": left out"
"""What is said of seeds in which the other row's model has collapsed, after which these are."""


@dataclass(frozen=True)
class PairedComparison:
    """One row against another.

    Attributes:
        unit: `difference` or `ratio`.
        advantage: of `row` over `other` in the seeds whose models are sound; None where there are none,
            nothing can be compared, or one is measured against itself.
        bound: the advantage that the claim speaks of; by default that of neither.
        floor: how far another gold is from gold by this measure; None where it is not known, or is no
            matter.
        status: why there is no advantage, or which seeds it leaves out.
        values, other_values: by seed.

    """

    row: str
    other: str
    metric: str
    unit: str
    advantage: Interval | None
    bound: float
    floor: float | None = None
    status: str = ""
    values: tuple[tuple[int, float], ...] = ()
    other_values: tuple[tuple[int, float], ...] = ()

    @property
    def is_inside(self) -> bool:
        """Whether both are as close to gold, in the mean, as another gold: then neither is nearer."""
        floor = self.floor
        return floor is not None and all(
            len(of) > 0 and sum(value for _, value in of) / len(of) <= floor
            for of in (self.values, self.other_values)
        )

    @property
    def is_told(self) -> bool:
        """Whether the seeds tell on which side of the bound the advantage lies."""
        return self.is_ahead or self.is_behind

    @property
    def is_ahead(self) -> bool:
        """Whether `row` is better, or the other one has collapsed in every seed."""
        if self.advantage is None:
            return self.is_fallen
        return self.advantage.low > self.bound and not self.is_inside

    @property
    def is_fallen(self) -> bool:
        """Whether the other one has collapsed in every seed."""
        return self.status.endswith(BEATEN)

    @property
    def is_better_where_sound(self) -> bool:
        """Whether the other one has collapsed in some seeds, and is better in the rest."""
        found = self.advantage
        return found is not None and found.high < self.bound and self._leaves_out

    @property
    def is_tie(self) -> bool:
        """Whether both are one and the same in every seed."""
        return self.advantage is not None and self.advantage.is_exact

    @property
    def is_behind(self) -> bool:
        """Whether the other one is better, and in no seed of no use."""
        found = self.advantage
        if found is None or self.is_inside or self._leaves_out:
            return False
        return found.high < self.bound

    @property
    def _leaves_out(self) -> bool:
        """Whether the other one has collapsed in some seeds."""
        return self.status.endswith(LEFT_OUT)

    @property
    def p_value(self) -> float | None:
        """Returns the p-value of the test of the bound; None where there is nothing to be tested."""
        if self.advantage is None or self.is_tie or self.is_inside:
            return None
        return self.advantage.p_value(self.bound)

    def words(self) -> str:
        """For a reader."""
        other = row_title(self.other)
        if self.advantage is None:
            return f"{other}: {self.status}"
        if self.status:
            other += f" ({self.status})"
        found = self.advantage
        if not found.is_bounded:
            how = "one seed" if found.n == 1 else f"the same in each of {found.n} seeds"
            return f"{other}: {self._stated(found.mean)}, {how}, no interval"
        if found.is_exact:
            return (
                f"{other}: {self._stated(found.mean)}, one and the same in each of {found.n} seeds"
            )
        level = f"{100 * found.level:.4g} %"
        low, high = self._stated(found.low), self._stated(found.high)
        inside = ", both as close to gold as another gold" if self.is_inside else ""
        return f"{other}: {self._stated(found.mean)} ({level} interval {low} to {high}){inside}"

    def _stated(self, value: float) -> str:
        return f"× {value:.2f}" if self.unit == "ratio" else signed(value, decimals=4)


def compare(
    cell: Evidence,
    row: str,
    other: str,
    metric: str,
    unit: str = "",
    bound: float | None = None,
    floor: float | None = None,
) -> PairedComparison:
    """Returns the advantage of `row` over `other`, with a 95 % interval that knows of no other comparison.

    Seeds in which the other row's model has collapsed are left out: there the row is better, by no number.
    A row of which these are all, more than one, is beaten, and one that is better in the other seeds is
    not better.

    Args:
        unit: `difference` or `ratio`; by default the metric's.
        bound: by default the advantage of neither.
        floor: below which the measure ranks nothing.

    """
    unit = unit or ("ratio" if metric == TIME else "difference")
    even = 1.0 if unit == "ratio" else 0.0
    mine, theirs = cell.of(row, metric), cell.of(other, metric)
    fallen = cell.seeds_collapsed(other)
    shared = mine.index.intersection(theirs.index).difference(fallen)
    mine, theirs = mine[shared], theirs[shared]
    blank = PairedComparison(
        row=row,
        other=other,
        metric=metric,
        unit=unit,
        advantage=None,
        bound=even if bound is None else bound,
        floor=floor,
        values=_by_seed(mine),
        other_values=_by_seed(theirs),
    )
    if fallen:
        is_beaten = len(fallen) == cell.seeds(other) > 1
        blank = replace(blank, status=cell.fallen(other) + (BEATEN if is_beaten else LEFT_OUT))
        if is_beaten:
            return blank
    if not len(shared):
        said = f"{blank.status}, and " if fallen else ""
        return replace(blank, status=f"{said}no seed has a sound model of both")
    if mine.isna().any() or theirs.isna().any():
        return replace(blank, status="undefined")
    if metric != TIME and len(shared) > 1 and cell.are_the_same(row, other):
        return replace(blank, advantage=of_the_same(even, len(shared)))
    a, b = mine.to_numpy(), theirs.to_numpy()
    if unit == "ratio":
        if (a <= 0).any() or (b <= 0).any():
            return replace(blank, status="no ratio: a value is 0")
        first, second = (a, b) if is_higher_better(metric) else (b, a)
        return replace(blank, advantage=paired_ratio(first, second, 1 - ERROR))
    sign = 1 if is_higher_better(metric) else -1
    found = paired(sign * a, sign * b, 1 - ERROR, cell.resolution(metric))
    return replace(blank, advantage=found)


def corrected(comparisons: Sequence[Sequence[PairedComparison]]) -> list[list[PairedComparison]]:
    """Returns the same comparisons, each interval at the level at which Holm's correction decides it.

    So all that is said of all of them together is wrong at an error of 5 %.

    Args:
        comparisons: of one claim under one protocol, benchmark by benchmark.

    """
    p_values = [each.p_value for of_cell in comparisons for each in of_cell]
    errors = iter(shares([p for p in p_values if p is not None], ERROR))
    return [
        [each if each.p_value is None else _at(each, 1 - next(errors)) for each in of_cell]
        for of_cell in comparisons
    ]


def _at(each: PairedComparison, level: float) -> PairedComparison:
    return replace(each, advantage=each.advantage.at(level)) if each.advantage else each


def _by_seed(numbers: pd.Series) -> tuple[tuple[int, float], ...]:
    return tuple((int(seed), float(value)) for seed, value in numbers.items())


def by_advantage(each: PairedComparison) -> float:
    """For sorting: what stands most against the claim comes first."""
    return each.advantage.mean if each.advantage is not None else -math.inf


def listed(comparisons: Sequence[PairedComparison]) -> str:
    """For a reader."""
    return "; ".join(each.words() for each in comparisons)


def beaten(held: Sequence[PairedComparison], not_beaten: Sequence[PairedComparison]) -> str:
    """The nearest of those that are beaten, and those that are not."""
    won = sorted((each for each in held if each not in not_beaten), key=_nearest)
    parts = [f"Nearest: {won[0].words()}."] if won else []
    ties = [row_title(each.other) for each in won if each.is_tie]
    fallen = [
        f"{row_title(it.other)} {it.status.removesuffix(BEATEN)}" for it in won if it.is_fallen
    ]
    if ties:
        parts.append(f"One and the same in every seed: {', '.join(ties)}.")
    if fallen:
        parts.append(f"Counted as beaten: {'; '.join(fallen)}.")
    if not_beaten:
        parts.append(f"Not beaten: {listed(not_beaten)}.")
    return " ".join(parts)


def _nearest(each: PairedComparison) -> float:
    return each.advantage.mean if each.advantage is not None else math.inf
