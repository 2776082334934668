"""Handwritten digits, 8×8 pixels, as bundled with scikit-learn: the quick check."""

from importlib import resources
from pathlib import Path

import numpy as np

from lotus.data.content import Content, ranges
from lotus.data.sources import RawFile, Source

TRAIN_PER_CLASS, DRAW_SEED = 100, 0
CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _bundled() -> Path:
    return Path(str(resources.files("sklearn.datasets.data") / "digits.csv.gz"))


def read(_: tuple[Path, ...]) -> Content:
    """1,000 training images, balanced over the classes; the other 797 are held out."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = digits.target.astype(np.int64)
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
