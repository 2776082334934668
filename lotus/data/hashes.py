"""Perceptual hashes: 64 bits an image, of which few differ between images that look alike.

The hash is `imagehash.phash`, as in the authors' notebook that cleans MUFAC: grey, 32×32 pixels, signs of
the 8×8 lowest frequencies of the cosine transform about their median. So 32 bits are set unless values tie,
and two hashes differ in an even number of bits.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lotus.data.store import Store
from lotus.data.workers import in_processes
from lotus.errors import LotusError
from lotus.names import shown

STORE_BLOCK, FILE_BLOCK = 4_000, 250
"""Images that one job of a worker hashes: about a third of a second at 32×32 pixels."""


def hash_pixels(images: np.ndarray) -> np.ndarray:
    """Hashes of images in memory.

    Args:
        images: uint8, `[N, H, W, 1 or 3]`.

    Returns:
        uint64 `[N]`; the first bit is the highest, as in ImageHash's hexadecimal form.

    """
    from PIL import Image

    pixels = images[..., 0] if images.shape[-1] == 1 else images
    return _packed([_bits(Image.fromarray(image)) for image in pixels])


def hash_store(store: Store, workers: int) -> np.ndarray:
    """Hashes of all images of a store.

    Args:
        workers: processes; the result does not depend on them.

    Returns:
        uint64 `[N]`.

    Raises:
        LotusError: its images have neither one nor three channels.

    """
    channels = store.images.shape[-1]
    if channels not in (1, 3):
        raise LotusError(
            f"{store.folder}: images have {channels} channels; perceptual hashes need 1 or 3"
        )
    starts = range(0, len(store.images), STORE_BLOCK)
    work = partial(_hash_block, store.folder / "images.npy")
    return _joined(in_processes(work, starts, workers))


def hash_files(paths: Sequence[Path], workers: int) -> np.ndarray:
    """Hashes of image files.

    Args:
        workers: processes; the result does not depend on them.

    Returns:
        uint64 `[N]`, in the order of `paths`.

    Raises:
        LotusError: a file is no readable image.

    """
    blocks = [paths[first : first + FILE_BLOCK] for first in range(0, len(paths), FILE_BLOCK)]
    return _joined(in_processes(_hash_files, blocks, workers))


def _hash_block(images: Path, first: int) -> np.ndarray:
    return hash_pixels(np.load(images, mmap_mode="r")[first : first + STORE_BLOCK])


def _hash_files(paths: Sequence[Path]) -> np.ndarray:
    return _packed([_file_bits(path) for path in paths])


def _file_bits(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return _bits(image)
    except Exception as error:  # Pillow raises errors of every kind on damaged files.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LotusError(f"{shown(path)}: cannot be read as an image: {reason}") from error


def _bits(image: Any) -> np.ndarray:
    import imagehash

    bits: np.ndarray = imagehash.phash(image).hash
    return bits


def _packed(bits: Sequence[np.ndarray]) -> np.ndarray:
    rows = np.array(bits, dtype=bool).reshape(-1, 64)
    return np.packbits(rows, axis=1).view(">u8").ravel().astype(np.uint64)


def _joined(blocks: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.uint64), *blocks])
