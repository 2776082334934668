"""Images in class folders, read by torchvision, and tables of images."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.data.content import shortened
from lotus.errors import LotusError

if TYPE_CHECKING:
    import pandas as pd

Samples = list[tuple[Path, int]]


def class_folders(
    folder: Path, classes: Sequence[str] | None = None
) -> tuple[tuple[str, ...], Samples]:
    """Images below a folder that has one folder for each class, in `ImageFolder`'s order.

    That is class after class, within a class by path as text: `x_10.JPEG` before `x_2.JPEG`.

    Args:
        classes: those that there may be, in order of label; None: the names found, sorted.

    Returns:
        Names in order of label; path and label of each image.

    Raises:
        LotusError: no such folder, none of classes in it, or one of another class.
        OSError: a folder cannot be read.

    """
    from torchvision.datasets.folder import IMG_EXTENSIONS, find_classes, make_dataset

    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "not found"
        raise LotusError(f"{folder}: {what}; needed is a folder with one of images for each class")
    try:
        found, _ = find_classes(folder)
    except FileNotFoundError as error:
        raise LotusError(
            f"{folder}: no class folders in it; needed is one for each class"
        ) from error
    for name in found:
        # os.walk, on which torchvision builds, passes over what it may not read.
        os.scandir(folder / name).close()
    names = tuple(found) if classes is None else tuple(classes)
    labels = {name: label_of(name, names, str(folder / name)) for name in found}
    samples = make_dataset(str(folder), labels, extensions=IMG_EXTENSIONS, allow_empty=True)
    return names, [(Path(path), label) for path, label in samples]


def label_of(name: str, classes: Sequence[str], place: str) -> int:
    """Position of a class.

    Raises:
        LotusError: there is no such class; names the place.

    """
    if name not in classes:
        raise LotusError(
            f"{place}: '{name}' is none of the {len(classes)} classes {shortened(classes)}"
        )
    return classes.index(name)


def read_table(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """A CSV file, all of it as text, so that it can be written as it was read.

    Raises:
        LotusError: absent, no CSV file, or without one of the columns.

    """
    import pandas as pd

    if not path.is_file():
        raise LotusError(f"{path}: not found; needed is a CSV file with {', '.join(columns)}")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:
        raise LotusError(f"{path}: no CSV file: {str(error).strip()}") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise LotusError(
            f"{path}: column {', '.join(missing)} missing; it has {shortened(list(table.columns))}"
        )
    return table


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """These columns of `read_table`; line 1 is the header, so the first row is line 2."""
    table = read_table(path, columns)
    return list(zip(*(table[name] for name in columns), strict=True))


def existing(path: Path, place: str) -> Path:
    """An image file that a table names.

    Raises:
        LotusError: there is none; names the place.

    """
    if not path.is_file():
        raise LotusError(f"{place}: image {path} not found")
    return path
