"""A small Fashion-MNIST from the original 10,000-image `t10k` files, which lie in the repository."""

from pathlib import Path

import numpy as np

from lotus.data.content import Content, ranges
from lotus.data.sources import RawFile, Source
from lotus.data.sources._idx import read_idx
from lotus.data.sources.fashion_mnist import CLASSES

FOLDER = Path("data/embedded/fashion-mnist")
TRAIN_PER_CLASS, HELD_OUT_PER_CLASS, DRAW_SEED = 100, 200, 0


def _raw(name: str, md5: str) -> RawFile:
    return RawFile(name, md5, locate=lambda: FOLDER / name, origin=f"{FOLDER.as_posix()}/{name}")


def read(paths: tuple[Path, ...]) -> Content:
    """Draws 1,000 training and 2,000 held-out images, balanced over the classes, in file order."""
    images, labels = read_idx(*paths)
    # RandomState: NumPy freezes its stream, so the store's digest outlives upgrades.
    order = np.random.RandomState(DRAW_SEED).permutation(len(labels))
    train, held_out = [], []
    for label in range(len(CLASSES)):
        drawn = order[labels[order] == label]
        train.append(drawn[:TRAIN_PER_CLASS])
        held_out.append(drawn[TRAIN_PER_CLASS : TRAIN_PER_CLASS + HELD_OUT_PER_CLASS])
    first, second = np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))
    chosen = np.concatenate([first, second])
    parts = ranges({"train": len(first), "test": len(second)})
    return Content(images[chosen], labels[chosen], parts, CLASSES)


SOURCE = Source(
    name="fashion-mini",
    title="Fashion-MNIST (small: 1,000 training and 2,000 held-out images of the t10k part)",
    version="t10k part of the original files",
    classes=CLASSES,
    mean=(0.2860,),
    std=(0.3530,),
    licence="MIT",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    selection=f"{TRAIN_PER_CLASS} training and {HELD_OUT_PER_CLASS} held-out images of each class, "
    f"drawn with seed {DRAW_SEED}, kept in file order",
    files=(
        _raw("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        _raw("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ),
    read=read,
    in_repository=True,
)
