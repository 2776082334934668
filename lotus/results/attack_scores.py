"""The file with every image's score by every attack, as `lotus attack` writes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.names import shown
from lotus.predictions.predictions_file import check_sizes
from lotus.records.files import atomic


@dataclass(frozen=True)
class ScoresFile:
    """The scores of all attacks on all models of a cell.

    Attributes:
        dataset: whose images these are.
        arrays: `ROW/ATTACK/SEED/…` → array: `images`, indices of the forget set `[n]`; their `scores`; and
            `outdone`, the share of the others with a lower score, ties counting half, whose mean is the
            AUC. NaN for images with too few models to compare with.

    """

    dataset: str
    arrays: Mapping[str, np.ndarray]


DATASET = "dataset"


def save_scores(path: Path, scores: ScoresFile) -> None:
    """Writes the file atomically; the same scores give the same bytes."""
    named: dict[str, Any] = {DATASET: np.array(scores.dataset), **scores.arrays}
    with atomic(path) as draft, draft.open("wb") as file:
        np.savez(file, **named)


def load_scores(path: Path) -> ScoresFile:
    """Reads what `save_scores` wrote.

    Raises:
        LotusError: absent, damaged or something else.

    """
    try:
        check_sizes(path)
        with np.load(path) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        if DATASET not in found:
            raise LotusError(f"it has no entry '{DATASET}'")
        dataset = str(found.pop(DATASET))
        _check_arrays(found)
    # Damaged bytes raise whatever they happen to mean to zip files and to numpy.
    except Exception as error:
        said = " ".join(str(error).split())
        raise LotusError(
            f"{shown(path)}: is no file of scores by `lotus attack`: {shown(said)}"
        ) from error
    return ScoresFile(dataset, found)


ARRAYS: Mapping[str, str] = {"images": "int64", "scores": "float32", "outdone": "float32"}
"""Last part of the name of an array → its type."""


def _check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError: they are not those of attacks."""
    for name, array in arrays.items():
        place, _, last = name.rpartition("/")
        if place.count("/") != 2 or array.dtype != ARRAYS.get(last) or array.ndim != 1:
            raise ValueError(f"{name} is {array.dtype} of {array.ndim} dimensions")
        if {len(arrays[f"{place}/{key}"]) for key in ARRAYS} != {len(array)}:
            raise ValueError(f"arrays of {place} are not equally long")
