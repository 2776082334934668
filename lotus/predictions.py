"""The interface between models and everything that is said about them.

One `predictions.npz` per run: for each split the logits, the labels and the images' indices into the
store. Whatever lies right of it (metrics, tables, figures) needs this file alone, and no torch.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.provenance import atomic


@dataclass(frozen=True)
class Split:
    """What one model says of some images.

    Attributes:
        logits: float32 `[n, classes]`.
        labels: int64 `[n]`.
        indices: int64 `[n]`, into the store (of a calibration set: its own store).

    """

    logits: np.ndarray
    labels: np.ndarray
    indices: np.ndarray

    def at(self, indices: np.ndarray) -> "Split":
        """The rows of these images, in their order.

        Raises:
            LotusError: some are not among them.

        """
        if not np.isin(indices, self.indices).all():
            raise LotusError("predictions lack some of the images asked for")
        order = np.argsort(self.indices, kind="stable")
        place = np.searchsorted(self.indices, indices, sorter=order)
        rows = order[place]
        return Split(self.logits[rows], self.labels[rows], self.indices[rows])


Predictions = Mapping[str, Split]
"""By split: train, val, test of an original model; forget, retain, val, test of the others.

A method that got synthetic images in place of validation images has also a split `calibration` of them.
Under switch E1 a method's model has also `mia.retain`, `mia.forget`, `mia.test` and `mia.val`: what it
said when the membership attack asked, before everything else (and `mia.calibration`).
"""

ATTACKED = "mia."
CALIBRATION = "calibration"
COLLAPSED = "collapsed"


def save(path: Path, predictions: Predictions, collapsed: str = "") -> None:
    """Writes the file atomically; the same predictions give the same bytes.

    Args:
        collapsed: why the model is of no use; empty if it is not so.

    """
    arrays: dict[str, Any] = {
        f"{name}.{part}": getattr(split, part)
        for name, split in predictions.items()
        for part in ("logits", "labels", "indices")
    }
    if collapsed:
        arrays[COLLAPSED] = np.array(collapsed)
    with atomic(path) as draft, draft.open("wb") as file:
        np.savez(file, **arrays)


def load(path: Path) -> dict[str, Split]:
    """Reads what `save` wrote.

    Raises:
        LotusError: absent, damaged, or a logit is not finite though the model is not stated to have
            collapsed (names split and row).

    """
    with _opened(path) as arrays:
        names = dict.fromkeys(key.rpartition(".")[0] for key in arrays.files if key != COLLAPSED)
        splits = {
            name: Split(*(arrays[f"{name}.{part}"] for part in ("logits", "labels", "indices")))
            for name in names
        }
        collapsed = COLLAPSED in arrays.files
    for name, split in splits.items():
        bad = np.flatnonzero(~np.isfinite(split.logits).all(axis=1))
        if len(bad) and not collapsed:
            raise LotusError(f"{path}: split '{name}', row {bad[0]}: logits are not finite")
    return splits


def why_collapsed(path: Path) -> str:
    """Why the model behind these predictions is of no use; empty if it is not so.

    Raises:
        LotusError: absent or damaged.

    """
    with _opened(path) as arrays:
        return str(arrays[COLLAPSED]) if COLLAPSED in arrays.files else ""


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with np.load(path) as arrays:
            yield arrays
    except OSError as error:
        raise LotusError(f"{path}: predictions cannot be read: {error}") from error
    except (EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LotusError(f"{path}: damaged predictions: {error}") from error
