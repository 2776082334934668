"""MNIST's file format, which several data sets share."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from lotus.data.archives import limit_of, refuse_too_large
from lotus.data.content import Content, joined
from lotus.errors import LotusError

PART = 1 << 20
"""Bytes that are unpacked at once."""

BYTES = b"\0\0\x08"
"""How a file of unsigned bytes begins; how many sizes follow is said next."""


def read_idx(image_file: Path, label_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 `[N, H, W, 1]` and labels int64 `[N]` of gzipped idx files.

    Raises:
        LotusError: a file is cut off or of another form, or the two do not fit together.

    """
    # torchvision reads these files, too, but takes seconds to load, and each new plan counts the labels.
    images, labels = _values(image_file, 3), _values(label_file, 1)
    if len(images) != len(labels):
        raise LotusError(
            f"{image_file} has {len(images)} images, {label_file} {len(labels)} labels; "
            "their numbers must be equal"
        )
    return images[..., None], labels.astype(np.int64)


def _values(path: Path, dimensions: int) -> np.ndarray:
    """Returns the unsigned bytes of an idx file, which has as many sizes as `dimensions` before them."""
    content = _unzipped(path)
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != BYTES + bytes([dimensions]):
        raise _other(path, f"it does not begin as one of unsigned bytes in {dimensions} dimensions")
    shape = [int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4)]
    if len(content) - start != prod(shape):
        size = " x ".join(map(str, shape))
        raise _other(path, f"it states {size} bytes, and has {len(content) - start}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _unzipped(path: Path) -> bytearray:
    content, limit = bytearray(), limit_of(path)
    try:
        with gzip.open(path) as packed:
            while part := packed.read(PART):
                content += part
                refuse_too_large(path, len(content), limit)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _other(path, str(error)) from error
    return content


def _other(path: Path, why: str) -> LotusError:
    return LotusError(f"{path}: is not a whole gzipped idx file: {why}; get it again")


def read_four(paths: tuple[Path, ...], classes: tuple[str, ...]) -> Content:
    """Training images and labels, then those of the test part."""
    parts = {"train": read_idx(*paths[:2]), "test": read_idx(*paths[2:])}
    return joined(parts, classes)
