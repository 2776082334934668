"""Grad-CAM maps of one benchmark and seed, in one file: where in an image models see its class.

`gradcam.npz` holds what `lotus.runs.gradcam` computed; the figure needs this file alone, and no torch.
"""

import zipfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from lotus.errors import LotusError
from lotus.predictions.predictions_file import check_sizes
from lotus.records.files import atomic


@dataclass(frozen=True)
class Explanations:
    """Maps of several models for the same images.

    Attributes:
        rows: str `[models]`, names of the rows.
        collapsed: str `[models]`, why a model is of no use; '' if it is not so.
        maps: float32 `[models, images, h, w]`, not normalised, nowhere negative; `[…, 0, 0]` of a network
            that has no map.
        probabilities: float32 `[models, images]`, what each model says of the true class.
        pixels: uint8 `[images, H, W, C]`, the images as models see them.
        indices: int64 `[images]`, into the store.
        labels: int64 `[images]`.
        classes: str `[images]`, the labels' names.

    """

    rows: np.ndarray
    collapsed: np.ndarray
    maps: np.ndarray
    probabilities: np.ndarray
    pixels: np.ndarray
    indices: np.ndarray
    labels: np.ndarray
    classes: np.ndarray


def save(path: Path, explanations: Explanations) -> None:
    """Writes the file atomically; the same content gives the same bytes."""
    with atomic(path) as draft, draft.open("wb") as file:
        np.savez(file, **asdict(explanations))


def load(path: Path) -> Explanations:
    """Reads what `save` wrote.

    Raises:
        LotusError: absent, or not such a file.

    """
    try:
        check_sizes(path)
        with np.load(path) as arrays:
            return Explanations(**{each.name: arrays[each.name] for each in fields(Explanations)})
    except OSError as error:
        raise LotusError(f"{path}: Grad-CAM maps cannot be read: {error}") from error
    except (EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise LotusError(f"{path}: is not a file of `lotus gradcam`: {error}") from error
