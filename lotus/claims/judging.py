"""Does a claim hold in one benchmark? Decided over seeds, pair by pair.

Whatever is compared, an *advantage* is positive where the claim's row does better: a difference in the
metric's own unit; of times a ratio, and its bounds that of 1 instead of 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lotus.claims.evidence import Distances, Evidence
from lotus.claims.stated import (
    TIME,
    Alike,
    Best,
    Correlated,
    Place,
    Rule,
    Smaller,
    StandsOut,
    Within,
    is_higher_better,
)
from lotus.layout import GOLD
from lotus.results.conventions import values
from lotus.results.intervals import Interval, of_the_same, paired, paired_ratio
from lotus.results.metrics import dataset_title, jsd_agreement, row_title, sound
from lotus.tables.cell_texts import signed

HOLDS, FAILS, OPEN, NOT_RUN = (
    "holds",
    "does not hold",
    "cannot be told from these runs",
    "not run",
)
VERDICTS = (HOLDS, FAILS, OPEN, NOT_RUN)
ERROR = 0.05
"""Share of wrong verdicts that is accepted where there is nothing to be found."""
ABOVE = "ks_forget_above_test"


@dataclass(frozen=True)
class PairedComparison:
    """One row against another.

    Attributes:
        unit: `difference` or `ratio`.
        advantage: of `row` over `other`; None where a model has collapsed, nothing can be compared, or one
            is measured against itself.
        status: why there is none.
        values, other_values: by seed.

    """

    row: str
    other: str
    metric: str
    unit: str
    advantage: Interval | None
    status: str = ""
    values: tuple[tuple[int, float], ...] = ()
    other_values: tuple[tuple[int, float], ...] = ()

    @property
    def even(self) -> float:
        """The advantage of neither."""
        return 1.0 if self.unit == "ratio" else 0.0

    @property
    def is_ahead(self) -> bool:
        """Whether `row` is better, or the other one has collapsed."""
        if self.advantage is None:
            return self.status == COLLAPSED
        return self.advantage.low > self.even

    @property
    def is_tie(self) -> bool:
        """Whether both are one and the same in every seed."""
        found = self.advantage
        return found is not None and found.is_exact and found.low == self.even

    @property
    def is_behind(self) -> bool:
        """Whether the other one is better."""
        return self.advantage is not None and self.advantage.high < self.even

    def words(self) -> str:
        """For a reader."""
        other = row_title(self.other)
        if self.advantage is None:
            return f"{other}: {self.status}"
        found = self.advantage
        if not math.isfinite(found.low):
            how = "one seed" if found.n == 1 else f"the same in each of {found.n} seeds"
            return f"{other}: {self._stated(found.mean)}, {how}, no interval"
        if found.is_exact:
            return (
                f"{other}: {self._stated(found.mean)}, one and the same in each of {found.n} seeds"
            )
        level = f"{100 * found.level:.4g} %"
        low, high = self._stated(found.low), self._stated(found.high)
        return f"{other}: {self._stated(found.mean)} ({level} interval {low} to {high})"

    def _stated(self, value: float) -> str:
        return f"× {value:.2f}" if self.unit == "ratio" else signed(value, decimals=4)


COLLAPSED = "collapsed, counts as beaten"


@dataclass(frozen=True)
class Finding:
    """The verdict on a claim in one benchmark, and the numbers behind it.

    Attributes:
        published: which of the paper's benchmarks it is, None for another one.
        why: the numbers that decide.
        numbers: further ones, by name.

    """

    title: str
    protocol: str
    published: Place | None
    data: str
    verdict: str
    why: str
    comparisons: Sequence[PairedComparison] = ()
    numbers: Sequence[tuple[str, float]] = ()


def judge_cell(rule: Rule, cell: Evidence) -> Finding | None:
    """One benchmark's verdict; None where it lacks the rows that the rule is about."""
    if not _concerns(rule, cell):
        return None
    verdict, why, comparisons, numbers = _decided(rule, cell)
    return Finding(
        title=cell.title,
        protocol=cell.protocol.base,
        published=cell.published,
        data=cell.data,
        verdict=verdict,
        why=why,
        comparisons=comparisons,
        numbers=numbers,
    )


Decided = tuple[str, str, Sequence[PairedComparison], Sequence[tuple[str, float]]]


def _concerns(rule: Rule, cell: Evidence) -> bool:
    match rule:
        case Best():
            return rule.row in cell.rows and bool({*rule.among} & cell.rows - {rule.row})
        case Smaller():
            return bool({*rule.row} & cell.rows) and bool({*rule.than} & cell.rows)
        case Within():
            return {rule.row, rule.than} <= cell.rows
        case StandsOut():
            return {rule.row, GOLD} <= cell.rows
        case Correlated():
            return bool((cell.frame["jsd"].notna() & cell.frame["rf_jsd"].notna()).any())
        case Alike():
            return False


