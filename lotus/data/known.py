"""Tells what is known of a data set before anything is downloaded, decoded or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lotus.config.images import StoreOptions
from lotus.data import content as contents
from lotus.data.archives import is_archive
from lotus.data.build import read_content, source_of
from lotus.data.content import Files
from lotus.data.decode import shape_of
from lotus.data.image_names import ImageNames
from lotus.data.raw import at_hand
from lotus.data.sources import Source
from lotus.data.store import open_store, read_names
from lotus.errors import LotusError
from lotus.names import shown


@dataclass(frozen=True)
class Counts:
    """Classes and numbers of images of a data set.

    Attributes:
        classes: names in order of label.
        train: training images of each class; of a set for calibration only zeros.
        val: validation images of each class where they are kept apart; else None.
        test: test images of each class; without `val` these are halved into validation and test images.
        size: (channels, height, width) of an image as it is stored.
        names: of the images, where they have names of their own.

    """

    classes: tuple[str, ...]
    train: tuple[int, ...]
    val: tuple[int, ...] | None
    test: tuple[int, ...]
    size: tuple[int, int, int]
    names: ImageNames | None = field(default=None, compare=False, repr=False)

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Part → first index and the one behind the last, of images in the order of a store."""
        val = {} if self.val is None else {"val": sum(self.val)}
        return contents.ranges({"train": sum(self.train), **val, "test": sum(self.test)})

    @property
    def has_val(self) -> bool:
        """Whether validation images are kept apart from the test images."""
        return self.val is not None


def class_counts(
    dataset: str, options: StoreOptions, folder: Path, mirrors: Sequence[str] = ()
) -> Counts | None:
    """Counts the images of each class: from the store, else own images at hand, else files of the project.

    Args:
        dataset: its name in the configuration.
        folder: of the store.
        mirrors: as `fetch_raw` takes them; `raw` may be relative to a folder of them.

    Returns:
        The counts under `limit`; None where files have to be fetched or unpacked first.

    Raises:
        LotusError: unknown source; or own images that a store cannot be built of.

    """
    described = source_of(dataset, options)
    stored = _of_store(described, folder)
    if stored is not None:
        return _limited(stored, options.limit)
    paths = _paths(described, options, mirrors)
    if paths is None:
        return None
    content = read_content(dataset, described, options, paths)
    contents.check(dataset, content)
    if content.names is not None and options.limit is not None:
        content = contents.limited(content, options.limit)
    if isinstance(content.images, Files):
        size = (3, *shape_of(content.images))
    else:
        height, width, channels = content.images.shape[1:]
        size = (channels, height, width)
    counts = _counted(content.classes, content.labels, content.parts, size)
    return replace(_limited(counts, options.limit), names=content.names)


def _of_store(described: Source, folder: Path) -> Counts | None:
    try:
        store = open_store(folder)
        if store.source.get("source") != described.name:
            return None
        height, width, channels = store.images.shape[1:]
        size = (channels, height, width)
        counts = _counted(store.classes, store.labels, store.source["parts"], size)
        return replace(counts, names=read_names(store))
    except (LotusError, OSError, ValueError, TypeError):
        # Absent or damaged: the build will say so.
        return None


def _paths(
    described: Source, options: StoreOptions, mirrors: Sequence[str]
) -> tuple[Path, ...] | None:
    """Returns the paths of all that the reader takes; None if they are not known yet."""
    if options.raw is not None:
        if described.files:
            return None
        given = at_hand(options.raw, mirrors)
        return None if given is None or _is_packed(given) else (given,)
    if not described.in_repository:
        return None
    paths = tuple(file.locate() for file in described.files if file.locate is not None)
    return paths if all(path.is_file() for path in paths) else None


def _is_packed(given: Path) -> bool:
    try:
        return given.is_file() and is_archive(given)
    except OSError as error:
        raise LotusError(f"{shown(given)}: cannot be read: {error.strerror}") from error


def _counted(
    classes: tuple[str, ...],
    labels: np.ndarray,
    parts: Mapping[str, Sequence[int]],
    size: tuple[int, int, int],
) -> Counts:
    counts = {
        part: tuple(np.bincount(labels[first:end], minlength=len(classes)).tolist())
        for part, (first, end) in parts.items()
    }
    none = (0,) * len(classes)
    return Counts(
        classes, counts.get("train", none), counts.get("val"), counts.get("test", none), size
    )


def _limited(counts: Counts, limit: int | None) -> Counts:
    if limit is None:
        return counts

    def cut(part: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(min(count, limit) for count in part)

    val = None if counts.val is None else cut(counts.val)
    return replace(counts, train=cut(counts.train), val=val, test=cut(counts.test))
