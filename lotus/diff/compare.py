"""Compares two sets of results: which numbers differ, and which recorded changes can explain it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus.config.cells import Benchmark
from lotus.diff.changed_numbers import (
    ComparedModel,
    Models,
    Number,
    OneSided,
    StateChange,
    compare_numbers,
    only_in,
    state_changes,
)
from lotus.diff.find_causes import SECONDS, Causes, find_causes
from lotus.diff.loading import Side
from lotus.diff.steps import ComparedStep, Difference, Key, Kind, over_seeds
from lotus.records.forms import MODELS
from lotus.records.reading import Record
from lotus.results.metrics_file import KEYS

ORDER: tuple[Kind, ...] = (
    "parameter",
    "protocol",
    "seed",
    "data",
    "code",
    "environment",
    "record",
)


@dataclass(frozen=True)
class Change:
    """A difference, in all records that have it.

    Attributes:
        id: by which numbers refer to it, from 1.
        what: with `seed*` where there is a file for each seed.
        old, new: of each side the different values that these records have; None where it has none.
        records: their paths.
        steps: what they are records of.
        explains: how many of the numbers and states that differ it can explain.

    """

    id: int
    kind: Kind
    what: str
    old: tuple[Any, ...]
    new: tuple[Any, ...]
    records: tuple[str, ...]
    steps: tuple[ComparedStep, ...]
    explains: int


@dataclass(frozen=True)
class ComparedResults:
    """The differences between two sides.

    Attributes:
        compared: how many numbers both have.
        numbers: those that differ, the largest first, each with the changes that can explain it.
        state_changes: states of models that differ, likewise.
        changes: first those that can explain something.

    """

    a: Side
    b: Side
    compared: int
    numbers: Sequence[tuple[Number, tuple[int, ...]]]
    state_changes: Sequence[tuple[StateChange, tuple[int, ...]]]
    changes: Sequence[Change]
    only_in_a: Sequence[OneSided]
    only_in_b: Sequence[OneSided]

    @property
    def same(self) -> bool:
        """Whether both have the same numbers and states, and no others."""
        return not (self.numbers or self.state_changes or self.only_in_a or self.only_in_b)


Group = tuple[str, ...]
"""Differences with the same one are one change."""


def compare(a: Side, b: Side, times: bool = False) -> ComparedResults:
    """Compares two sides; `Causes.of` says which changes can explain a number.

    Args:
        times: whether to compare the seconds of the runs as well.

    """
    mine, theirs = models(a), models(b)
    causes = find_causes(a, b)
    compared, numbers = compare_numbers(
        _joined(mine, seconds(a) if times else {}), _joined(theirs, seconds(b) if times else {})
    )
    changed_states = state_changes(mine, theirs)
    groups = _groups(causes)
    of_step: dict[Key, set[Group]] = defaultdict(set)
    for group, found in groups.items():
        for key, _ in found:
            of_step[key].add(group)
    of_numbers = [
        _groups_behind(of_step, causes, number.models, number.metric) for number in numbers
    ]
    of_states = [
        _groups_behind(of_step, causes, [state.model], state.what) for state in changed_states
    ]
    counts = Counter(
        group for groups_of_one in (*of_numbers, *of_states) for group in groups_of_one
    )
    order = sorted(groups, key=lambda group: _rank(group, groups[group], counts[group]))
    ids = {group: number for number, group in enumerate(order, start=1)}
    return ComparedResults(
        a=a,
        b=b,
        compared=compared,
        numbers=_with_ids(numbers, of_numbers, ids),
        state_changes=_with_ids(changed_states, of_states, ids),
        changes=[_change(ids[group], groups[group], causes, counts[group]) for group in order],
        only_in_a=only_in(mine, theirs),
        only_in_b=only_in(theirs, mine),
    )


def commits(side: Side) -> Mapping[str, int]:
    """Commits of the code that made a side's records, and of how many; `+` for one with changes."""
    records = (record for record in side.index.records.values() if not record.problem)
    codes = [record.content["code"] for record in records]
    made = (
        f"{code['commit'][:10]}{'+' if code['dirty'] else ''}" for code in codes if code["commit"]
    )
    return dict(Counter(made).most_common())


def models(side: Side) -> Models:
    """Returns what the metrics files of a side state of each model."""
    found: dict[ComparedModel, Mapping[str, Any]] = {}
    for file in side.metrics.values():
        benchmark = Benchmark(**{key: file.content[key] for key in KEYS})
        for row, scores in file.content["rows"].items():
            found[ComparedModel(benchmark, row, file.content["seed"])] = scores
    return found


def seconds(side: Side) -> Models:
    """Returns the seconds of training or unlearning of models, by the protocol they are filed under."""
    found: dict[ComparedModel, Mapping[str, Any]] = {}
    for record in side.index.records.values():
        if not record.problem and record.kind in MODELS:
            time = record.content["time"]
            found[_model_of(record)] = {SECONDS: time.get("unlearn", time.get("train"))}
    return found


def _model_of(record: Record) -> ComparedModel:
    about = record.about
    place = ("dataset", "architecture", "scenario", "protocol")
    benchmark = Benchmark(*(str(about.get(key, "")) for key in place))
    return ComparedModel(benchmark, str(about.get("row", "")), int(about["seed"]))


def _joined(some: Models, more: Models) -> Models:
    return {model: {**some.get(model, {}), **more.get(model, {})} for model in {**some, **more}}


def _groups(causes: Causes) -> dict[Group, list[tuple[Key, Difference]]]:
    """All differences, those together that are one change."""
    found: dict[Group, list[tuple[Key, Difference]]] = defaultdict(list)
    for key, step in causes.steps.items():
        for difference in step.differences:
            found[_group(difference)].append((key, difference))
    return found


def _group(difference: Difference) -> Group:
    kind, what, old, new = difference
    if kind == "data":
        # Each seed has splits with digests of their own: one change all the same.
        return kind, over_seeds(what)
    return kind, what, json.dumps(old), json.dumps(new)


def _groups_behind(
    of_step: Mapping[Key, set[Group]], causes: Causes, models: Iterable[ComparedModel], metric: str
) -> set[Group]:
    keys = {key for model in models for key in causes.of(model, metric)}
    return {group for key in keys for group in of_step.get(key, ())}


def _rank(group: Group, found: Sequence[tuple[Key, Difference]], count: int) -> tuple[Any, ...]:
    return not count, ORDER.index(found[0][1].kind), -count, _records(found), group


def _with_ids(
    found: Sequence[Any], groups_of: Sequence[set[Group]], ids: Mapping[Group, int]
) -> list[tuple[Any, tuple[int, ...]]]:
    return [
        (one, tuple(sorted(ids[group] for group in groups)))
        for one, groups in zip(found, groups_of, strict=True)
    ]


def _change(
    id_: int, found: Sequence[tuple[Key, Difference]], causes: Causes, explains: int
) -> Change:
    first = found[0][1]
    return Change(
        id=id_,
        kind=first.kind,
        what=over_seeds(first.what),
        old=_different(difference.old for _, difference in found),
        new=_different(difference.new for _, difference in found),
        records=_records(found),
        steps=tuple(causes.steps[key] for key, _ in found),
        explains=explains,
    )


def _records(found: Sequence[tuple[Key, Difference]]) -> tuple[str, ...]:
    return tuple(sorted(key.b or key.a for key, _ in found))


def _different(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple({json.dumps(value): value for value in values}.values())
