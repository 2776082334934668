"""Does a claim hold in one benchmark? Decided over seeds, pair by pair, beside its other benchmarks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lotus.claims.comparisons import (
    ERROR,
    PairedComparison,
    beaten,
    by_advantage,
    compare,
    corrected,
    listed,
)
from lotus.claims.evidence import Distances, Evidence
from lotus.claims.floors import Floor, floor_of_correlation, floor_of_ranking
from lotus.claims.remedies import Remedy, of_rivals
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
)
from lotus.layout import GOLD
from lotus.results.correlation import Correlation, agreement_points, jsd_agreement
from lotus.results.holm import shares
from lotus.results.titles import dataset_title, row_title

HOLDS, FAILS, OPEN, NOT_RUN = (
    "holds",
    "does not hold",
    "cannot be told from these runs",
    "not run",
)
VERDICTS = (HOLDS, FAILS, OPEN, NOT_RUN)
ABOVE = "ks_forget_above_test"


@dataclass(frozen=True)
class Finding:
    """The verdict on a claim in one benchmark, and the numbers behind it.

    Attributes:
        published: which of the paper's benchmarks it is, None for another one.
        why: the numbers that decide.
        numbers: further ones, by name.
        measures: metrics that it rests on.
        remedies: what would settle it, where it cannot be told.
        failed: rows that it speaks of, of which models are missing, and the seeds of these.

    """

    title: str
    protocol: str
    published: Place | None
    data: str
    verdict: str
    why: str
    comparisons: Sequence[PairedComparison] = ()
    numbers: Sequence[tuple[str, float]] = ()
    measures: Sequence[str] = ()
    remedies: Sequence[Remedy] = ()
    failed: Mapping[str, Sequence[int]] = field(default_factory=dict)


Numbers = Sequence[tuple[str, float]]
Decided = tuple[str, str, Numbers]


def judge_cells(rule: Rule, cells: Sequence[Evidence]) -> list[Finding]:
    """The verdict of each benchmark that has the rows which the rule is about.

    What is compared in all of them errs together at 5 % (`corrected`), and so do correlations.
    """
    cells = [cell for cell in cells if _concerns(rule, cell)]
    lacking = [_lacking(rule, cell) for cell in cells]
    ran = zip(cells, lacking, strict=True)
    held = corrected([[] if said else _comparisons(rule, cell) for cell, said in ran])
    levels = _levels(rule, cells)
    found = []
    for cell, said, comparisons, level in zip(cells, lacking, held, levels, strict=True):
        verdict, why, numbers = (
            (OPEN, f"{said}.", ()) if said else _decided(rule, cell, comparisons, level)
        )
        floor, sentence = _floor(rule, cell)
        found.append(
            Finding(
                title=cell.title,
                protocol=cell.protocol.base,
                published=cell.published,
                data=cell.data,
                verdict=verdict,
                why=f"{why} {sentence}".rstrip(),
                comparisons=comparisons,
                numbers=[*numbers, *floor],
                measures=_measures(rule, comparisons),
                remedies=_remedies(rule, cell, comparisons, said) if verdict == OPEN else (),
                failed=_failed(rule, cell),
            )
        )
    return found


def _concerns(rule: Rule, cell: Evidence) -> bool:
    match rule:
        case Best():
            return rule.row in cell.tried and bool({*rule.among} & cell.tried - {rule.row})
        case Smaller():
            return bool({*rule.row} & cell.tried) and bool({*rule.than} & cell.tried)
        case Within():
            return {rule.row, rule.than} <= cell.tried
        case StandsOut():
            return {rule.row, GOLD} <= cell.tried
        case Correlated():
            return bool((cell.frame["jsd"].notna() & cell.frame["rf_jsd"].notna()).any())
        case Alike():
            return False


def _lacking(rule: Rule, cell: Evidence) -> str:
    """Returns why nothing can be compared in a benchmark; '' if something can."""
    if isinstance(rule, Correlated):
        return ""
    for side in _sides(rule):
        if not {*side} & cell.rows:
            return _absent([row for row in side if row in cell.failed], cell).rstrip(".")
    metric = ABOVE if isinstance(rule, StandsOut) else getattr(rule, "metric", "")
    return cell.lacks(metric) or (cell.lacks("jsd") if isinstance(rule, StandsOut) else "")


def _sides(rule: Rule) -> Sequence[Sequence[str]]:
    """The rows of which a rule needs one at least, of each group."""
    match rule:
        case Best():
            return [rule.row], [row for row in rule.among if row != rule.row]
        case Smaller():
            return rule.row, rule.than
        case Within():
            return [rule.row], [rule.than]
        case StandsOut():
            return ([rule.row],)
    return ()


def _failed(rule: Rule, cell: Evidence) -> Mapping[str, Sequence[int]]:
    """Rows that a rule speaks of (of a correlation: all) with the seeds in which they failed."""
    asked = {row for side in _sides(rule) for row in side}
    every = isinstance(rule, Correlated)
    return {row: seeds for row, seeds in cell.failed.items() if every or row in asked}


def _absent(rows: Sequence[str], cell: Evidence) -> str:
    """Returns which rows have no model at all, in words."""
    failed = [row for row in rows if row in cell.failed]
    said = {
        "Not run": [row for row in rows if row not in failed],
        "Failed in every seed": failed,
    }
    return " ".join(f"{what}: {', '.join(map(row_title, of))}." for what, of in said.items() if of)


def _floor(rule: Rule, cell: Evidence) -> Floor:
    """Returns the floor of what a rule ranks by, and what is to be said of it beside the verdict."""
    match rule:
        case Best() | Smaller():
            return floor_of_ranking(cell, rule.metric, {*_asked(rule)} & cell.rows)
        case Correlated():
            rows = agreement_points(cell.frame)["row"].unique()
            return floor_of_correlation(cell, [str(row) for row in rows])
    return (), ""


def _measures(rule: Rule, held: Sequence[PairedComparison]) -> list[str]:
    """Returns the metrics that a verdict rests on; [] where nothing was compared but times."""
    if isinstance(rule, Correlated):
        return ["jsd", "rf_jsd"]
    return list(dict.fromkeys(each.metric for each in held if each.metric != TIME))


def _remedies(
    rule: Rule, cell: Evidence, held: Sequence[PairedComparison], lacking: str
) -> list[Remedy]:
    """Returns what would settle a rule that cannot be told in a benchmark."""
    if lacking:
        return [Remedy("models", lacking)]
    found: list[Remedy] = []
    match rule:
        case Correlated():
            words = "more methods, whose models differ more, would narrow the interval of the correlation"
            return [Remedy("models", words)]
        case StandsOut() if not held:
            return [Remedy("models", _fallen(rule.row, cell).rstrip("."))]
        case Best():
            found = of_rivals(held, rule.rank)
        case _:
            found = of_rivals(held)
    absent = [row for row in _asked(rule) if row not in cell.rows]
    if absent:
        words = _absent(absent, cell).rstrip(".")
        found.append(Remedy("models", f"{words[0].lower()}{words[1:]}"))
    return found


def _asked(rule: Rule) -> list[str]:
    """Rows that a rule names."""
    match rule:
        case Best():
            return [rule.row, *rule.among]
        case Smaller():
            return [*rule.row, *rule.than]
    return []


def _comparisons(rule: Rule, cell: Evidence) -> list[PairedComparison]:
    """Returns what the rule compares in a benchmark; nothing where a row that it is about has collapsed."""
    match rule:
        case Best():
            pairs = [(rule.row, other) for other in rule.among if other != rule.row]
        case Smaller():
            pairs = [(row, other) for row in rule.row for other in rule.than]
        case Within():
            unit = "ratio" if rule.factor is not None else "difference"
            bound = 1 / rule.factor if rule.factor is not None else -(rule.margin or 0.0)
            if cell.collapsed(rule.row):
                return []
            return [compare(cell, rule.row, rule.than, rule.metric, unit, bound)]
        case StandsOut():
            if cell.collapsed(rule.row):
                return []
            return [compare(cell, rule.row, GOLD, ABOVE, bound=-rule.margin)]
        case _:
            return []
    ran = [pair for pair in pairs if {*pair} <= cell.rows]
    if any(cell.collapsed(row) for row, _ in ran):
        return []
    floor = cell.floor(rule.metric)
    return [compare(cell, row, other, rule.metric, floor=floor) for row, other in ran]


def _decided(rule: Rule, cell: Evidence, held: Sequence[PairedComparison], level: float) -> Decided:
    match rule:
        case Best():
            return *_best(rule, cell, held), ()
        case Smaller():
            return *_smaller(rule, cell, held), ()
        case Within():
            return *_within(rule, cell, held), ()
        case StandsOut():
            return *_stands_out(rule, cell, held), ()
        case Correlated():
            return _correlated(rule, cell, level)
    raise TypeError(rule)


def _best(rule: Best, cell: Evidence, held: Sequence[PairedComparison]) -> tuple[str, str]:
    """First by a metric, or among the first r: all but r − 1 rivals are beaten.

    It is refuted where r rivals are better.
    """
    absent = [row for row in rule.among if row not in cell.rows and row != rule.row]
    if cell.collapsed(rule.row):
        return FAILS, _fallen(rule.row, cell)
    open_ = [each for each in held if not (each.is_ahead or each.is_tie)]
    better = [each for each in held if each.is_behind]
    if len(better) >= rule.rank:
        return FAILS, f"Better: {listed(better)}."
    if len(open_) >= rule.rank:
        return OPEN, f"Not settled: {_three(open_)}."
    why = beaten(held, open_)
    if absent:
        return OPEN, f"{why} {_absent(absent, cell)}"
    return HOLDS, why


def _smaller(rule: Smaller, cell: Evidence, held: Sequence[PairedComparison]) -> tuple[str, str]:
    """Each row smaller than each other; what is one and the same is not smaller."""
    for row in rule.row:
        if cell.collapsed(row):
            return FAILS, _fallen(row, cell)
    refuted = [each for each in held if each.is_behind or each.is_tie]
    open_ = [each for each in held if not each.is_ahead]
    if refuted:
        return FAILS, f"Not smaller: {listed(refuted)}."
    if open_:
        return OPEN, f"Not settled: {_three(open_)}."
    why = beaten(held, open_)
    if absent := [row for row in (*rule.row, *rule.than) if row not in cell.rows]:
        return OPEN, f"{why} {_absent(absent, cell)}"
    return HOLDS, why


def _within(rule: Within, cell: Evidence, held: Sequence[PairedComparison]) -> tuple[str, str]:
    """Not worse by more than the margin."""
    if cell.collapsed(rule.row):
        return FAILS, _fallen(rule.row, cell)
    (found,) = held
    why = f"Advantage over {found.words()}."
    if found.is_ahead:
        return HOLDS, why
    return (FAILS if found.is_behind else OPEN), why


def _stands_out(
    rule: StandsOut, cell: Evidence, held: Sequence[PairedComparison]
) -> tuple[str, str]:
    """Conspicuous by uncertainty: beyond gold by more than the margin, or not."""
    if cell.collapsed(rule.row):
        return (OPEN if rule.stands_out else FAILS), _fallen(rule.row, cell)
    (found,) = held
    why = f"Advantage (less conspicuous) over {found.words()}."
    if found.advantage is None or not found.is_told:
        return OPEN, why
    return (HOLDS if found.is_behind == rule.stands_out else FAILS), why


def _levels(rule: Rule, cells: Sequence[Evidence]) -> list[float]:
    """Returns the levels of the correlations' intervals in benchmarks that err together at 5 %."""
    if not isinstance(rule, Correlated):
        return [1 - ERROR] * len(cells)
    p_values = [_agreement(rule, cell).p_value for cell in cells]
    return [1 - share for share in shares(p_values, ERROR)]


