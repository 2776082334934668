"""CIFAR's pickles, read by torchvision."""

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lotus.data.content import Content, joined
from lotus.errors import LotusError

HARMLESS = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
    "builtins bytes",
    "__builtin__ bytes",
}
"""What unpickling an array needs; a pickle can name anything, which would be run."""

DAMAGED = (
    pickle.PickleError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)
"""What reading a damaged pickle, or one of another form, raises."""


def read_cifar(paths: tuple[Path, ...], kind: str) -> Content:
    """Both parts of `CIFAR10` or `CIFAR100` (`kind`), as torchvision orders them.

    Args:
        paths: the unpacked folder with the batches.

    Raises:
        LotusError: a batch is damaged, of another form, or names code to be run.

    """
    import torchvision.datasets

    (folder,) = paths
    base: Any = getattr(torchvision.datasets, kind)
    # torchvision insists on its own checksums, also where another content was declared.
    here: Any = type(
        kind,
        (base,),
        {
            "base_folder": folder.name,
            "meta": {**base.meta, "md5": None},
            "_check_integrity": lambda self: True,
        },
    )
    for name, _ in (*base.train_list, *base.test_list, (base.meta["filename"], None)):
        _refuse_code(folder / name)
    parts = {}
    try:
        for part in ("train", "test"):
            read = here(str(folder.parent), train=part == "train")
            parts[part] = (read.data, np.array(read.targets, dtype=np.int64))
        classes = tuple(read.classes)
    except DAMAGED as error:
        raise LotusError(
            f"{folder}: does not hold the batches of {kind}: {error!r}; get them again"
        ) from error
    for part, (images, labels) in parts.items():
        if images.dtype != np.uint8 or len(images) != len(labels):
            raise LotusError(
                f"{folder}: {len(images)} {part} images ({images.dtype}), {len(labels)} labels; must be "
                "as many, and images uint8"
            )
    return joined(parts, classes)


def _refuse_code(path: Path) -> None:
    """Refuses a pickle that names anything but arrays, before anything that it names is looked up."""
    try:
        with path.open("rb") as file:
            _OfArrays(path, file).load()
    except DAMAGED as error:
        raise LotusError(f"{path}: is not a whole pickle: {error!r}; get it again") from error


class _OfArrays(pickle.Unpickler):
    def __init__(self, path: Path, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if f"{module} {name}" not in HARMLESS:
            raise LotusError(
                f"{self._path}: the pickle names {module} {name}, which no image needs, so it is refused"
            )
        return super().find_class(module, name)
