"""Images in class folders, and tables of images."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from lotus.data.image_files import (
    COMPANION,
    FILE,
    FOLDER,
    LOOP,
    NO_CLASS,
    Left,
    ancestors,
    grouped,
    identity,
    images_below,
    kind_of,
    why_no_image,
)
from lotus.errors import LotusError
from lotus.formats.csv_text import is_unfit
from lotus.names import composed, look_alikes, shown
from lotus.wording import first_of

Samples = list[tuple[Path, int]]


@dataclass(frozen=True)
class Listing:
    """The images in class folders.

    Attributes:
        classes: names in order of label.
        samples: path and label of each image.
        left: what is not taken.
        remarks: what else should be said, a sentence each.

    """

    classes: tuple[str, ...]
    samples: Samples
    left: tuple[Left, ...]
    remarks: tuple[str, ...]


def class_folders(
    folder: Path, classes: Sequence[str] | None = None, passed_over: tuple[str, ...] = ()
) -> Listing:
    """Images below a folder that has one folder for each class, in `ImageFolder`'s order.

    That is class after class, within a class by path as text: `x_10.JPEG` before `x_2.JPEG`. Names are
    compared in Unicode's form NFC; folders of one name are one class.

    Args:
        classes: those that there may be, in order of label; None: the names found, sorted.
        passed_over: endings of files that belong there and are no images.

    Raises:
        LotusError: no such folder, none of classes in it, or one of another class, with a name that cannot
            be shown, or whose files are all left out.
        OSError: a folder cannot be read.

    """
    if not folder.is_dir():
        what = "is not a folder" if os.path.lexists(folder) else "was not found"
        raise LotusError(
            f"{shown(folder)}: {what}; it must be a folder that holds a folder of images for each class"
        )
    found, left = _entries(folder)
    if not found:
        loose = sum(reason == NO_CLASS for reason, _ in left)
        raise LotusError(
            f"{shown(folder)}: has no class folders; it needs one for each class"
            + (f"; {loose:,} images lie in no class folder" if loose else "")
        )
    names = tuple(sorted(found)) if classes is None else tuple(classes)
    above = ancestors(folder)
    samples: Samples = []
    for name in sorted(found):
        label = label_of(name, names, shown(found[name][0]))
        images, lost = images_below(found[name], above, passed_over)
        # Of held-out images a class may have none, so a folder that a person left empty is right.
        if lost and not images and (classes is None or not all(_is_hidden(left) for left in lost)):
            raise LotusError(
                f"{shown(found[name][0])}: there is no image of the class '{shown(name)}': "
                + "; ".join(map(str, grouped(lost, folder)))
            )
        samples += [(path, label) for path in images]
        left += lost
    remarks = [
        f"{shown(folder)}: '{name}' is the name of {len(places)} folders, in different forms of Unicode "
        "(NFC, NFD); they count as one class"
        for name, places in found.items()
        if len(places) > 1
    ]
    return Listing(names, samples, tuple(left), tuple(remarks))


def _is_hidden(left: Left) -> bool:
    return left[0] == COMPANION


def _entries(folder: Path) -> tuple[dict[str, list[Path]], list[Left]]:
    """Class → its folders, and what else lies beside them."""
    found: dict[str, list[Path]] = {}
    left: list[Left] = []
    above = ancestors(folder)
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        kind, path = kind_of(entry), folder / entry.name
        if kind == FOLDER and identity(entry.path) in above:
            left.append((LOOP, path))
        elif kind == FOLDER:
            if is_unfit(entry.name):
                raise LotusError(
                    f"{shown(folder)}: '{shown(entry.name)}' cannot be the name of a class, "
                    "which has no control "
                    "characters and is UTF-8; rename the folder"
                )
            found.setdefault(composed(entry.name), []).append(path)
        elif kind == FILE:
            left.append((why_no_image(path) or NO_CLASS, path))
        else:
            left.append((kind, path))
    return found, left


def label_of(name: str, classes: Sequence[str], place: str) -> int:
    """Position of a class.

    Raises:
        LotusError: there is no such class; names the place.

    """
    name = composed(name)
    if name not in classes:
        alike = [str(pair) for pair in look_alikes([*classes, name]) if pair.second == name]
        raise LotusError(
            f"{place}: '{shown(name)}' is not one of the {len(classes)} classes {first_of(classes, 3)}"
            + "".join(f"; {pair}" for pair in alike[:1])
        )
    return classes.index(name)


class ImageFinder:
    """Finds the images that a table names, from a folder on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listings: dict[Path, dict[str, list[str]]] = {}

    def find(self, name: str, place: str, column: str) -> Path:
        """An image file.

        The name is looked for as it is, then in another form of Unicode, then with / for each backslash.

        Raises:
            LotusError: there is no such file; names the place.

        """
        if not name.strip():
            raise LotusError(f"{place}: {column} is empty; it must be the path of an image")
        try:
            for written in dict.fromkeys((name, name.replace("\\", "/"))):
                path = self._folder / written
                if not os.path.lexists(path):
                    path = self._in_other_form(written) or path
                if path.is_file():
                    return path
                if path.exists():
                    what = "a folder" if path.is_dir() else "not a regular file"
                    raise LotusError(f"{place}: image {shown(path)} is {what}")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LotusError(
                f"{place}: image {shown(self._folder / name)} cannot be read: {reason}"
            ) from error
        hint = ""
        if name != name.strip() and (self._folder / name.strip()).is_file():
            hint = "; there is one whose name lacks the blanks at its ends"
        raise LotusError(f"{place}: image {shown(self._folder / name)} was not found{hint}")

    def _in_other_form(self, name: str) -> Path | None:
        """The path of these names in any form of Unicode; None if there is none."""
        places = [self._folder]
        for part in PurePath(name).parts:
            places = [inside for place in places for inside in self._same(place, part)]
        return places[0] if places else None

    def _same(self, folder: Path, name: str) -> list[Path]:
        """Returns the paths in a folder that have a name, in any form of Unicode; first the name itself."""
        itself = [folder / name] if os.path.lexists(folder / name) else []
        if folder not in self._listings:
            listing: dict[str, list[str]] = {}
            for other in sorted(os.listdir(folder)) if folder.is_dir() else ():
                listing.setdefault(composed(other), []).append(other)
            self._listings[folder] = listing
        others = self._listings[folder].get(composed(name), ())
        return [*itself, *(folder / other for other in others if other != name)]
