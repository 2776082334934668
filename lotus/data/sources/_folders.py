"""Images in class folders, read by torchvision, and tables of images."""

import os
from collections.abc import Sequence
from pathlib import Path

from lotus.data.content import shortened
from lotus.errors import LotusError

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


def read_rows(table: Path, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """These columns of a CSV file, as text; line 1 is the header, so the first row is line 2.

    Raises:
        LotusError: absent, no CSV file, or without one of the columns.

    """
    import pandas as pd

    if not table.is_file():
        raise LotusError(f"{table}: not found; needed is a CSV file with {', '.join(columns)}")
    try:
        rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    except ValueError as error:
        raise LotusError(f"{table}: no CSV file: {str(error).strip()}") from error
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise LotusError(
            f"{table}: column {', '.join(missing)} missing; it has {shortened(list(rows.columns))}"
        )
    return list(zip(*(rows[name] for name in columns), strict=True))


def existing(path: Path, place: str) -> Path:
    """An image file that a table names.

    Raises:
        LotusError: there is none; names the place.

    """
    if not path.is_file():
        raise LotusError(f"{place}: image {path} not found")
    return path
