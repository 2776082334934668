"""Stores as far as the audit reads them: labels, classes and parts, without the images."""

from collections.abc import Callable, Set
from functools import cache
from pathlib import Path

import numpy as np

from lotus import layout
from lotus.data.content import PARTS
from lotus.data.store import Store
from lotus.formats.json_text import parse_json, read_file

OpenStore = Callable[[str], Store | None]
"""Data set → its store; None where one of its files is not here as recorded, which is told elsewhere."""


def store_opener(sound: Set[str]) -> OpenStore:
    """Returns a function that opens each store once, its images left out.

    It raises a ValueError where files that are as recorded are none of a store.

    Args:
        sound: artifacts whose bytes are as recorded.

    """

    @cache
    def opened(dataset: str) -> Store | None:
        files = layout.store_files(dataset)
        read = [files[name] for name in ("labels", "classes", "source")]
        if not {path.as_posix() for path in read} <= sound:
            return None
        labels, classes, source = read
        try:
            # Mapped, a file that states more labels than it has is refused before there is memory for them.
            of_images = np.load(labels, mmap_mode="r")
            return _store(
                labels.parent, of_images, parse_json(read_file(classes)), read_file(source)
            )
        except (OSError, ValueError, EOFError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{files['labels'].parent} is no store: {error}") from error

    def _store(folder: Path, labels: np.ndarray, classes: list[str], source: bytes) -> Store:
        described = parse_json(source)
        if labels.ndim != 1 or labels.dtype != np.int64:
            raise ValueError(f"labels are {labels.dtype} of {labels.ndim} dimensions")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
            raise ValueError(f"labels are not of its {len(classes)} classes")
        if {*described["parts"]} not in [{*names} for names in PARTS]:
            raise ValueError(f"its parts are {', '.join(described['parts']) or 'none'}")
        for first, end in described["parts"].values():
            if not 0 <= first <= end <= len(labels) or {type(first), type(end)} != {int}:
                raise ValueError(f"a part from {first} to {end} of {len(labels)} images")
        images = np.empty((0, 0, 0, 0), np.uint8)
        return Store(folder, images, labels, tuple(classes), described)

    return opened
