"""Image files into one uint8 array on disk: streaming, on all cores, and going on where it was killed."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from lotus.data.content import Files
from lotus.data.workers import in_processes
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.files import write_json
from lotus.wording import first_of

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

CHUNK = 256
"""Images that a worker decodes at a time."""

DONE = "decoded.json"

DRAWINGS = ("EPS", "WMF", "EMF", "PDF")
"""Formats that another program would have to draw."""

MOST_PIXELS = 2**28
"""Pixels that an image may have between resizing and cutting."""


def decode(files: Files, folder: Path, workers: int) -> tuple[Path, tuple[int, ...]]:
    """Decodes image files into `folder/images.npy`, uint8 `[N, H, W, 3]`.

    Returns that file, and which of the images are the first of several in their file.

    A chunk is noted in `folder/decoded.json` when it is on the disk, so that a later call with the same
    files goes on after a kill, or finds all done. Memory: a few chunks, whatever N.

    Raises:
        LotusError: a file is not an image, is cut off, or has another size than the first (names some
            of them), or there is no room for all; the folder is then removed.

    """
    try:
        height, width = shape_of(files)
        out, key = folder / "images.npy", _key(files, height, width)
        chunks = range(0, len(files), CHUNK)
        done, several = _done(folder, key)
        if not done:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _refuse_no_room(folder, len(files) * height * width * 3)
            np.lib.format.open_memmap(
                out, mode="w+", dtype=np.uint8, shape=(len(files), height, width, 3)
            ).flush()
        left = [start for start in chunks if start not in done]
        jobs = [(out, start, files.paths[start : start + CHUNK], files.side) for start in left]
        noted, first_of_several = set(done), set(several)
        with tqdm(total=len(files), initial=len(files) - _count(left, len(files)), unit="image",
                  desc="decode", mininterval=1) as bar:  # fmt: skip
            for start, decoded, found in in_processes(_decode_chunk, jobs, workers):
                noted.add(start)
                first_of_several.update(found)
                done_now = {"chunks": sorted(noted), "several": sorted(first_of_several)}
                write_json(folder / DONE, {"key": key, **done_now})
                bar.update(decoded)
    except LotusError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return out, tuple(sorted(first_of_several))


def _refuse_no_room(folder: Path, needed: int) -> None:
    # A full disk under a memory map ends the process without a word.
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LotusError(
            f"{folder}: the decoded images need {needed / 1e9:.1f} GB, but only "
            f"{free / 1e9:.1f} GB are free"
        )


def _count(starts: list[int], total: int) -> int:
    return sum(min(CHUNK, total - start) for start in starts)


def _key(files: Files, height: int, width: int) -> str:
    """Names what is decoded: the files with their sizes and times, and the form asked for."""
    found = hashlib.sha256(f"{height}x{width}/{files.side}".encode())
    for path in files.paths:
        state = _stat(path)
        found.update(os.fsencode(path) + f"\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error


def _done(folder: Path, key: str) -> tuple[frozenset[int], frozenset[int]]:
    """Chunks that an earlier call for the same files finished, and what it found as `decode` returns it."""
    try:
        noted = json.loads((folder / DONE).read_text(encoding="utf-8"))
        np.load(folder / "images.npy", mmap_mode="r")
        if noted["key"] == key:
            return frozenset(noted["chunks"]), frozenset(noted["several"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return frozenset(), frozenset()


Job = tuple[Path, int, tuple[Path, ...], int | None]


def _decode_chunk(job: Job) -> tuple[int, int, list[int]]:
    """Decodes one chunk into its place.

    Returns its start, its number of images, and which of all images are the first of several.
    """
    out, start, paths, side = job
    images = np.load(out, mmap_mode="r+")
    wrong: list[tuple[Path, str]] = []
    several = []
    for position, path in enumerate(paths):
        try:
            image = read_image(path, side)
            if image.shape != images.shape[1:]:
                raise LotusError(
                    f"{shown(path)}: has {image.shape[1]}×{image.shape[0]} pixels, but the first image has "
                    f"{images.shape[2]}×{images.shape[1]}; give `side` under `store` to bring all to one "
                    "size"
                )
        except LotusError as error:
            wrong.append((path, str(error)))
            continue
        images[start + position] = image
        if holds_several(path):
            several.append(start + position)
    if wrong:
        raise LotusError(_told(wrong))
    images.flush()
    return start, len(paths), several


def _told(wrong: Sequence[tuple[Path, str]]) -> str:
    """The first error, and which other images have one."""
    (_, first), *others = wrong
    if not others:
        return first
    names = first_of([path.name for path, _ in others], 3)
    return f"{first}. These cannot be read either: {names}"


def shape_of(files: Files) -> tuple[int, int]:
    """(H, W) of the store."""
    if files.side is not None:
        return files.side, files.side
    first, *others = files.paths[:CHUNK]
    try:
        return read_image(first, None).shape[:2]
    except LotusError as error:
        wrong = [(first, str(error))]
    for path in others:
        try:
            read_image(path, None)
        except LotusError as error:
            wrong.append((path, str(error)))
    raise LotusError(_told(wrong))


def holds_several(path: Path) -> bool:
    """Whether an image file holds more images than the one that is read: an animation, or pages."""
    from PIL import Image

    with suppress(Exception), path.open("rb") as file:
        # Of photographs, further images in the file are previews.
        if file.read(2) == b"\xff\xd8":
            return False
        with Image.open(path) as opened:
            return bool(getattr(opened, "is_animated", False))
    return False


def read_image(path: Path, side: int | None) -> np.ndarray:
    """One image as RGB, uint8 `[H, W, 3]`; with `side` resized (bilinear) and cut to a square.

    Converted as torchvision's loader does, by Pillow: grey is repeated, palettes are looked up, CMYK is
    converted without a profile, transparency and orientation are ignored. Of 16 bits a channel the upper 8
    are kept, where Pillow would show all but the darkest as white. Of several images in a file the first
    is read.

    Raises:
        LotusError: absent, not an image, cut off, of a form that cannot be shown as RGB, or of 32 bits a
            channel, whose range is unknown.

    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            if opened.format in DRAWINGS:
                raise LotusError(
                    f"{shown(path)}: is a drawing ({opened.format}); convert it to PNG"
                )
            opened.load()
            image = _as_rgb(opened, path)
    except LotusError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise LotusError(
            f"{shown(path)}: has too many pixels: {_reason(error)}; make it smaller"
        ) from error
    except Exception as error:  # Pillow raises errors of every kind on damaged files.
        if isinstance(error, OSError) and error.errno is not None:
            raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error
        raise LotusError(
            f"{shown(path)}: is not a whole image: {_reason(error)}; get it again"
        ) from error
    if side is None:
        return np.asarray(image)
    width, height = image.size
    shorter = min(width, height)
    size = (width * side // shorter, height * side // shorter)
    if size[0] * size[1] > MOST_PIXELS:
        raise LotusError(
            f"{shown(path)}: {width}×{height} pixels are too far from a square to be resized to "
            f"side = {side}"
        )
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    return np.asarray(image.crop((left, top, left + side, top + side)))


def _reason(error: BaseException) -> str:
    """An error in one line, without the file, which is named anyway."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "Pillow does not know its format"
    return shown(" ".join(str(error).split())) or type(error).__name__


def _as_rgb(image: "PillowImage", path: Path) -> "PillowImage":
    from PIL import Image

    if 0 in image.size:
        raise LotusError(f"{shown(path)}: has no pixels")
    if image.mode in ("I", "F"):
        raise LotusError(f"{shown(path)}: has more than 16 bits per channel; convert it to 8 bits")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError as error:
        raise LotusError(
            f"{shown(path)}: colours of mode {image.mode} cannot be shown as RGB; convert the image"
        ) from error
