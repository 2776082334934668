"""Perceptual hashes: 64 bits an image, of which few differ between images that look alike.

The hash is `imagehash.phash`, as in the authors' notebook that cleans MUFAC: grey, 32×32 pixels, signs of
the 8×8 lowest frequencies of the cosine transform about their median. So 32 bits are set unless values tie,
and two hashes differ in an even number of bits.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from lotus.data.store import Store
from lotus.errors import LotusError

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
    return _in_processes(partial(_hash_block, store.folder / "images.npy"), starts, workers)


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
    return _in_processes(_hash_files, blocks, workers)


def _hash_block(images: Path, first: int) -> np.ndarray:
    return hash_pixels(np.load(images, mmap_mode="r")[first : first + STORE_BLOCK])


def _hash_files(paths: Sequence[Path]) -> np.ndarray:
    return _packed([_file_bits(path) for path in paths])


def _file_bits(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return _bits(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise LotusError(f"{path}: not a readable image: {error}") from error


def _bits(image: Any) -> np.ndarray:
    import imagehash

    bits: np.ndarray = imagehash.phash(image).hash
    return bits


def _packed(bits: Sequence[np.ndarray]) -> np.ndarray:
    rows = np.array(bits, dtype=bool).reshape(-1, 64)
    return np.packbits(rows, axis=1).view(">u8").ravel().astype(np.uint64)


def _in_processes(
    work: Callable[[Any], np.ndarray], jobs: Sequence[Any], workers: int
) -> np.ndarray:
    if min(workers, len(jobs)) <= 1:
        return np.concatenate([np.zeros(0, np.uint64), *map(work, jobs)])
    # Fresh processes, not forked ones: the caller may have threads of torch.
    with ProcessPoolExecutor(
        min(workers, len(jobs)), get_context("spawn"), initializer=_end_with_parent
    ) as pool:
        return np.concatenate(list(pool.map(work, jobs)))


def _end_with_parent() -> None:
    """Workers of a killed job end too."""
    Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
