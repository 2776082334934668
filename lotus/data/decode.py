"""Image files into one uint8 array on disk: streaming, on all cores, and going on where it was killed."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from lotus.data.content import Files
from lotus.data.workers import in_processes
from lotus.errors import LotusError
from lotus.provenance import write_json

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

CHUNK = 256
"""Images that a worker decodes at a time."""

DONE = "decoded.json"


def decode(files: Files, folder: Path, workers: int) -> Path:
    """Decodes image files into `folder/images.npy`, uint8 `[N, H, W, 3]`.

    A chunk is noted in `folder/decoded.json` when it is on the disk, so that a later call with the same
    files goes on after a kill, or finds all done. Memory: a few chunks, whatever N.

    Raises:
        LotusError: a file is not an image, is cut off, or has another size than the first, or there is
            no room for all; the folder is then removed.

    """
    try:
        height, width = _shape(files)
        out, key = folder / "images.npy", _key(files, height, width)
        chunks = range(0, len(files), CHUNK)
        done = _done(folder, key)
        if not done:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _refuse_no_room(folder, len(files) * height * width * 3)
            np.lib.format.open_memmap(
                out, mode="w+", dtype=np.uint8, shape=(len(files), height, width, 3)
            ).flush()
        left = [start for start in chunks if start not in done]
        jobs = [(out, start, files.paths[start : start + CHUNK], files.side) for start in left]
        noted = set(done)
        with tqdm(total=len(files), initial=len(files) - _count(left, len(files)), unit="image",
                  desc="decode", mininterval=1) as bar:  # fmt: skip
            for start, decoded in in_processes(_decode_chunk, jobs, workers):
                noted.add(start)
                write_json(folder / DONE, {"key": key, "chunks": sorted(noted)})
                bar.update(decoded)
    except LotusError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return out


def _refuse_no_room(folder: Path, needed: int) -> None:
    # A full disk under a memory map ends the process without a word.
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LotusError(
            f"{folder}: the decoded images need {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free"
        )


def _count(starts: list[int], total: int) -> int:
    return sum(min(CHUNK, total - start) for start in starts)


def _key(files: Files, height: int, width: int) -> str:
    """Names what is decoded: the files with their sizes and times, and the form asked for."""
    found = hashlib.sha256(f"{height}x{width}/{files.side}".encode())
    for path in files.paths:
        state = _stat(path)
        found.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise LotusError(f"{path}: cannot be read: {error.strerror}") from error


def _done(folder: Path, key: str) -> frozenset[int]:
    """Chunks that an earlier call for the same files finished."""
    try:
        noted = json.loads((folder / DONE).read_text(encoding="utf-8"))
        np.load(folder / "images.npy", mmap_mode="r")
    except (OSError, ValueError):
        return frozenset()
    return frozenset(noted["chunks"]) if noted.get("key") == key else frozenset()


Job = tuple[Path, int, tuple[Path, ...], int | None]


def _decode_chunk(job: Job) -> tuple[int, int]:
    """Decodes one chunk into its place; returns its start and number of images."""
    out, start, paths, side = job
    images = np.load(out, mmap_mode="r+")
    for position, path in enumerate(paths):
        image = read_image(path, side)
        if image.shape != images.shape[1:]:
            raise LotusError(
                f"{path}: {image.shape[1]}×{image.shape[0]} pixels, the first image has "
                f"{images.shape[2]}×{images.shape[1]}; give `side` under `store` to bring all to one "
                "size"
            )
        images[start + position] = image
    images.flush()
    return start, len(paths)


def _shape(files: Files) -> tuple[int, int]:
    """(H, W) of the store."""
    if files.side is not None:
        return files.side, files.side
    return read_image(files.paths[0], None).shape[:2]


def read_image(path: Path, side: int | None) -> np.ndarray:
    """One image as RGB, uint8 `[H, W, 3]`; with `side` resized (bilinear) and cut to a square.

    Converted as torchvision's loader does, by Pillow: grey is repeated, palettes are looked up, CMYK is
    converted without a profile, transparency and orientation are ignored. Of 16 bits a channel the upper 8
    are kept, where Pillow would show all but the darkest as white.

    Raises:
        LotusError: absent, not an image, cut off, or of 32 bits a channel, whose range is unknown.

    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = _as_rgb(opened, path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise LotusError(f"{path}: not a whole image: {error}; get it again") from error
    if side is None:
        return np.asarray(image)
    width, height = image.size
    shorter = min(width, height)
    size = (width * side // shorter, height * side // shorter)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    return np.asarray(image.crop((left, top, left + side, top + side)))


def _as_rgb(image: "PillowImage", path: Path) -> "PillowImage":
    from PIL import Image

    if image.mode in ("I", "F"):
        raise LotusError(f"{path}: more than 16 bits a channel; convert it to 8 bits")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
