"""A user's own images: in class folders, or behind a CSV file. `raw` under `store` names the place."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

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
from lotus.data.image_names import ImageNames
from lotus.data.sources import Source
from lotus.data.sources._folders import ImageFinder, Samples, class_folders, label_of
from lotus.errors import LotusError
from lotus.formats.csv_text import Table, read_csv
from lotus.names import composed, look_alikes, shown
from lotus.wording import all_of, first_of

PARTS = ("train", "val", "test")
COLUMNS = ("path", "label")
"""What a CSV file has to have, besides `split` where no share is held out."""
HELD_OUT = "give `held_out` under `store`: the share of each class that is held out"
Row = tuple[int, str, str, str]
"""Line, path, label and part of an image."""
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
    found = _rows_of(place, "split") if place.is_file() else _in_folders(place)
    parts = dict(found.parts)
    if len(parts) == 1:
        where = (
            "must be among the splits"
            if place.is_file()
            else f"must lie beside train{_beside(place)}"
        )
        instead = "leave the column out" if place.is_file() else "name the folder train as `raw`"
        raise LotusError(
            f"{shown(place)}: there are no held-out images; val, test or both {where}; or {instead} and "
            f"{HELD_OUT}"
        )
    if "test" not in parts:
        parts["test"] = parts.pop("val")
    return _content(place, replace(found, parts=parts))


def read_unsplit(paths: tuple[Path, ...]) -> Content:
    """All images of a folder or a CSV file as one training part, of which a share is to be held out.

    Args:
        paths: a folder of class folders; or a CSV file with the columns `path` and `label`.

    Raises:
        LotusError: it has parts of its own, or as `read`.

    """
    (place,) = paths
    return _content(place, _rows_of(place, None) if place.is_file() else _in_classes(place))


@dataclass(frozen=True)
class _Found:
    """The images at a place: see `Content`; `parts` are path and label of each image by part."""

    classes: tuple[str, ...]
    parts: Mapping[str, Samples]
    names: ImageNames
    left_out: tuple[LeftOut, ...]
    remarks: tuple[str, ...]


def _content(place: Path, found: _Found) -> Content:
    if len(found.classes) < 2:
        raise LotusError(f"{shown(place)}: {too_few(found.classes)}")
    return listed(
        found.parts,
        found.classes,
        left_out=found.left_out,
        remarks=found.remarks,
        names=found.names,
    )


def _in_folders(folder: Path) -> _Found:
    if not os.path.lexists(folder / "train"):
        raise LotusError(
            f"{shown(folder / 'train')}: was not found; it must be a folder that holds a "
            f"folder of images for each class{_beside(folder)}; for class folders that are in no such "
            f"parts {HELD_OUT}"
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
    names = _names_below(folder, samples)
    return _Found(train.classes, samples, names, left_out, tuple(remarks))


def _in_classes(folder: Path) -> _Found:
    parts = [part for part in PARTS if os.path.lexists(folder / part)]
    if parts:
        raise LotusError(
            f"{shown(folder)}: has the folder {all_of(parts)}, so its images are held out already; remove "
            "`held_out`, or name a folder of class folders as `raw`"
        )
    listing = class_folders(folder)
    remarks = [*_told_apart(shown(folder), listing.classes, {}), *listing.remarks]
    samples = {"train": listing.samples}
    names = _names_below(folder, samples)
    left_out = grouped(listing.left, folder)
    return _Found(listing.classes, samples, names, left_out, tuple(remarks))


def _names_below(folder: Path, parts: Mapping[str, Samples]) -> ImageNames:
    every = [path for samples in parts.values() for path, _ in samples]
    return ImageNames(tuple(shown(path.relative_to(folder).as_posix()) for path in every))


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
    named = [name for name in others if not is_companion(name)]
    for name in named:
        if name.strip().lower() in PARTS:
            return f"; '{shown(name)}' is there: rename it to '{name.strip().lower()}'"
    inner = next((name for name in named if (folder / name / "train").is_dir()), None)
    if inner is not None:
        return f"; '{shown(inner)}' has it: name that folder"
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


def _read_rows(table: Path, split: str | None) -> tuple[Table, list[Row]]:
    """The file, and line, path, label and part of each of its rows.

    Args:
        split: the column of the parts; None: there must be no such column, all images are of `train`.

    """
    if table.name.lower().endswith(ARCHIVES):
        raise LotusError(
            f"{shown(table)}: is not a folder, a CSV file or an archive that can be unpacked (zip, tar, "
            "tar.gz, tar.bz2, tar.xz)"
        )
    if split is None:
        read = read_csv(table, COLUMNS)
        if "split" in read.header:
            raise LotusError(
                f"{shown(table)}: has the column split, which says what is held out; remove `held_out`, "
                "or the column"
            )
    else:
        try:
            read = read_csv(table, (*COLUMNS, split))
        except LotusError as error:
            if f"column {split} missing" in str(error):
                raise LotusError(f"{error}; or {HELD_OUT}") from None
            raise
    path, label = (read.header.index(name) for name in COLUMNS)
    place = None if split is None else read.header.index(split)
    rows = [
        (line, row[path], row[label], "train" if place is None else row[place])
        for line, row in zip(read.lines, read.rows, strict=True)
    ]
    return read, rows


def _rows_of(table: Path, split: str | None) -> _Found:
    """The images behind a CSV file; see `_read_rows`."""
    read, rows = _read_rows(table, split)
    first_of: dict[str, int] = {}
    written: dict[str, str] = {}
    forms: set[str] = set()
    for line, _, label, part in rows:
        place = f"{shown(table)}: line {line}"
        if part not in PARTS:
            raise LotusError(f"{place}: split '{shown(part)}'; accepted: {', '.join(PARTS)}")
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
    classes = tuple(sorted({composed(label) for _, _, label, part in rows if part == "train"}))
    if not classes:
        raise LotusError(
            f"{shown(table)}: no row has train as its split; training images are needed"
        )
    samples: list[tuple[Path, int]] = []
    images, position = (
        ImageFinder(table.parent),
        {name: label for label, name in enumerate(classes)},
    )
    seen: dict[str, list[tuple[int, str, str]]] = {}
    for line, name, label, part in rows:
        place = f"{shown(table)}: line {line}"
        path = images.find(name, place, "path")
        seen.setdefault(os.path.normpath(path), []).append((line, composed(label), part))
        found = position.get(composed(label))
        samples.append((path, label_of(label, classes, place) if found is None else found))
    remarks += _repeated(table, seen)
    places = {part: [at for at, row in enumerate(rows) if row[3] == part] for part in PARTS}
    filled = {part: [samples[at] for at in ats] for part, ats in places.items() if ats}
    names = ImageNames(
        tuple(shown(Path(os.path.relpath(path, table.parent)).as_posix()) for path, _ in samples),
        {
            composed(name): tuple(row[at] for row in read.rows)
            for at, name in enumerate(read.header)
            if name.strip() and name not in (*COLUMNS, "split")
        },
    )
    order = np.array([at for ats in places.values() for at in ats], np.int64)
    return _Found(classes, filled, names.at(order), (), tuple(remarks))


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
    read_unsplit=read_unsplit,
    has_names=True,
)
