"""Predictions as the audit reads them: of which images, with which labels, and how often they are right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lotus.predictions.predictions_file import (
    ABSENT,
    ATTACKED,
    CALIBRATION,
    COLLAPSED,
    check_sizes,
    why_collapsed,
)

LARGEST = 10**12
"""More images than a store can have."""
Parts = Mapping[str, np.ndarray]
"""Part → indices into the store, or labels; int64."""
ASKED = ("train", "forget", "retain", ABSENT, "val", "test", CALIBRATION)


@dataclass(frozen=True)
class ModelUse:
    """What predictions say of the use of their model.

    Attributes:
        collapsed: why the model is said to be of no use; '' if it is not.
        accuracy: on the images that the model was to keep.
        largest: share of the largest class among them.

    """

    collapsed: str
    accuracy: float
    largest: float


@dataclass(frozen=True)
class Said:
    """The content of a file of predictions, as far as it is checked.

    Attributes:
        indices: of the images of each part, those of the membership attack (`mia.…`) included.
        labels: of the same images.

    """

    indices: Parts
    labels: Parts
    use: ModelUse

    @property
    def asked(self) -> Parts:
        """Indices of the parts of the data set's own store, each image in one of them."""
        apart = (CALIBRATION,)
        return {
            name: indices
            for name, indices in self.indices.items()
            if name not in apart and not name.startswith(ATTACKED)
        }


def read_said(path: str) -> Said:
    """Reads a file of predictions.

    Raises:
        Exception: of nearly any kind: a damaged archive can make numpy and zipfile raise whatever its bytes
            happen to mean.

    """
    check_sizes(Path(path))
    with np.load(path) as arrays:
        names = [
            name
            for part in ASKED
            for name in (part, ATTACKED + part)
            if f"{name}.indices" in arrays.files
        ]
        if not any(name in names for name in ASKED[:-1]):
            raise ValueError("it has no images")
        indices = {name: indices_in(name, arrays[f"{name}.indices"]) for name in names}
        labels = {name: arrays[f"{name}.labels"] for name in names}
        kept = "train" if "train" in names else "retain"
        answers = arrays[f"{kept}.logits"].argmax(axis=1)
        collapsed = str(arrays[COLLAPSED]) if COLLAPSED in arrays.files else ""
    right = float((answers == labels[kept]).mean())
    largest = float(np.bincount(labels[kept]).max() / len(answers))
    return Said(indices, labels, ModelUse(collapsed, right, largest))


class PredictionsFiles:
    """The files of predictions of one audit, each read once for most that is asked of it."""

    def __init__(self) -> None:
        # Not what else they say: that may be more than fits into memory.
        self._uses: dict[str, ModelUse] = {}

    def read(self, path: str) -> Said:
        """Reads one: see `read_said`."""
        said = read_said(path)
        self.note(path, said.use)
        return said

    def note(self, path: str, use: ModelUse) -> None:
        """Takes over what a file says, so that it need not be read."""
        self._uses[path] = use

    def collapsed(self, path: str) -> str:
        """Returns why the model is said to be of no use: see `why_collapsed`."""
        known = self._uses.get(path)
        return why_collapsed(Path(path)) if known is None else known.collapsed

    def largest(self, path: str) -> float:
        """Returns the share of the largest class among the images that the model was to keep.

        Raises:
            Exception: see `read_said`.

        """
        if path not in self._uses:
            self.read(path)
        return self._uses[path].largest


def indices_in(name: str, value: Any) -> np.ndarray:
    """Returns indices of images as int64.

    Raises:
        ValueError: they are none.

    """
    found = np.asarray(value)
    if found.shape == (0,):
        return found.astype(np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu" or found.dtype.itemsize > 8:
        raise ValueError(f"{name} is not a list of whole numbers of images")
    if not 0 <= int(found.min()) <= int(found.max()) < LARGEST:
        raise ValueError(f"{name} has image {found.min()} or {found.max()}, which cannot be")
    return found.astype(np.int64)
