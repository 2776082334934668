"""MNIST's file format, which several data sets share."""

import gzip
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from lotus.data.archives import limit_of, refuse_too_large
from lotus.data.content import Content, joined
from lotus.errors import LotusError

if TYPE_CHECKING:
    import torch

PART = 1 << 20
"""Bytes that are unpacked at once."""


def read_idx(image_file: Path, label_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 `[N, H, W, 1]` and labels int64 `[N]` of gzipped idx files, by torchvision's reader.

    Raises:
        LotusError: a file is cut off or of another form, or the two do not fit together.

    """
    from torchvision.datasets.mnist import read_image_file, read_label_file

    images = _unzipped(image_file, read_image_file)
    labels = _unzipped(label_file, read_label_file)
    if len(images) != len(labels):
        raise LotusError(
            f"{image_file} has {len(images)} images, {label_file} {len(labels)} labels; "
            "their numbers must be equal"
        )
    return images[..., None], labels


def _unzipped(path: Path, reader: "Callable[[str], torch.Tensor]") -> np.ndarray:
    # torchvision's readers want files that are not gzipped.
    try:
        with tempfile.NamedTemporaryFile() as file:
            with gzip.open(path) as packed:
                _copy(path, packed, file)
            file.flush()
            found: np.ndarray = reader(file.name).numpy()
    except (gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, AssertionError) as error:
        raise LotusError(
            f"{path}: is not a whole gzipped idx file: {error or 'it is cut off'}; get it again"
        ) from error
    return found


def _copy(path: Path, packed: gzip.GzipFile, file: IO[bytes]) -> None:
    size, limit = 0, limit_of(path)
    while part := packed.read(PART):
        size += len(part)
        refuse_too_large(path, size, limit)
        file.write(part)


def read_four(paths: tuple[Path, ...], classes: tuple[str, ...]) -> Content:
    """Training images and labels, then those of the test part."""
    parts = {"train": read_idx(*paths[:2]), "test": read_idx(*paths[2:])}
    return joined(parts, classes)
