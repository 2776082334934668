"""MUFAC's folder: a CSV file and a folder of images for each part."""

from pathlib import Path

from lotus.data.content import Content, listed
from lotus.data.sources._folders import ImageFinder, Samples, read_rows
from lotus.errors import LotusError

LETTERS = "abcdefgh"
CLASSES = ("0-6", "7-12", "13-19", "20-30", "31-45", "46-55", "56-66", "67-80")
"""Ages in years, in the order of the letters."""

LICENCE = (
    "research use, on the terms of the Korean family data it is made from: see the authors' page"
)
HOMEPAGE = "https://github.com/ndb796/MachineUnlearning"
SELECTION = "all images, in the order of the CSV files; label = letter of `age_class`, a first"


def read_mufac(paths: tuple[Path, ...]) -> Content:
    """Training, validation and test part, in the order of the CSV files.

    Args:
        paths: the folder with `custom_{train,val,test}_dataset.csv` and `{train,val,test}_images/`.

    Raises:
        LotusError: a CSV file, a column or an image is missing, or a letter is none of the classes.

    """
    (folder,) = paths
    return listed({part: _part(folder, part) for part in ("train", "val", "test")}, CLASSES)


def table_of(folder: Path, part: str) -> Path:
    """The CSV file of a part."""
    return folder / f"custom_{part}_dataset.csv"


def images_of(folder: Path, part: str) -> Path:
    """The folder that `image_path` of a part's CSV file is relative to."""
    return folder / f"{part}_images"


def _part(folder: Path, part: str) -> Samples:
    table, images = table_of(folder, part), ImageFinder(images_of(folder, part))
    samples = []
    for line, (letter, name) in read_rows(table, ("age_class", "image_path")):
        place = f"{table}: line {line}"
        if len(letter) != 1 or letter not in LETTERS:
            raise LotusError(f"{place}: age_class '{letter}'; accepted: {', '.join(LETTERS)}")
        samples.append((images.find(name, place, "image_path"), LETTERS.index(letter)))
    return samples
