"""The content that a reader of raw files hands over: labels, and images as an array or still in files."""

import hashlib
import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lotus.data.image_names import ImageNames
from lotus.errors import LotusError
from lotus.names import shown
from lotus.wording import first_of

PARTS = (("train", "test"), ("train", "val", "test"), ("test",))
"""What a data set may have; one with a `test` part alone is for calibration."""

BYTES_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Files:
    """Images in files (JPEG, PNG, …), to be decoded as RGB while the store is built.

    Attributes:
        paths: one for each image.
        side: the shorter side is resized to it and the middle square kept; None: every image has the
            size of the first.

    """

    paths: tuple[Path, ...]
    side: int | None = None

    def at(self, indices: np.ndarray) -> "Files":
        """Returns the files of some of the images."""
        return replace(self, paths=tuple(self.paths[i] for i in indices))

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class LeftOut:
    """Files and folders that a reader does not take, for one reason.

    Attributes:
        names: from the data set's folder on.

    """

    reason: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.names):,} left out: {self.reason}: {first_of(self.names, 3)}"


@dataclass(frozen=True)
class Content:
    """A data set as read, the training part first.

    Attributes:
        images: uint8 `[N, H, W, C]`, or files.
        labels: int64 `[N]`.
        parts: part → (first, one past the last) index; `train` and `test`, or `train`, `val`, `test`; of
            a set for calibration `test` alone. A `test` part without `val` is halved by seed
            (`lotus.data.splits`).
        classes: names in order of label.
        left_out: what lies there and is not taken.
        remarks: what else should be said, a sentence each.
        names: of the images, where they have names of their own.

    """

    images: np.ndarray | Files
    labels: np.ndarray
    parts: Mapping[str, tuple[int, int]]
    classes: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()
    names: ImageNames | None = None


def joined(parts: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: tuple[str, ...]) -> Content:
    """One content of (images uint8 `[n, H, W, C]`, labels `[n]`) by part, in the order given."""
    images = np.concatenate([images for images, _ in parts.values()])
    labels = np.concatenate([labels for _, labels in parts.values()])
    sizes = {name: len(labels) for name, (_, labels) in parts.items()}
    return Content(images, labels.astype(np.int64), ranges(sizes), classes)


def listed(
    parts: Mapping[str, Sequence[tuple[Path, int]]],
    classes: tuple[str, ...],
    side: int | None = None,
    left_out: tuple[LeftOut, ...] = (),
    remarks: tuple[str, ...] = (),
    names: ImageNames | None = None,
) -> Content:
    """One content of (path, label) by part, in the order given; the rest as in `Files` and `Content`."""
    every = [sample for samples in parts.values() for sample in samples]
    labels = np.array([label for _, label in every], dtype=np.int64)
    sizes = {name: len(samples) for name, samples in parts.items()}
    files = Files(tuple(path for path, _ in every), side)
    return Content(files, labels, ranges(sizes), classes, left_out, remarks, names)