def _agreement(rule: Correlated, cell: Evidence, level: float = 1 - ERROR) -> Correlation:
    """Returns the correlation of the protocol's own forms of the two metrics."""
    forms = {name: cell.stated.values(name) for name in ("jsd", "rf_jsd")}
    return jsd_agreement(cell.frame.assign(**forms), level, rule.at_least)[1]


def _correlated(rule: Correlated, cell: Evidence, level: float) -> Decided:
    """Holds where the interval of `jsd_agreement` lies above what the rule asks for."""
    found = _agreement(rule, cell, level)
    numbers_found = [
        ("pearson", found.pearson),
        ("low", found.low),
        ("high", found.high),
        ("points", float(found.points)),
        ("rows", float(found.groups)),
    ]
    if math.isnan(found.low):
        why = f"Too few to compare: {found.points} models of {found.groups} rows."
        return OPEN, why, numbers_found
    why = (
        f"r = {found.pearson:.2f} ({100 * level:.4g} % interval over whole rows "
        f"{found.interval}, {found.points} models of {found.groups} rows)."
    )
    if found.low >= rule.at_least:
        return HOLDS, why, numbers_found
    return (FAILS if found.high < rule.at_least else OPEN), why, numbers_found


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


def _three(comparisons: Sequence[PairedComparison]) -> str:
    """Lists the three comparisons that speak most against the claim."""
    return listed(sorted(comparisons, key=by_advantage)[:3])


def _fallen(row: str, cell: Evidence) -> str:
    return f"{row_title(row)} {cell.fallen(row)}."
