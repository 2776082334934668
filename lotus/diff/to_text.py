"""A comparison in words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from lotus.diff.changed_numbers import Number, OneSided, StateChange
from lotus.diff.compare import Change, ComparedResults, commits
from lotus.diff.find_causes import SECONDS
from lotus.diff.loading import Side
from lotus.diff.steps import STATE, ComparedStep
from lotus.names import shown
from lotus.records.forms import MODELS
from lotus.tables.effects import aligned
from lotus.wording import counted, first_of

FILES = {"metrics": "metrics file", "held-out": "held-out split", "forget-set": "forget set"}
"""Names of what steps make that make no model."""
KINDS = {"record": "records that cannot be trusted"}
HEADS = ("benchmark", "row", "metric", "A", "B", "difference", "spread", "÷ spread", "seeds", "why")
DIGEST, HEXADECIMAL = 12, frozenset("0123456789abcdef")
"""Fewest digits of what is taken for a digest, and which these are."""
LARGE = 1_000
"""Largest ratio that is told by its value."""
SHOWN = 3
"""Names of a list that are shown before the rest is only counted."""


def lines(found: ComparedResults, top: int) -> Iterator[str]:
    """Returns the comparison for the terminal.

    Args:
        top: how many entries of a list to show; all changes are shown.

    """
    return map(shown, _lines(found, top))


def _lines(found: ComparedResults, top: int) -> Iterator[str]:
    yield from (_side(name, side) for name, side in (("A", found.a), ("B", found.b)))
    yield from ("", summary(found))
    yield from _section("Changes between A and B", _changes(found.changes))
    table = _table(found.numbers[:top]) + _more(len(found.numbers), top)
    yield from _section("Numbers that moved, the largest against the seeds' spread first", table)
    lists = {
        "States that differ": [
            f"{_state_line(state)}  {_ids(ids)}" for state, ids in found.state_changes
        ],
        "Only in A": [_one_sided(only) for only in found.only_in_a],
        "Only in B": [_one_sided(only) for only in found.only_in_b],
    }
    for title, entries in lists.items():
        yield from _section(title, entries[:top] + _more(len(entries), top))


def _more(count: int, top: int) -> list[str]:
    return [f"… and {count - top:,} more (--top)"] if count > top else []


def summary(found: ComparedResults) -> str:
    """Returns a sentence: how many numbers moved, and how far."""
    numbers = [number for number, _ in found.numbers]
    if found.same:
        return f"The same: all {found.compared:,} numbers agree to the last bit."
    if not numbers:
        return f"None of {found.compared:,} numbers moved."
    noise = sum(number.is_noise for number in numbers)
    # Seeds that agree have no spread, so that a rounded digit alone would count as far.
    far = sum((number.ratio or 0) > 1 and not number.is_noise for number in numbers)
    single = sum(number.spread is None for number in numbers)
    unexplained = sum(not ids and number.metric != SECONDS for number, ids in found.numbers)
    parts = [f"{len(numbers):,} of {found.compared:,} numbers moved"]
    if single < len(numbers):
        parts.append(f"{far:,} by more than one standard deviation over the seeds")
    if single:
        parts.append(f"{single:,} of a single seed, without a spread")
    if noise:
        parts.append(f"{noise:,} by no more than rounding")
    if unexplained:
        parts.append(f"{unexplained:,} without a recorded change (not deterministic?)")
    return "; ".join(parts) + "."


def _section(title: str, body: Sequence[str]) -> Iterator[str]:
    if body:
        yield from ("", title)
        yield from (f"  {line}" for line in body)


def _side(name: str, side: Side) -> str:
    made = [f"{commit} ({count} records)" for commit, count in commits(side).items()]
    by = f"; made by the code of {first_of(made, SHOWN)}" if made else ""
    return f"{name}  {side.title}: {len(side.metrics)} metrics files{by}"


def _changes(changes: Sequence[Change]) -> list[str]:
    """Two lines for all changes of one kind in the same records."""
    said = []
    for _, group in groupby(changes, key=lambda one: (one.kind, one.records, one.explains)):
        together = list(group)
        first = together[0]
        what = ", ".join(_what(change) for change in together)
        said += [
            f"{_ids([change.id for change in together])} {KINDS.get(first.kind, first.kind)}: {what}",
            f"    in {_steps(first.steps)}: {_effect(first)}",
        ]
    return said


def _effect(change: Change) -> str:
    if not change.explains:
        return "moved no number"
    # Of a record that is not trusted its outputs prove nothing.
    same = sum(step.same for step in change.steps if change.kind != "record")
    doubt = (
        f"; {same:,} of {len(change.steps):,} steps wrote the same bytes with it" if same else ""
    )
    return f"can explain {counted(change.explains, 'difference', form=',')}{doubt}"


def _what(change: Change) -> str:
    old, new = (_values(values) for values in (change.old, change.new))
    if change.what == STATE:
        return f"{old} → {new}"
    if change.kind in ("code", "data") and None not in (*change.old, *change.new):
        return f"{change.what} ({old} → {new})" if change.kind == "data" else change.what
    if change.old == (None,):
        return f"{change.what} (new: {new})" if change.kind != "code" else f"{change.what} (new)"
    if change.new == (None,):
        return f"{change.what} (gone)"
    return f"{change.what}: {old} → {new}"


def _values(values: Sequence[Any]) -> str:
    return first_of([_value(value) for value in values], SHOWN)


def _value(value: Any) -> str:
    """A value; of a digest its beginning."""
    text = str(value)
    return f"{text[:8]}…" if len(text) >= DIGEST and not set(text) - HEXADECIMAL else text


def _steps(steps: Sequence[ComparedStep]) -> str:
    """Returns what steps made, in few words."""
    models = [step for step in steps if step.kind in MODELS]
    said = []
    if models:
        rows = sorted({step.row for step in models})
        said.append(f"{counted(len(models), 'model', form=',')} ({first_of(rows, SHOWN)})")
    others = Counter(
        FILES.get(step.kind, step.kind or "record") for step in steps if step.kind not in MODELS
    )
    said += [counted(count, name, form=",") for name, count in others.items()]
    places = sorted({" ".join(filter(None, step.place)) for step in steps})
    return f"{', '.join(said)} of {first_of(places, SHOWN)}"


def _table(numbers: Sequence[tuple[Number, tuple[int, ...]]]) -> list[str]:
    if not numbers:
        return []
    return aligned(iter([[*HEADS], *(_cells(number, ids) for number, ids in numbers)]))


def _cells(number: Number, ids: Sequence[int]) -> list[str]:
    noise = " (rounding)" if number.is_noise else ""
    return [
        number.benchmark.name,
        number.row,
        number.metric,
        f"{number.a:.6g}",
        f"{number.b:.6g}",
        f"{number.difference:+.3g}{noise}",
        "n/a" if number.spread is None else f"{number.spread:.2g}",
        _ratio(number.ratio),
        f"{len(number.changed_seeds)} of {len(number.seeds)}",
        "measured" if number.metric == SECONDS and not ids else _ids(ids),
    ]


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return "n/a"
    return f"{ratio:.2g}" if ratio < LARGE else f"> {LARGE:,}"


def _ids(ids: Sequence[int]) -> str:
    """`[1, 4–7]`."""
    if not ids:
        return "no recorded change"
    ranges: list[list[int]] = []
    for id_ in ids:
        if ranges and ranges[-1][1] == id_ - 1:
            ranges[-1][1] = id_
        else:
            ranges.append([id_, id_])
    texts = (str(first) if first == last else f"{first}–{last}" for first, last in ranges)
    return f"[{', '.join(texts)}]"


def _state_line(state: StateChange) -> str:
    model = state.model
    a, b = (_state(state.what, value) for value in (state.a, state.b))
    return f"{model.benchmark.name}, {model.row}, seed {model.seed}: {state.what}: {a} → {b}"


def _state(what: str, value: Any) -> str:
    if what == "collapsed":
        return str(value) or "no"
    return "undefined" if value is None else str(value)


def _one_sided(only: OneSided) -> str:
    parts = [only.benchmark.name, only.row, only.metric and f"metric {only.metric}"]
    seeds = ", ".join(map(str, only.seeds))
    return (
        f"{', '.join(filter(None, parts))} ({'seed' if len(only.seeds) == 1 else 'seeds'} {seeds})"
    )
