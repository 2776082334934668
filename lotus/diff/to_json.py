"""A comparison as JSON."""

from dataclasses import asdict
from math import isfinite
from typing import Any

from lotus.diff.changed_numbers import Number, OneSided, StateChange
from lotus.diff.compare import Change, ComparedResults, commits
from lotus.diff.loading import Side


def as_json(found: ComparedResults) -> dict[str, Any]:
    """All of it; `ratio` is null for a single seed, and where the seeds agree (`spread` is 0)."""
    return {
        "a": _side_json(found.a),
        "b": _side_json(found.b),
        "same": found.same,
        "compared": found.compared,
        "numbers": [{**_number_json(number), "changes": ids} for number, ids in found.numbers],
        "states": [{**_state_json(state), "changes": ids} for state, ids in found.state_changes],
        "changes": [_change_json(change) for change in found.changes],
        "only_in_a": [_one_sided_json(only) for only in found.only_in_a],
        "only_in_b": [_one_sided_json(only) for only in found.only_in_b],
    }


def _side_json(side: Side) -> dict[str, Any]:
    return {"name": side.name, "place": side.place, "commits": dict(commits(side))}


def _number_json(number: Number) -> dict[str, Any]:
    ratio = number.ratio
    return {
        **asdict(number.benchmark),
        "row": number.row,
        "metric": number.metric,
        "a": number.a,
        "b": number.b,
        "difference": number.difference,
        "spread": number.spread,
        "ratio": ratio if ratio is not None and isfinite(ratio) else None,
        "rounding": number.is_noise,
        "seeds": number.seeds,
        "moved": number.changed_seeds,
    }


def _state_json(state: StateChange) -> dict[str, Any]:
    model = state.model
    about = {**asdict(model.benchmark), "row": model.row, "seed": model.seed}
    return {**about, "what": state.what, "a": state.a, "b": state.b}


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "kind": change.kind,
        "what": change.what,
        "old": _one_or_all(change.old),
        "new": _one_or_all(change.new),
        "records": change.records,
        "moved": change.explains,
        "same_bytes": sum(step.same for step in change.steps),
    }


def _one_or_all(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values


def _one_sided_json(only: OneSided) -> dict[str, Any]:
    about = {**asdict(only.benchmark), "row": only.row or None, "metric": only.metric or None}
    return {**about, "seeds": only.seeds}
