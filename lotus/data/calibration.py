"""Synthetic images that a method gets in place of validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lotus.config.images import Dataset
from lotus.data.batches import Images, View
from lotus.data.store import Store, open_store
from lotus.errors import LotusError
from lotus.lazy_torch import torch


@dataclass(frozen=True)
class Calibration:
    """Images of another store, seen as those that they stand for.

    Attributes:
        store: with mean and std of the benchmark's store, which its models were trained with.
        indices: int64 `[n]`, into it.

    """

    store: Store
    indices: np.ndarray

    def images(self, use: Dataset, device: torch.device, reduced_first: bool) -> Images:
        """The images on a device; arguments as of `Images`."""
        return Images(self.store, use, device, self.indices, reduced_first)


def open_calibration(folder: Path, store: Store, use: Dataset) -> Calibration:
    """Opens a store of calibration images: its test part, or its training part if it has no other.

    Args:
        store: the benchmark's.
        use: how both are seen.

    Raises:
        LotusError: no image store, no images, or images of other classes, channels or size.

    """
    found = open_store(folder)
    problem = class_problem(found.classes, store.classes)
    if problem:
        raise LotusError(f"{folder}: {problem}")
    seen, wanted = (
        (of.images.shape[3], *View(use.resize, use.crop).shape(*of.images.shape[1:3]))
        for of in (found, store)
    )
    if seen != wanted:
        raise LotusError(
            f"{folder}: models would see calibration images as {_shown(seen)}, but need {_shown(wanted)} "
            f"(channels × height × width), as the images of {store.folder} are"
        )
    parts = [found.part(name) for name in ("test", "train") if name in found.source["parts"]]
    indices = next((part for part in parts if len(part)), None)
    if indices is None:
        raise LotusError(f"{folder}: has neither test nor training images")
    source = {**found.source, "mean": store.mean, "std": store.std}
    return Calibration(replace(found, source=source), indices)


def class_problem(classes: Sequence[str], wanted: Sequence[str]) -> str:
    """The first class in which a calibration set differs from the benchmark's; '' if there is none."""
    for label, (found, expected) in enumerate(zip(classes, wanted, strict=False)):
        if found != expected:
            return f"calibration class {label} is '{found}', but must be '{expected}'"
    if len(classes) != len(wanted):
        return f"calibration images have {len(classes)} classes, but must have {len(wanted)}"
    return ""


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in shape)