def _decided(rule: Rule, cell: Evidence) -> Decided:
    if isinstance(rule, Correlated):
        return _correlated(rule, cell)
    metric = ABOVE if isinstance(rule, StandsOut) else getattr(rule, "metric", "")
    lacking = cell.lacks(metric) or (cell.lacks("jsd") if isinstance(rule, StandsOut) else "")
    if lacking:
        return OPEN, f"{lacking}.", (), ()
    match rule:
        case Best():
            return *_best(rule, cell), ()
        case Smaller():
            return *_smaller(rule, cell), ()
        case Within():
            return *_within(rule, cell), ()
        case StandsOut():
            return *_stands_out(rule, cell), ()
    raise TypeError(rule)


def _best(rule: Best, cell: Evidence) -> tuple[str, str, Sequence[PairedComparison]]:
    """First by a metric: against every rival (an intersection of tests, which needs no correction).

    For one of the first r, all but r − 1 rivals have to be beaten, each at an error of 5 % / r: one of
    r rivals that are not worse would have to be beaten by chance. The claim is refuted where r rivals
    are better, each at 5 % / (number of rivals).
    """
    rivals = [row for row in rule.among if row in cell.rows and row != rule.row]
    absent = [row for row in rule.among if row not in cell.rows and row != rule.row]
    if cell.collapsed(rule.row):
        return FAILS, _fallen(rule.row, cell), ()
    held = [_compare(cell, rule.row, other, rule.metric, ERROR / rule.rank) for other in rivals]
    strict = [_compare(cell, rule.row, other, rule.metric, ERROR / len(rivals)) for other in rivals]
    open_ = [each for each in held if not (each.is_ahead or each.is_tie)]
    better = [each for each in strict if each.is_behind]
    if len(better) >= rule.rank:
        return FAILS, f"Better: {_listed(better)}.", held
    if len(open_) >= rule.rank:
        return OPEN, f"Not settled: {_listed(sorted(open_, key=_advantage)[:3])}.", held
    why = _beaten(held, open_)
    if absent:
        named = ", ".join(row_title(row) for row in absent)
        return OPEN, f"{why} Not run: {named}.", held
    return HOLDS, why, held


def _smaller(rule: Smaller, cell: Evidence) -> tuple[str, str, Sequence[PairedComparison]]:
    """Each row smaller than each other; equal values are not smaller."""
    pairs = [(a, b) for a in rule.row for b in rule.than]
    ran = [(a, b) for a, b in pairs if {a, b} <= cell.rows]
    for row, _ in ran:
        if cell.collapsed(row):
            return FAILS, _fallen(row, cell), ()
    held = [_compare(cell, a, b, rule.metric, ERROR) for a, b in ran]
    strict = [_compare(cell, a, b, rule.metric, ERROR / len(ran)) for a, b in ran]
    refuted = [each for each in strict if each.is_behind or each.is_tie]
    open_ = [each for each in held if not each.is_ahead]
    if refuted:
        return FAILS, f"Not smaller: {_listed(refuted)}.", held
    if open_:
        return OPEN, f"Not settled: {_listed(sorted(open_, key=_advantage)[:3])}.", held
    why = _beaten(held, open_)
    if len(ran) < len(pairs):
        absent = dict.fromkeys(row for pair in pairs for row in pair if row not in cell.rows)
        return OPEN, f"{why} Not run: {', '.join(map(row_title, absent))}.", held
    return HOLDS, why, held


def _within(rule: Within, cell: Evidence) -> tuple[str, str, Sequence[PairedComparison]]:
    """Not worse by more than the margin."""
    if cell.collapsed(rule.row):
        return FAILS, _fallen(rule.row, cell), ()
    unit = "ratio" if rule.factor is not None else "difference"
    found = _compare(cell, rule.row, rule.than, rule.metric, ERROR, unit)
    bound = 1 / rule.factor if rule.factor is not None else -(rule.margin or 0.0)
    why = f"Advantage over {found.words()}."
    if found.advantage is None:
        return (HOLDS if found.is_ahead else OPEN), why, [found]
    if found.advantage.low >= bound:
        return HOLDS, why, [found]
    return (FAILS if found.advantage.high < bound else OPEN), why, [found]


def _stands_out(rule: StandsOut, cell: Evidence) -> tuple[str, str, Sequence[PairedComparison]]:
    """Conspicuous by uncertainty: beyond gold by more than the margin, or not."""
    if cell.collapsed(rule.row):
        return (OPEN if rule.stands_out else FAILS), _fallen(rule.row, cell), ()
    found = _compare(cell, rule.row, GOLD, ABOVE, ERROR)
    why = f"Advantage (less conspicuous) over {found.words()}."
    if found.advantage is None:
        return OPEN, why, [found]
    beyond, inside = found.advantage.high < -rule.margin, found.advantage.low >= -rule.margin
    if not (beyond or inside):
        return OPEN, why, [found]
    return (HOLDS if beyond == rule.stands_out else FAILS), why, [found]


