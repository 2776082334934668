"""A user's own images: in class folders, or behind a CSV file. `raw` under `store` names the place."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lotus.data.content import Content, LeftOut, listed, too_few
from lotus.data.image_files import (
    BESIDE,
    FILE,
    FOLDER,
    Left,
    grouped,
    holds_images,
    is_companion,
    kind_of,
    why_no_image,
)
from lotus.data.sources import Source
from lotus.data.sources._folders import ImageFinder, Samples, class_folders, label_of
from lotus.errors import LotusError
from lotus.formats.csv_text import read_rows
from lotus.names import composed, look_alikes, shown
from lotus.wording import first_of

PARTS = ("train", "val", "test")
COLUMNS = ("path", "label", "split")
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")


def read(paths: tuple[Path, ...]) -> Content:
    """The parts of a folder or a CSV file; the classes are those of the training part, sorted.

    Args:
        paths: a folder with `train/` and `val/`, `test/` or both, each of class folders; or a CSV file
            with the columns `path` (from the file's folder), `label` (name of the class) and `split`.

    Raises:
        LotusError: a folder, column or image is missing, a label is none of the training part's, two
            labels cannot be told apart, or there are fewer than two.

    """
    (place,) = paths
    read_place = _behind_table if place.is_file() else _in_folders
    classes, parts, left_out, remarks = read_place(place)
    if len(parts) == 1:
        beside = "" if place.is_file() else _beside(place)
        raise LotusError(
            f"{shown(place)}: there are no held-out images; val, test or both must lie beside train{beside}"
        )
    if len(classes) < 2:
        raise LotusError(f"{shown(place)}: {too_few(classes)}")
    if "test" not in parts:
        parts["test"] = parts.pop("val")
    return listed(parts, classes, left_out=left_out, remarks=remarks)


Parts = tuple[tuple[str, ...], dict[str, Samples], tuple[LeftOut, ...], tuple[str, ...]]


def _in_folders(folder: Path) -> Parts:
    if not os.path.lexists(folder / "train"):
        raise LotusError(
            f"{shown(folder / 'train')}: was not found; it must be a folder that holds a "
            "folder of images for each class" + _beside(folder)
        )
    train = class_folders(folder / "train")
    remarks = _told_apart(shown(folder / "train"), train.classes, {})
    listings = {"train": train}
    for part in PARTS[1:]:
        if os.path.lexists(folder / part):
            listings[part] = class_folders(folder / part, train.classes)
    left = [item for listing in listings.values() for item in listing.left]
    remarks += [remark for listing in listings.values() for remark in listing.remarks]
    left_out = grouped([*left, *_left_beside(folder)], folder)
    samples = {part: listing.samples for part, listing in listings.items()}
    return train.classes, samples, left_out, tuple(remarks)


def _left_beside(folder: Path) -> list[Left]:
    """Returns the folders beside the parts that hold images, or are not even looked at."""
    left = []
    with os.scandir(folder) as scanned:
        for entry in scanned:
            kind, path = kind_of(entry), folder / entry.name
            if kind == FOLDER:
                if entry.name not in PARTS and holds_images(path):
                    left.append((BESIDE, path))
            elif kind != FILE:
                left.append((kind, path))
            elif not why_no_image(path):
                left.append((BESIDE, path))
    return left


def _beside(folder: Path) -> str:
    """Hint at folders that may be meant for a part."""
    try:
        there = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    except OSError:
        return ""
    others = [path.name for path in there if path.name not in PARTS]
    named = [shown(name) for name in others if not is_companion(name)]
    for name in named:
        if name.strip().lower() in PARTS:
            return f"; '{name}' is there: rename it to '{name.strip().lower()}'"
    inner = next((name for name in named if (folder / name / "train").is_dir()), None)
    if inner is not None:
        return f"; '{inner}' has it: name that folder"
    return f"; it has {first_of(named, 3)}" if named else ""


def _told_apart(place: str, names: Sequence[str], lines: Mapping[str, int]) -> list[str]:
    """Remarks on names of classes that look alike.

    Args:
        lines: on which each stands first, where that is known.

    Raises:
        LotusError: two cannot be told apart.

    """
    remarks = []
    for pair in look_alikes(names):
        of_lines = f" (lines {lines[pair.first]} and {lines[pair.second]})" if lines else ""
        if pair.is_mistake:
            raise LotusError(f"{place}: the classes {pair}{of_lines}; give both one name")
        remarks.append(f"{place}: the classes {pair}{of_lines}; they count as two")
    return remarks


def _behind_table(table: Path) -> Parts:
    if table.name.lower().endswith(ARCHIVES):
        raise LotusError(
            f"{shown(table)}: is not a folder, a CSV file or an archive that can be unpacked (zip, tar, "
            "tar.gz, tar.bz2, tar.xz)"
        )
    rows = read_rows(table, COLUMNS)
    first_of: dict[str, int] = {}
    written: dict[str, str] = {}
    forms: set[str] = set()
    for line, (_, label, split) in rows:
        place = f"{shown(table)}: line {line}"
        if split not in PARTS:
            raise LotusError(f"{place}: split '{shown(split)}'; accepted: {', '.join(PARTS)}")
        if not label.strip():
            raise LotusError(f"{place}: label is empty; it must be the name of a class")
        first_of.setdefault(composed(label), line)
        if written.setdefault(composed(label), label) != label:
            forms.add(composed(label))
    remarks = _told_apart(shown(table), list(first_of), first_of)
    remarks += [
        f"{shown(table)}: line {line}: the label {label!r} has blanks at its ends, which belong to its name"
        for label, line in first_of.items()
        if label != label.strip()
    ]
    remarks += [
        f"{shown(table)}: the label '{label}' is written in different forms of Unicode (NFC, NFD); these "
        "count as one class"
        for label in sorted(forms)
    ]
    classes = tuple(sorted({composed(label) for _, (_, label, split) in rows if split == "train"}))
    if not classes:
        raise LotusError(
            f"{shown(table)}: no row has train as its split; training images are needed"
        )
    parts: dict[str, Samples] = {part: [] for part in PARTS}
    images, position = (
        ImageFinder(table.parent),
        {name: label for label, name in enumerate(classes)},
    )
    seen: dict[str, list[tuple[int, str, str]]] = {}
    for line, (name, label, split) in rows:
        place = f"{shown(table)}: line {line}"
        path = images.find(name, place, "path")
        seen.setdefault(os.path.normpath(path), []).append((line, composed(label), split))
        found = position.get(composed(label))
        parts[split].append((path, label_of(label, classes, place) if found is None else found))
    remarks += _repeated(table, seen)
    filled = {part: samples for part, samples in parts.items() if samples}
    return classes, filled, (), tuple(remarks)


def _repeated(table: Path, seen: Mapping[str, Sequence[tuple[int, str, str]]]) -> list[str]:
    """Remarks on images in several rows, those that contradict each other apart."""
    remarks = []
    repeated = [uses for uses in seen.values() if len(uses) > 1]
    for what, chosen in (
        ("with different labels", [uses for uses in repeated if _differ(uses, 1)]),
        ("in different parts", [uses for uses in repeated if _differ(uses, 2)]),
        ("", [uses for uses in repeated if not _differ(uses, 1) and not _differ(uses, 2)]),
    ):
        if chosen:
            lines = first_of([f"{uses[0][0]} and {uses[1][0]}" for uses in chosen], 3, ",")
            remarks.append(
                f"{shown(table)}: some images stand in several rows{what and f' {what}'}: {len(chosen):,} "
                f"(lines {lines}); each row is taken"
            )
    return remarks


def _differ(uses: Sequence[tuple[int, str, str]], position: int) -> bool:
    return len({use[position] for use in uses}) > 1


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
