"""Entropies of what models said of single images: the Streisand figure is drawn from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.metrics.base.probabilities import entropy_of_logits
from lotus.metrics.base.scoring import of_scenario
from lotus.names import shown
from lotus.predictions.predictions_file import Predictions, check_sizes
from lotus.records.files import atomic

SPLITS = ("forget", "retain", "test")
ROWS, COLLAPSED = "rows", "collapsed"
BySplit = Mapping[str, np.ndarray]
"""Split → entropies in nats, float32 `[n]`; no splits where the model has collapsed."""


def entropies_of(
    original: Predictions, others: Mapping[str, Predictions], collapsed: Mapping[str, str]
) -> dict[str, BySplit]:
    """Returns the entropies of the rows of a cell and seed, the original's first.

    Args:
        original: what the original said; `original` in the result.
        others: row → what its model said of forget, retain and test images.
        collapsed: row → why its model is of no use; '' of any other.

    """
    untouched = of_scenario(original, next(iter(others.values())))
    every = {"original": untouched, **others}
    return {row: {} if collapsed[row] else _of_splits(said) for row, said in every.items()}


def _of_splits(said: Predictions) -> BySplit:
    return {name: entropy_of_logits(said[name].logits).astype(np.float32) for name in SPLITS}


def save_entropies(path: Path, entropies: Mapping[str, BySplit]) -> None:
    """Writes the file atomically; the same entropies give the same bytes."""
    arrays: dict[str, Any] = {
        ROWS: np.array([*entropies]),
        COLLAPSED: np.array([not splits for splits in entropies.values()]),
        **{
            f"{row}/{name}": values
            for row, splits in entropies.items()
            for name, values in splits.items()
        },
    }
    with atomic(path) as draft, draft.open("wb") as file:
        np.savez(file, **arrays)


def load_entropies(path: Path) -> dict[str, BySplit]:
    """Reads what `save_entropies` wrote.

    Raises:
        LotusError: absent, damaged or something else.

    """
    try:
        check_sizes(path)
        with np.load(path) as arrays:
            rows, collapsed = arrays[ROWS].tolist(), arrays[COLLAPSED].tolist()
            return {
                row: {}
                if is_fallen
                else {name: _checked(arrays[f"{row}/{name}"]) for name in SPLITS}
                for row, is_fallen in zip(rows, collapsed, strict=True)
            }
    # Damaged bytes raise whatever they happen to mean to zip files and to numpy.
    except Exception as error:
        said = " ".join(str(error).split())
        raise LotusError(
            f"{shown(path)}: is no file of entropies by `lotus evaluate`: {shown(said)}"
        ) from error


def _checked(values: np.ndarray) -> np.ndarray:
    if values.dtype != np.float32 or values.ndim != 1 or not len(values):
        raise ValueError(f"entropies are {values.dtype} of {values.ndim} dimensions")
    if not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError("entropies are not finite, or negative")
    return values
