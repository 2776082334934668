"""The interface between models and everything that is said about them.

One `predictions.npz` per run: for each split the logits, the labels and the images' indices into the
store. Whatever lies right of it (metrics, tables, figures) needs this file alone, and no torch.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.files import atomic
from lotus.wording import counted


@dataclass(frozen=True)
class Split:
    """The logits of one model for some images.

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
            raise LotusError("predictions lack some of the requested images")
        order = np.argsort(self.indices, kind="stable")
        place = np.searchsorted(self.indices, indices, sorter=order)
        rows = order[place]
        return Split(self.logits[rows], self.labels[rows], self.indices[rows])


Predictions = Mapping[str, Split]
"""By split: train, val, test of an original model; forget, retain, val, test of the others.

Models of a half of the training images have a split `absent` of those in the other half.
A method that got synthetic images in place of validation images has also a split `calibration` of them.
Under switch E1 a method's model has also `mia.retain`, `mia.forget`, `mia.test` and `mia.val`: what it
said when the membership attack asked, before everything else (and `mia.calibration`).
"""

TYPES = {"logits": ("float32", 2), "labels": ("int64", 1), "indices": ("int64", 1)}
"""Type and number of dimensions of each array of a split."""
MAKE_ANEW = "remove the file and run the workflow again, which makes a new one"
ATTACKED = "mia."
CALIBRATION = "calibration"
ABSENT = "absent"
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
        LotusError: absent, damaged, not what `save` writes, or a logit is not finite though the model is
            not stated to have collapsed (names split and row).

    """
    with _opened(path) as arrays:
        names = dict.fromkeys(key.rpartition(".")[0] for key in arrays.files if key != COLLAPSED)
        splits = _Splits(
            {name: Split(*(arrays[f"{name}.{part}"] for part in TYPES)) for name in names}
        )
        splits.path = path
        collapsed = COLLAPSED in arrays.files
    if not splits:
        raise LotusError(
            f"{shown(path)}: the predictions are damaged: the file has none; {MAKE_ANEW}"
        )
    for name, split in splits.items():
        if problem := _problem(split):
            raise LotusError(
                f"{shown(path)}: the predictions are damaged: split {name!r}: {problem}; {MAKE_ANEW}"
            )
        bad = np.flatnonzero(~np.isfinite(split.logits).all(axis=1))
        if len(bad) and not collapsed:
            raise LotusError(f"{shown(path)}: split '{name}', row {bad[0]}: logits are not finite")
    return splits


class _Splits(dict[str, Split]):
    """Splits of one file, which says of one that it lacks where it was looked for."""

    path: Path

    def __missing__(self, name: str) -> Split:
        raise LotusError(
            f"{shown(self.path)}: predictions have no split {name!r}, only {', '.join(map(repr, self))}; "
            f"{MAKE_ANEW}"
        )


def _problem(split: Split) -> str:
    """Returns what is wrong with a split; '' if nothing is."""
    for part, (dtype, dimensions) in TYPES.items():
        array = getattr(split, part)
        if array.dtype != dtype or array.ndim != dimensions:
            wanted = f"{dtype} of {counted(dimensions, 'dimension')}"
            return f"{part} are {array.dtype} {list(array.shape)}, not {wanted}"
        if len(array) != len(split.logits):
            return f"it has {len(array)} {part} but {len(split.logits)} logits"
    classes = split.logits.shape[1]
    wrong = split.labels[(split.labels < 0) | (split.labels >= classes)]
    if len(wrong):
        return f"label {wrong[0]} is not one of {classes} classes"
    if (split.indices < 0).any():
        return f"{split.indices.min()} is not the index of an image"
    return ""


def why_collapsed(path: Path) -> str:
    """Returns why the model behind these predictions is of no use; '' if it is of use.

    Raises:
        LotusError: absent or damaged.

    """
    with _opened(path) as arrays:
        if COLLAPSED not in arrays.files:
            return ""
        reason = arrays[COLLAPSED]
    if reason.dtype.kind != "U" or reason.ndim:
        raise LotusError(
            f"{shown(path)}: the predictions are damaged: {COLLAPSED} is not text; {MAKE_ANEW}"
        )
    return str(reason)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        if path.exists() and not path.is_file():
            # Opening a pipe would wait for somebody who writes.
            raise OSError(0, "it is not a file")
        check_sizes(path)
        with np.load(path) as arrays:
            yield arrays
    except OSError as error:
        raise LotusError(
            f"{shown(path)}: predictions cannot be read: {error.strerror or error}"
        ) from error
    # Damaged bytes raise whatever they happen to mean to zip files and to numpy.
    except Exception as error:
        if isinstance(error, LotusError):
            raise
        said = " ".join(str(error).split())
        raise LotusError(
            f"{shown(path)}: the predictions are damaged: {said}; {MAKE_ANEW}"
        ) from error


def check_sizes(path: Path) -> None:
    """Looks at what the arrays of a file of predictions or maps are said to hold, before any is read.

    Raises:
        ValueError: they are said to be larger than what is there of them.
        Exception: of nearly any kind, the file is damaged.

    """
    with zipfile.ZipFile(path) as archive:
        there = path.stat().st_size
        for member in archive.infolist():
            if member.file_size > there:
                raise ValueError(f"{member.filename} states more bytes than the file has")
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                size = file.read(2 if version == (1, 0) else 4)
                header = file.read(int.from_bytes(size, "little"))
            shape, dtype = _stated(version, size + header)
            if prod(shape) * dtype.itemsize > member.file_size:
                raise ValueError(f"{member.filename} states more bytes than it has")


@lru_cache(1000)
def _stated(version: tuple[int, int], header: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Returns shape and type of an array by its header, which many files share; it takes long to read.

    Args:
        header: all that follows the version, up to the array.

    """
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(BytesIO(header))
    return shape, dtype
