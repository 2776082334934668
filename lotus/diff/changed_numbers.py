"""Finds numbers that differ between two sets of metrics, and by how much against the seeds' spread."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean
from typing import Any

from lotus.config.cells import Benchmark

NOISE = 1e-9
"""Largest difference that rounding alone can make; of means above 1 relative to them."""


@dataclass(frozen=True)
class ComparedModel:
    """One model in one benchmark."""

    benchmark: Benchmark
    row: str
    seed: int


Models = Mapping[ComparedModel, Mapping[str, Any]]
"""What was measured of each model."""


@dataclass(frozen=True)
class Number:
    """A number that differs between the sides.

    Attributes:
        a, b: means over the seeds that both sides have.
        spread: sample deviation over these seeds, pooled over both sides; None for a single seed.
        seeds: those that both sides have.
        changed_seeds: those at which the values differ.
        largest: the largest difference at one seed.

    """

    benchmark: Benchmark
    row: str
    metric: str
    a: float
    b: float
    spread: float | None
    seeds: tuple[int, ...]
    changed_seeds: tuple[int, ...]
    largest: float

    @property
    def difference(self) -> float:
        """From a to b."""
        return self.b - self.a

    @property
    def ratio(self) -> float | None:
        """|difference| ÷ spread; infinite where the seeds agree, None where there is no spread."""
        if self.spread is None:
            return None
        return abs(self.difference) / self.spread if self.spread else inf

    @property
    def is_noise(self) -> bool:
        """Whether rounding alone can have made the difference."""
        return self.largest <= NOISE * max(1.0, abs(self.a))

    @property
    def models(self) -> list[ComparedModel]:
        """The models whose values differ."""
        return [ComparedModel(self.benchmark, self.row, seed) for seed in self.changed_seeds]


@dataclass(frozen=True)
class StateChange:
    """A state of a model that differs, or a metric that only one side could compute.

    Attributes:
        what: `collapsed`, `same_as_original` or the metric.
        a, b: the state; of a metric its value, or None.

    """

    model: ComparedModel
    what: str
    a: Any
    b: Any


@dataclass(frozen=True)
class OneSided:
    """A benchmark, row or metric that only one side has.

    Attributes:
        row: '' for the whole benchmark.
        metric: '' for all of it.
        seeds: of the models concerned.

    """

    benchmark: Benchmark
    row: str
    metric: str
    seeds: tuple[int, ...]


def compare_numbers(a: Models, b: Models) -> tuple[int, list[Number]]:
    """Returns how many numbers both sides have, and those that differ, the largest difference first.

    A number is the mean of a row's metric over the seeds at which both sides have a value. Numbers that
    differ by rounding only come last.
    """
    rows: dict[tuple[Benchmark, str], list[int]] = defaultdict(list)
    for model in a:
        if model in b:
            rows[model.benchmark, model.row].append(model.seed)
    compared, changed = 0, []
    for (benchmark, row), seeds in rows.items():
        for metric, pairs in _by_metric(a, b, benchmark, row, sorted(seeds)).items():
            compared += 1
            if any(one != other for one, other in pairs.values()):
                changed.append(_number(benchmark, row, metric, pairs))
    return compared, sorted(changed, key=_rank)


def _by_metric(
    a: Models, b: Models, benchmark: Benchmark, row: str, seeds: Iterable[int]
) -> dict[str, dict[int, tuple[float, float]]]:
    """Metric → seed → the values of both sides, where both are numbers."""
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for seed in seeds:
        model = ComparedModel(benchmark, row, seed)
        mine, theirs = a[model], b[model]
        # A set of the shared names would have another order in each process.
        for metric in mine:
            if metric in theirs and is_number(mine[metric]) and is_number(theirs[metric]):
                found.setdefault(metric, {})[seed] = (mine[metric], theirs[metric])
    return found


def is_number(value: Any) -> bool:
    """Whether a field of a metrics file is a measured number, not a state."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(
    benchmark: Benchmark, row: str, metric: str, pairs: Mapping[int, tuple[float, float]]
) -> Number:
    a, b = zip(*pairs.values(), strict=True)
    return Number(
        benchmark=benchmark,
        row=row,
        metric=metric,
        a=fmean(a),
        b=fmean(b),
        spread=sqrt((_variance(a) + _variance(b)) / 2) if len(a) > 1 else None,
        seeds=tuple(pairs),
        changed_seeds=tuple(seed for seed, (one, other) in pairs.items() if one != other),
        largest=max(abs(other - one) for one, other in pairs.values()),
    )


def _variance(values: tuple[float, ...]) -> float:
    """Returns the variance of a sample (n−1); exactly 0 where all agree, which a rounded mean hides."""
    if min(values) == max(values):
        return 0.0
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _rank(number: Number) -> tuple[Any, ...]:
    ratio = -1.0 if number.ratio is None else number.ratio
    place = (number.benchmark.name, number.row, number.metric)
    return number.is_noise, -ratio, -abs(number.difference), place


def state_changes(a: Models, b: Models) -> list[StateChange]:
    """Returns states that differ, and metrics that one side could not compute, of models that both have."""
    return [
        StateChange(model, what, mine[what], theirs[what])
        for model, mine in a.items()
        if (theirs := b.get(model)) is not None
        for what in mine
        if what in theirs
        and mine[what] != theirs[what]
        and not (is_number(mine[what]) and is_number(theirs[what]))
    ]


def only_in(a: Models, b: Models) -> list[OneSided]:
    """Returns what `a` has and `b` lacks: benchmarks; of common ones rows, seeds and metrics."""
    benchmarks = {model.benchmark for model in b}
    rows = {(model.benchmark, model.row) for model in b}
    found: dict[tuple[Benchmark, str, str], list[int]] = defaultdict(list)
    for model, scores in a.items():
        if model.benchmark not in benchmarks:
            found[model.benchmark, "", ""].append(model.seed)
        elif (model.benchmark, model.row) not in rows or model not in b:
            found[model.benchmark, model.row, ""].append(model.seed)
        else:
            for metric in scores:
                if metric not in b[model]:
                    found[model.benchmark, "", metric].append(model.seed)
    return [OneSided(*place, tuple(sorted({*seeds}))) for place, seeds in found.items()]
