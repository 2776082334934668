"""Checks that predictions are such that metrics of them mean something."""

from collections.abc import Iterable, Mapping

import numpy as np

from lotus.errors import LotusError
from lotus.predictions.predictions_file import Predictions, Split


def check_row(row: str, predictions: Predictions, needed: Iterable[str]) -> None:
    """A model's predictions have the splits that are needed, each of them whole.

    Raises:
        LotusError: names the row, the split and what is wrong.

    """
    for name in needed:
        if name not in predictions:
            raise LotusError(
                f"{row}: its predictions have no split '{name}'; they have: {', '.join(predictions)}"
            )
    for name, split in predictions.items():
        if problem := _problem(split):
            raise LotusError(f"{row}: split '{name}': {problem}")


def _problem(split: Split) -> str:
    """Returns what is wrong with a split; '' if nothing is."""
    logits, labels, indices = split.logits, split.labels, split.indices
    if logits.ndim != 2 or logits.dtype.kind != "f" or not logits.size:
        return f"logits are {logits.dtype} {[*logits.shape]}; accepted: numbers [images, classes]"
    count, classes = logits.shape
    for name, values in {"labels": labels, "indices": indices}.items():
        if values.shape != (count,) or values.dtype.kind not in "iu":
            return f"{name} are {values.dtype} {[*values.shape]}; accepted: whole numbers [{count}]"
    if labels.min() < 0 or labels.max() >= classes:
        worst = labels.min() if labels.min() < 0 else labels.max()
        return f"label {worst}; accepted: 0…{classes - 1}, since there are {classes} logits"
    ordered = np.sort(indices)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return f"image {twice[0]} occurs twice" if len(twice) else ""


def check_together(rows: Mapping[str, Mapping[str, Split]]) -> None:
    """All rows, of the same images, have the same labels and equally many classes.

    Raises:
        LotusError: names the row that differs from the first one, and the split.

    """
    first, expected = next(iter(rows.items()))
    for row, splits in rows.items():
        for name, split in splits.items():
            if name not in expected:
                continue
            classes, others = split.logits.shape[1], expected[name].logits.shape[1]
            if classes != others:
                raise LotusError(
                    f"{row}: split '{name}': has {classes} classes, but {first} has {others}"
                )
            differ = np.flatnonzero(split.labels != expected[name].labels)
            if len(differ):
                place = differ[0]
                raise LotusError(
                    f"{row}: split '{name}': image {split.indices[place]} has label "
                    f"{split.labels[place]}, but {expected[name].labels[place]} in the predictions "
                    f"of {first}"
                )


def check_finite(what: str, sets: Mapping[str, np.ndarray]) -> None:
    """Sets of numbers have some, and these are finite.

    Raises:
        LotusError: names the set.

    """
    for name, values in sets.items():
        if not len(values):
            raise LotusError(f"{what}: the {name} set is empty")
        if not np.isfinite(values).all():
            raise LotusError(f"{what}: the {name} set has a value that is not finite")


def check_tables(p: np.ndarray, q: np.ndarray) -> None:
    """Two tables of predictions must have rows, and equally many.

    Raises:
        LotusError: no rows, or shapes that differ.

    """
    if p.shape != q.shape or not len(p):
        raise LotusError(
            f"JSD: needs two tables of equal shape that have rows, not {p.shape} and {q.shape}"
        )
