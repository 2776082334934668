"""Handwritten digits, 8×8 pixels, as bundled with scikit-learn: the quick check."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lotus.data.content import Content, ranges
from lotus.data.sources import RawFile, Source
from lotus.errors import LotusError

TRAIN_PER_CLASS, DRAW_SEED = 100, 0
CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _bundled() -> Path:
    # Found, not imported: every plan looks for it, and to load scikit-learn takes as long as all the rest.
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise LotusError("digits: scikit-learn, which has these images, is not installed")
    return Path(found.origin).parent / "datasets/data/digits.csv.gz"


def read(paths: tuple[Path, ...]) -> Content:
    """1,000 training images, balanced over the classes; the other 797 are held out."""
    # A line of the file has 64 shades from 0 to 16, and the digit.
    (file,) = paths
    *shades, labels = np.loadtxt(file, delimiter=",").T
    images = np.rint(np.stack(shades, axis=1) * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = labels.astype(np.int64)
    # RandomState: NumPy freezes its stream, so the store's digest outlives upgrades.
    order = np.random.RandomState(DRAW_SEED).permutation(len(labels))
    drawn = [order[labels[order] == label][:TRAIN_PER_CLASS] for label in range(len(CLASSES))]
    train = np.sort(np.concatenate(drawn))
    held_out = np.setdiff1d(np.arange(len(labels)), train)
    chosen = np.concatenate([train, held_out])
    parts = ranges({"train": len(train), "test": len(held_out)})
    return Content(images[chosen], labels[chosen], parts, CLASSES)


SOURCE = Source(
    name="digits",
    title="Handwritten digits (scikit-learn, 8×8 pixels)",
    version="test part of the UCI set, as in scikit-learn",
    classes=CLASSES,
    mean=(0.3053,),
    std=(0.3760,),
    licence="CC BY 4.0",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    selection=f"{TRAIN_PER_CLASS} training images of each class, drawn with seed {DRAW_SEED}; "
    "the rest is held out; file order",
    files=(
        RawFile(
            "digits.csv.gz",
            "9b335364a7bfd63947c7480a5bd51f2d",
            locate=_bundled,
            origin="scikit-learn, sklearn/datasets/data/digits.csv.gz",
        ),
    ),
    read=read,
    in_repository=True,
)
