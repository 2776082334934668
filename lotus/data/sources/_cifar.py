"""CIFAR's pickles, read by torchvision."""

import pickle
import pickletools
from pathlib import Path
from typing import Any

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
    except (KeyError, ValueError, TypeError, EOFError, AttributeError, pickle.PickleError) as error:
        raise LotusError(
            f"{folder}: not the batches of {kind}: {error!r}; get them again"
        ) from error
    for part, (images, labels) in parts.items():
        if images.dtype != np.uint8 or len(images) != len(labels):
            raise LotusError(
                f"{folder}: {len(images)} {part} images ({images.dtype}), {len(labels)} labels; must be "
                "as many, uint8"
            )
    return joined(parts, classes)


def _refuse_code(path: Path) -> None:
    """Refuses a pickle that names anything but arrays."""
    strings: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(path.read_bytes()):
            if isinstance(argument, str):
                strings.append(argument)
            if operation.name in ("GLOBAL", "STACK_GLOBAL", "INST"):
                named = argument if operation.name != "STACK_GLOBAL" else " ".join(strings[-2:])
                if named not in HARMLESS:
                    raise LotusError(
                        f"{path}: the pickle names {named}, which no image needs; refused"
                    )
    except (ValueError, UnicodeDecodeError) as error:
        raise LotusError(f"{path}: not a whole pickle: {error}; get it again") from error
