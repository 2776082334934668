"""A small Fashion-MNIST from the original 10,000-image `t10k` files, which lie in the repository."""

import gzip
import tempfile
from pathlib import Path

import numpy as np

from lotus.data.sources import RawFile, Source
from lotus.data.store import Images

FOLDER = Path("data/embedded/fashion-mnist")
TRAIN_PER_CLASS, HELD_OUT_PER_CLASS, DRAW_SEED = 100, 200, 0


def _raw(name: str, md5: str) -> RawFile:
    return RawFile(name, md5, locate=lambda: FOLDER / name, origin=f"{FOLDER.as_posix()}/{name}")


def read(paths: tuple[Path, ...]) -> Images:
    """Draws 1,000 training and 2,000 held-out images, balanced over the classes, in file order."""
    images, labels = _read_idx(*paths)
    # RandomState: NumPy freezes its stream, so the store's digest outlives upgrades.
    order = np.random.RandomState(DRAW_SEED).permutation(len(labels))
    train, held_out = [], []
    for label in range(len(SOURCE.classes)):
        drawn = order[labels[order] == label]
        train.append(drawn[:TRAIN_PER_CLASS])
        held_out.append(drawn[TRAIN_PER_CLASS : TRAIN_PER_CLASS + HELD_OUT_PER_CLASS])
    first, second = np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))
    chosen = np.concatenate([first, second])
    parts = {"train": (0, len(first)), "test": (len(first), len(chosen))}
    return Images(images[chosen][..., None], labels[chosen], parts)


def _read_idx(image_file: Path, label_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads the gzipped idx files with torchvision's reader (which wants them unpacked)."""
    from torchvision.datasets.mnist import read_image_file, read_label_file

    with tempfile.TemporaryDirectory() as folder:
        unpacked = []
        for path in (image_file, label_file):
            target = Path(folder) / path.stem
            target.write_bytes(gzip.decompress(path.read_bytes()))
            unpacked.append(str(target))
        return read_image_file(unpacked[0]).numpy(), read_label_file(unpacked[1]).numpy()


SOURCE = Source(
    name="fashion-mini",
    title="Fashion-MNIST (small: 1,000 training and 2,000 held-out images of the t10k part)",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
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
