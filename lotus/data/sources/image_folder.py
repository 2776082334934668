"""A user's own images: in class folders, or behind a CSV file. `raw` under `store` names the place."""

from pathlib import Path

from lotus.data.content import Content, listed
from lotus.data.sources import Source
from lotus.data.sources._folders import (
    Samples,
    class_folders,
    existing,
    label_of,
    read_rows,
)
from lotus.errors import LotusError

PARTS = ("train", "val", "test")


def read(paths: tuple[Path, ...]) -> Content:
    """The parts of a folder or a CSV file; the classes are those of the training part, sorted.

    Args:
        paths: a folder with `train/` and `val/`, `test/` or both, each of class folders; or a CSV file
            with the columns `path` (from the file's folder), `label` (name of the class) and `split`.

    Raises:
        LotusError: a folder, column or image is missing, or a label is none of the training part's.

    """
    (place,) = paths
    classes, parts = _behind_table(place) if place.is_file() else _in_folders(place)
    if len(parts) == 1:
        raise LotusError(f"{place}: nothing held out; needed is val, test or both beside train")
    if "test" not in parts:
        parts["test"] = parts.pop("val")
    return listed(parts, classes)


def _in_folders(folder: Path) -> tuple[tuple[str, ...], dict[str, Samples]]:
    classes, train = class_folders(folder / "train")
    held_out = {
        part: class_folders(folder / part, classes)[1]
        for part in PARTS[1:]
        if (folder / part).exists()
    }
    return classes, {"train": train, **held_out}


def _behind_table(table: Path) -> tuple[tuple[str, ...], dict[str, Samples]]:
    rows = read_rows(table, ("path", "label", "split"))
    classes = tuple(sorted({label for _, label, split in rows if split == "train"}))
    if not classes:
        raise LotusError(f"{table}: no row has train as its split; needed are training images")
    parts: dict[str, Samples] = {part: [] for part in PARTS}
    for line, (name, label, split) in enumerate(rows, start=2):
        place = f"{table}: line {line}"
        if split not in parts:
            raise LotusError(f"{place}: split '{split}'; accepted: {', '.join(PARTS)}")
        path = existing(table.parent / name, place)
        parts[split].append((path, label_of(label, classes, place)))
    return classes, {part: samples for part, samples in parts.items() if samples}


SOURCE = Source(
    name="image-folder",
    title="Own images",
    version="as given",
    classes=None,
    mean=None,
    std=None,
    licence="that of the images",
    homepage="",
    selection="all images; of class folders class after class, by path as text; of a CSV file in its order",
    files=(),
    read=read,
)
