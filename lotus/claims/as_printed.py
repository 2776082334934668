"""Reads a claim off the published numbers: as printed, without statistics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from lotus.claims.judging import FAILS, HOLDS
from lotus.claims.stated import (
    TIME,
    Alike,
    Best,
    Claim,
    Correlated,
    Place,
    Smaller,
    StandsOut,
    Within,
    is_higher_better,
)
from lotus.published.numbers import DECIMALS, PLACE
from lotus.results.quantities import CORRELATION
from lotus.results.titles import benchmark_title, row_title

NOT_PRINTED = "not printed"
PRINTED_VERDICTS = (HOLDS, FAILS, NOT_PRINTED)
PRINTED_NAMES = {"jsd": "jsd_e4", "rf_jsd": "rf_jsd_e4", TIME: "time_min"}
"""Metrics that the published reference names otherwise."""
SLACK = 1e-9


@dataclass(frozen=True)
class AsPrinted:
    """A verdict on a claim by the printed numbers alone.

    Attributes:
        benchmarks: that print what the rule is about.
        exceptions: where it is not so, with the numbers.
        ties: where equal printed numbers share a place.

    """

    verdict: str
    benchmarks: int
    exceptions: Sequence[str]
    ties: Sequence[str]


@dataclass(frozen=True)
class _Reading:
    """The verdict in one benchmark."""

    is_so: bool
    why: str
    tie: str = ""


def places_of(claim: Claim, published: pd.DataFrame) -> list[Place]:
    """The paper's benchmarks that a claim speaks of."""
    if claim.places:
        return list(claim.places)
    lines = published[published["item"].isin(claim.items) & (published["dataset"] != "all")]
    return [
        (str(dataset), str(architecture), str(scenario))
        for dataset, architecture, scenario in dict.fromkeys(
            lines[list(PLACE)].itertuples(index=False, name=None)
        )
    ]


def as_printed(claim: Claim, published: pd.DataFrame) -> AsPrinted:
    """Reads the claim's rule on the printed numbers of each of its benchmarks.

    Args:
        published: as `load_published` gives it.

    """
    found = list(_readings(claim, published))
    if not found:
        return AsPrinted(NOT_PRINTED, 0, (), ())
    enough = any if claim.where == "some" else all
    return AsPrinted(
        HOLDS if enough(reading.is_so for reading in found) else FAILS,
        len(found),
        [reading.why for reading in found if not reading.is_so],
        [reading.tie for reading in found if reading.tie],
    )


def _readings(claim: Claim, published: pd.DataFrame) -> Iterator[_Reading]:
    rule = claim.rule
    if isinstance(rule, StandsOut | Alike):
        return
    metric = CORRELATION if isinstance(rule, Correlated) else rule.metric
    table = _values(claim, published, PRINTED_NAMES.get(metric, metric))
    for place in places_of(claim, published):
        if place not in table.index:
            continue
        numbers = table.loc[place].dropna()
        title = benchmark_title(*place)
        match rule:
            case Best():
                reading = _best(rule, numbers, title)
            case Smaller():
                reading = _smaller(rule, numbers, title)
            case Within():
                reading = _within(rule, numbers, title)
            case Correlated():
                r = float(numbers.iloc[0])
                reading = _Reading(r >= rule.at_least - SLACK, f"{title}: {r:.2f}")
        if reading is not None:
            yield reading


def _values(claim: Claim, published: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Preferred numbers by place (index) and row; an item of the claim before any other."""
    lines = published[published["preferred"] & (published["metric"] == metric)]
    lines = lines.assign(_foreign=~lines["item"].isin(claim.items)).sort_values(
        "_foreign", kind="stable"
    )
    lines = lines.drop_duplicates([*PLACE, "row"])
    return lines.pivot(index=list(PLACE), columns="row", values="mean")


def _best(rule: Best, numbers: pd.Series, title: str) -> _Reading | None:
    rivals = numbers[[row for row in rule.among if row in numbers and row != rule.row]]
    if rule.row not in numbers or rivals.empty:
        return None
    sign = -1 if is_higher_better(rule.metric) else 1
    mine = float(numbers[rule.row])
    ahead = rivals[sign * rivals < sign * mine - SLACK]
    equal = rivals[(rivals - mine).abs() <= SLACK]
    said = f"{title}: {_number(rule.row, mine, rule.metric)}"
    tie = f"{said}, as {', '.join(row_title(row) for row in equal.index)}" if len(equal) else ""
    better = "; ".join(_number(row, value, rule.metric) for row, value in ahead.items())
    return _Reading(len(ahead) < rule.rank, f"{said}; better: {better}", tie)


def _smaller(rule: Smaller, numbers: pd.Series, title: str) -> _Reading | None:
    pairs = [(a, b) for a in rule.row for b in rule.than if a in numbers and b in numbers]
    if not pairs:
        return None
    wrong = [(a, b) for a, b in pairs if numbers[a] >= numbers[b] - SLACK]
    said = "; ".join(
        f"{_number(a, numbers[a], rule.metric)}, {_number(b, numbers[b], rule.metric)}"
        for a, b in wrong
    )
    return _Reading(not wrong, f"{title}: {said}")


def _within(rule: Within, numbers: pd.Series, title: str) -> _Reading | None:
    if rule.row not in numbers or rule.than not in numbers:
        return None
    mine, theirs = float(numbers[rule.row]), float(numbers[rule.than])
    worse, better = (theirs, mine) if is_higher_better(rule.metric) else (mine, theirs)
    is_so = (
        worse <= better * rule.factor + SLACK
        if rule.factor is not None
        else worse - better <= (rule.margin or 0.0) + SLACK
    )
    both = f"{_number(rule.row, mine, rule.metric)}, {_number(rule.than, theirs, rule.metric)}"
    return _Reading(is_so, f"{title}: {both}")


def _number(row: object, value: float, metric: str) -> str:
    return f"{row_title(str(row))} {value:.{DECIMALS.get(metric, 2)}f}"
