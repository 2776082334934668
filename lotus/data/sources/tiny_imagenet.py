"""Tiny-ImageNet: class folders of training images, and validation images with a table of labels."""

from pathlib import Path

from lotus.data.content import Content, listed
from lotus.data.image_files import grouped
from lotus.data.sources import RawFile, Source
from lotus.data.sources._folders import ImageFinder, Samples, class_folders, label_of
from lotus.data.sources._tiny_imagenet import CLASSES
from lotus.errors import LotusError

FOLDER = "tiny-imagenet-200"


def read(paths: tuple[Path, ...]) -> Content:
    """Training images as `ImageFolder` orders them, validation images in the order of their table.

    Labels are the positions of the sorted WordNet ids. The official test images have none; the
    validation images are the part `test`.

    Raises:
        LotusError: a folder, the table or an image is missing, or a class is none of the 200.

    """
    (folder,) = paths
    wnids = tuple(CLASSES)
    train = class_folders(folder / "train", wnids, passed_over=("_boxes.txt",))
    held_out = _annotated(folder / "val", wnids)
    return listed(
        {"train": train.samples, "test": held_out},
        tuple(CLASSES.values()),
        left_out=grouped(train.left, folder),
        remarks=train.remarks,
    )


def _annotated(folder: Path, wnids: tuple[str, ...]) -> Samples:
    table = folder / "val_annotations.txt"
    if not table.is_file():
        raise LotusError(f"{table}: was not found; it holds the labels of the validation images")
    images, samples = ImageFinder(folder / "images"), []
    for line, row in enumerate(table.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        place = f"{table}: line {line}"
        name, _, rest = row.partition("\t")
        label = label_of(rest.partition("\t")[0], wnids, place)
        samples.append((images.find(name, place, "its first column"), label))
    return samples


SOURCE = Source(
    name="tiny-imagenet",
    title="Tiny-ImageNet (64×64 pixels)",
    version="2015 (CS231n), 200 classes",
    classes=tuple(CLASSES.values()),
    # As released, there on the scale 0–255.
    mean=(0.480308, 0.448139, 0.397633),
    std=(0.276441, 0.268894, 0.281618),
    licence="terms of ImageNet: non-commercial research and education",
    homepage="http://cs231n.stanford.edu/",
    selection="all training images, class after class, by file name as text (as `ImageFolder` orders "
    "them: _10 before _2), and the validation set as held-out part; the test images have no labels",
    files=(
        RawFile(
            "tiny-imagenet-200.zip",
            "90528d7ca1a48142e341f4ef8d21d0de",
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            unpacks=FOLDER,
        ),
    ),
    read=read,
    sizes={"train": 100_000, "test": 10_000},
)