def ranges(sizes: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Part → range of indices, from the sizes of consecutive parts."""
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: (end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}


def check(dataset: str, content: Content) -> None:
    """Refuses contents that nothing could be learnt from.

    Raises:
        LotusError: other parts than expected, labels outside the classes, a class without training
            images, an empty held-out part, fewer than two classes, two of one name.

    """
    if tuple(content.parts) not in PARTS:
        raise LotusError(
            f"{dataset}: its parts are {', '.join(content.parts)}; accepted: train and test; "
            "train, val and test; or test alone"
        )
    labels, classes = content.labels, content.classes
    if len(classes) < 2:
        raise LotusError(f"{dataset}: {too_few(classes)}")
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(outside):
        first = int(outside[0])
        raise LotusError(
            f"{dataset}: image {first} has the label {labels[first]}; labels of {len(classes)} classes "
            f"lie in 0…{len(classes) - 1}"
        )
    if len(set(classes)) < len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise LotusError(
            f"{dataset}: two classes are called '{shown(twice)}'; each needs its own name"
        )
    for part, (first, end) in content.parts.items():
        counts = np.bincount(labels[first:end], minlength=len(classes))
        if part == "train" and not counts.all():
            empty = [name for name, count in zip(classes, counts, strict=True) if not count]
            raise LotusError(
                f"{dataset}: there is no training image of the class{'es' if len(empty) > 1 else ''} "
                f"{first_of(empty, 3)}"
            )
        if not counts.any():
            raise LotusError(f"{dataset}: the {part} part has no image")


def too_few(classes: Sequence[str]) -> str:
    """Returns in words what is wrong with fewer than two classes."""
    found = f"there is a single class, '{shown(classes[0])}'" if classes else "there is no class"
    return (
        f"{found}; a classifier needs at least two. `raw` may point at a folder one level too high "
        "or too low"
    )


def select(content: Content, chosen: np.ndarray) -> Content:
    """The images at these indices (int64, ascending), part by part."""
    sizes = {
        part: int(((chosen >= first) & (chosen < end)).sum())
        for part, (first, end) in content.parts.items()
    }
    return replace(_taken(content, chosen), parts=ranges(sizes))


def _taken(content: Content, chosen: np.ndarray) -> Content:
    """Images, labels and names at these indices, in their order; the parts are left as they are."""
    images = (
        content.images.at(chosen) if isinstance(content.images, Files) else content.images[chosen]
    )
    names = None if content.names is None else content.names.at(chosen)
    return replace(content, images=images, labels=content.labels[chosen], names=names)


def limited(content: Content, limit: int) -> Content:
    """The first `limit` images of each class, of each part."""
    kept = []
    for first, end in content.parts.values():
        labels = content.labels[first:end]
        for label in range(len(content.classes)):
            kept.append(first + np.flatnonzero(labels == label)[:limit])
    return select(content, np.sort(np.concatenate(kept)))


HELD_OUT_SEED = 0
"""By which images are held out where nobody says which: for all runs the same."""


def hold_out(content: Content, share: float) -> Content:
    """Holds out a share of each class of a training part, drawn at random, as the `test` part.

    Args:
        content: its images are all of `train`.
        share: in (0, 1); n images of a class give share · n held-out ones, rounded.

    Raises:
        LotusError: of a class fewer than two images would be held out, or none trained on.

    """
    train, test = [], []
    for label, name in enumerate(content.classes):
        images = np.flatnonzero(content.labels == label)
        count = int(share * len(images) + 0.5)
        if count < 2 or count == len(images):
            raise LotusError(
                f"class {shown(name)}: held_out = {share:g} holds out {count} of {len(images)} images; at "
                "least 2 must be held out and 1 trained on"
            )
        drawn = np.random.default_rng([HELD_OUT_SEED, label]).permutation(images)
        test.append(drawn[:count])
        train.append(drawn[count:])
    parts = {"train": np.sort(np.concatenate(train)), "test": np.sort(np.concatenate(test))}
    order = np.concatenate([*parts.values()])
    sizes = {part: len(images) for part, images in parts.items()}
    return replace(_taken(content, order), parts=ranges(sizes))


def digest(images: np.ndarray, labels: np.ndarray) -> str:
    """sha256 of the pixels (uint8, N×H×W×C) and then the labels (int64, little endian)."""
    found = hashlib.sha256()
    for part in _in_parts(images, len(images), BYTES_AT_ONCE):
        found.update(np.ascontiguousarray(part).data)
    found.update(labels.astype("<i8").tobytes())
    return found.hexdigest()


def channel_statistics(
    images: np.ndarray, count: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel on the 0–1 scale, rounded to 4 digits.

    Args:
        images: uint8 `[N, H, W, C]`.
        count: of the first so many images.

    """
    total, squares = np.zeros(images.shape[3]), np.zeros(images.shape[3])
    for part in _in_parts(images, count, BYTES_AT_ONCE // 8):
        values = part.reshape(-1, images.shape[3]).astype(np.float64) / 255
        total += values.sum(0)
        squares += (values * values).sum(0)
    pixels = count * images.shape[1] * images.shape[2]
    mean = total / pixels
    std = np.sqrt(np.maximum(squares / pixels - mean * mean, 0))
    return tuple(np.round(mean, 4).tolist()), tuple(np.round(np.maximum(std, 1e-4), 4).tolist())


def _in_parts(images: np.ndarray, count: int, size: int) -> Iterator[np.ndarray]:
    """The first images, some `size` bytes at a time.

    Of a memory map each part is mapped for itself, so that pages that were read do not stay in memory.
    """
    if not count:
        return
    each = images[0].nbytes
    step = max(1, size // max(1, each))
    for start in range(0, count, step):
        stop = min(start + step, count)
        # Not a view of a map, whose offset is that of the map.
        if isinstance(images, np.memmap) and isinstance(images.base, mmap.mmap):
            shape = (stop - start, *images.shape[1:])
            place = images.offset + start * each
            yield np.memmap(str(images.filename), images.dtype, "r", place, shape)
        else:
            yield images[start:stop]


Reader = Callable[[tuple[Path, ...]], Content]
"""From located files or folders to the content."""