def _correlated(rule: Correlated, cell: Evidence) -> Decided:
    """The bootstrap interval of `jsd_agreement`, of the protocol's own forms of the two metrics."""
    numbers = sound(cell.frame)
    forms = {name: values(numbers, name, cell.protocol)[1] for name in ("jsd", "rf_jsd")}
    found = jsd_agreement(cell.frame.assign(**forms))[1]
    numbers_found = [
        ("pearson", found.pearson),
        ("low", found.low),
        ("high", found.high),
        ("points", float(found.points)),
        ("rows", float(found.groups)),
    ]
    if math.isnan(found.low):
        why = f"Too few to compare: {found.points} models of {found.groups} rows."
        return OPEN, why, (), numbers_found
    why = (
        f"r = {found.pearson:.2f} (95 % bootstrap interval over whole rows {found.low:.2f} to "
        f"{found.high:.2f}, {found.points} models of {found.groups} rows)."
    )
    if found.low >= rule.at_least:
        return HOLDS, why, (), numbers_found
    return (FAILS if found.high < rule.at_least else OPEN), why, (), numbers_found


def judge_alike(rule: Alike, audited: Sequence[Distances]) -> list[Finding]:
    """One finding for each data set that `rule.dataset` is compared with; [] where one is absent.

    Distances are of all pairs, or of very many: nothing is left to chance that an interval would tell.
    """
    counts = {each.dataset: np.asarray(each.counts, float) for each in audited}
    if rule.dataset not in counts:
        return []
    mine = np.cumsum(counts[rule.dataset]) / counts[rule.dataset].sum()
    found = []
    for other in rule.than:
        if other not in counts:
            continue
        theirs = np.cumsum(counts[other]) / counts[other].sum()
        closer, farther = bool((mine >= theirs).all()), bool((mine <= theirs).all())
        means = [float((1 - each[:-1]).sum()) for each in (mine, theirs)]
        verdict = OPEN if closer == farther else HOLDS if closer else FAILS
        names = dataset_title(rule.dataset), dataset_title(other)
        why = f"Mean distance {means[0]:.1f} bits, {names[1]} {means[1]:.1f}."
        if verdict == OPEN:
            why += " Neither is closer at every distance."
        numbers = [
            (f"mean distance {rule.dataset}", means[0]),
            (f"mean distance {other}", means[1]),
        ]
        title = " and ".join(names)
        found.append(Finding(title, "", None, title, verdict, why, (), numbers))
    return found


def _compare(
    cell: Evidence, row: str, other: str, metric: str, error: float, unit: str = ""
) -> PairedComparison:
    """Advantage of `row` over `other`, over the seeds that both have."""
    unit = unit or ("ratio" if metric == TIME else "difference")
    mine, theirs = cell.of(row, metric), cell.of(other, metric)
    shared = mine.index.intersection(theirs.index)
    mine, theirs = mine[shared], theirs[shared]
    blank = PairedComparison(
        row, other, metric, unit, None, values=_by_seed(mine), other_values=_by_seed(theirs)
    )
    if cell.collapsed(other):
        return replace(blank, status=COLLAPSED)
    if mine.isna().any() or theirs.isna().any():
        return replace(blank, status="undefined")
    if metric != TIME and len(shared) > 1 and cell.are_the_same(row, other):
        return replace(blank, advantage=of_the_same(blank.even, len(shared), 1 - error))
    a, b = mine.to_numpy(), theirs.to_numpy()
    if unit == "ratio":
        if (a <= 0).any() or (b <= 0).any():
            return replace(blank, status="no ratio: a value is 0")
        first, second = (a, b) if is_higher_better(metric) else (b, a)
        return replace(blank, advantage=paired_ratio(first, second, 1 - error))
    sign = 1 if is_higher_better(metric) else -1
    found = paired(sign * a, sign * b, 1 - error, cell.resolution(metric))
    return replace(blank, advantage=found)


def _by_seed(numbers: pd.Series) -> tuple[tuple[int, float], ...]:
    return tuple((int(seed), float(value)) for seed, value in numbers.items())


def _advantage(each: PairedComparison) -> float:
    """For sorting: what stands most against the claim comes first."""
    return each.advantage.mean if each.advantage is not None else -math.inf


def _beaten(held: Sequence[PairedComparison], not_beaten: Sequence[PairedComparison]) -> str:
    """The nearest of those that are beaten, and those that are not."""
    beaten = sorted((each for each in held if each not in not_beaten), key=_nearest)
    parts = [f"Nearest: {beaten[0].words()}."] if beaten else []
    ties = [row_title(each.other) for each in beaten if each.is_tie]
    fallen = [row_title(each.other) for each in beaten if each.status == COLLAPSED]
    if ties:
        parts.append(f"Equal in every seed: {', '.join(ties)}.")
    if fallen:
        parts.append(f"Collapsed, counted as beaten: {', '.join(fallen)}.")
    if not_beaten:
        parts.append(f"Not beaten: {_listed(not_beaten)}.")
    return " ".join(parts)


def _nearest(each: PairedComparison) -> float:
    return each.advantage.mean if each.advantage is not None else math.inf


def _fallen(row: str, cell: Evidence) -> str:
    return f"{row_title(row)} collapsed in {cell.collapsed(row)} of {cell.seeds(row)} seeds."


def _listed(comparisons: Sequence[PairedComparison]) -> str:
    return "; ".join(each.words() for each in comparisons)
