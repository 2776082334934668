"""All metrics of one scenario and seed: original, gold if there is one, and every method."""

from collections.abc import Mapping
from math import isinf
from numbers import Real
from typing import Any

import numpy as np

from lotus.config.scenarios import are_whole_classes
from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.metrics.base.check import check_row, check_together
from lotus.metrics.base.family import Case, Family, Values
from lotus.predictions.collapse import lost_most_of
from lotus.predictions.predictions_file import Predictions, Split

SPLITS = ("forget", "retain", "val", "test")
ROUNDING = 1e-9
"""How far beyond its limits arithmetic can carry a value."""


def of_scenario(original: Predictions, other: Predictions) -> dict[str, Split]:
    """The original's predictions in the splits of a scenario.

    Args:
        other: of any other model of the scenario, gold or unlearned: its rows define the splits.

    """
    train = original["train"]
    return {
        "forget": train.at(other["forget"].indices),
        "retain": train.at(other["retain"].indices),
        "val": original["val"].at(other["val"].indices),
        "test": original["test"].at(other["test"].indices),
    }


def score_all(
    original: Predictions,
    gold: Predictions | None,
    unlearned: Mapping[str, Predictions],
    seed: int,
    collapsed: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Numbers of the original ("doing nothing"), of gold and of every method, by row name.

    A row has a value under the column of each metric, and of each form of it; None where that is undefined
    or not applicable, and throughout where a prediction is not finite. Then come `same_as_original`,
    whether every prediction equals the original model's, and `collapsed`, why the model is of no use, or
    '': as its predictions say, or since it lost most of what the original knows. Nothing is rounded. The
    images of each split are those of the gold model, without one those of the first method.

    Args:
        original: of the original model (train, val, test).
        gold: of this seed's gold model (forget, retain, val, test), None if none was retrained.
        unlearned: by row name, like `gold`; at least one where there is no gold.
        seed: of the attack's subsampling.
        collapsed: by row name, why a model is of no use; its numbers are given where they exist.

    Raises:
        LotusError: a model was asked about other images than the rest, or its predictions are damaged;
            names the row and the split. Or a metric's file, or what its function gives, is not as it has
            to be.

    """
    others = {**({"gold": gold} if gold is not None else {}), **unlearned}
    if not others:
        raise LotusError(
            "metrics need the predictions of gold or of a method beside the original's"
        )
    check_row("original", original, ("train", "val", "test"))
    for name, row in others.items():
        check_row(name, row, SPLITS)
    first, expected = next(iter(others.items()))
    try:
        untouched = of_scenario(original, expected)
    except LotusError as error:
        raise LotusError(f"original: {error}, which {first} has") from error
    rows: dict[str, Predictions] = {"original": untouched, **others}
    why = collapsed or {}
    for name, row in rows.items():
        for split in SPLITS:
            if not np.array_equal(row[split].indices, expected[split].indices):
                raise LotusError(f"{name}: its {split} images are not those of {first}")
    check_together(rows)
    numbers = _numbers(rows, seed)
    return {
        name: {
            **dict.fromkeys(registry.columns()),
            **numbers.get(name, {}),
            "same_as_original": name in numbers and _is_same(row, untouched),
            "collapsed": why.get(name, "") or _lost_most(name, row, untouched),
        }
        for name, row in rows.items()
    }


def _lost_most(name: str, row: Predictions, original: Predictions) -> str:
    if name == "original" or not all(
        np.isfinite(it["retain"].logits).all() for it in (row, original)
    ):
        return ""
    right, originals = (it["retain"].logits.argmax(axis=1) for it in (row, original))
    labels = row["retain"].labels
    return lost_most_of(right == labels, originals == labels, labels)


def _numbers(rows: Mapping[str, Predictions], seed: int) -> dict[str, dict[str, float | None]]:
    """Row → the columns that are defined; rows with predictions that are not finite are left out.

    What needs gold comes last: it may be made of what the other metrics say of the model and of gold.
    """
    forget, retain = rows["original"]["forget"], rows["original"]["retain"]
    is_whole = are_whole_classes(forget.labels.tolist(), retain.labels.tolist())
    own = [family for family in registry.families() if not family.needs("gold")]
    to_gold = [family for family in registry.families() if family.needs("gold")]
    found: dict[str, dict[str, float | None]] = {}
    for name, row in rows.items():
        if _is_finite(row):
            case = Case(row, seed, is_whole, original=rows["original"])
            found[name] = {}
            for family in own:
                found[name] |= _values(family, case, name)
    if "gold" in found:
        for name in found.keys() - {"gold"}:
            case = Case(
                rows[name],
                seed,
                is_whole,
                original=rows["original"],
                gold=rows["gold"],
                scores=dict(found[name]),
                gold_scores=found["gold"],
            )
            for family in to_gold:
                found[name] |= _values(family, case, name)
    return {
        name: {column: None if _is_nan(value) else value for column, value in values.items()}
        for name, values in found.items()
    }


def _values(family: Family, case: Case, row: str) -> Values:
    """Returns what a family says of a model: by column, a number or None.

    Raises:
        LotusError: something else, or a number beyond the metric's limits.

    """
    if case.class_forgetting and family.is_of_instances:
        return {}
    found = family(family.seen(case))
    if not isinstance(found, Mapping):
        found = {family.columns[0]: found}
    for column, value in found.items():
        if problem := _problem(family, column, value):
            raise LotusError(f"{registry.file_of(family)}: metric '{column}' of {row}: {problem}")
    return {column: None if value is None else float(value) for column, value in found.items()}


def _problem(family: Family, column: str, value: object) -> str:
    """Returns why a value cannot be one of a column; '' if it can."""
    if column not in family.columns:
        return f"no MetricSpec describes it; described are: {', '.join(family.columns)}"
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return f"{value!r} is not a number; accepted: a number, or None where it is undefined"
    if isinf(value):
        return "is infinite; accepted: a finite number, or None where it is undefined"
    number = float(value)
    for spec in family.specs:
        low, high = spec.limits
        if spec.name == column and (number < low - ROUNDING or number > high + ROUNDING):
            return f"{number} is not within its limits, {low:g} … {high:g}"
    return ""


def _is_nan(value: float | None) -> bool:
    return value is not None and bool(np.isnan(value))


def _is_finite(row: Predictions) -> bool:
    return all(np.isfinite(split.logits).all() for split in row.values())


def _is_same(row: Predictions, original: Predictions) -> bool:
    return all(np.array_equal(row[name].logits, original[name].logits) for name in SPLITS)
