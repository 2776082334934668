"""CIFAKE's generated images in the classes of CIFAR-10: for calibration, not for training."""

from pathlib import Path

from lotus.data.content import Content, listed
from lotus.data.image_files import grouped
from lotus.data.sources import RawFile, Source
from lotus.data.sources._folders import class_folders
from lotus.data.sources.cifar10 import SOURCE as CIFAR10
from lotus.errors import LotusError

CLASSES = CIFAR10.classes or ()


def read(paths: tuple[Path, ...]) -> Content:
    """All images of the ten class folders, as the one part `test`.

    Raises:
        LotusError: a class has no folder or no image, or a folder is of another class.

    """
    (folder,) = paths
    found = class_folders(folder, CLASSES)
    present = {label for _, label in found.samples}
    for label, name in enumerate(CLASSES):
        if label not in present:
            raise LotusError(f"{folder / name}: there is no image of the class '{name}'")
    left_out = grouped(found.left, folder)
    return listed({"test": found.samples}, CLASSES, left_out=left_out, remarks=found.remarks)


SOURCE = Source(
    name="cifake",
    title="CIFAKE, generated images of its test part (32×32 pixels)",
    version="2023",
    classes=CLASSES,
    mean=CIFAR10.mean,
    std=CIFAR10.std,
    licence="see its page on Kaggle; cite Bird & Lotfi, 2023",
    homepage="https://www.kaggle.com/datasets/birdy654/cifake-real-and-ai-generated-synthetic-images",
    selection="test/FAKE sorted into class folders; class after class, by file name as text",
    # Kaggle makes its archive anew for each download, so there is no checksum.
    files=(RawFile("cifake.zip", md5="", unpacks="cifake"),),
    read=read,
    obtain="Get it from its page on Kaggle and sort test/FAKE into folders cifake/airplane … "
    "cifake/truck of a data.mirror",
    sizes={"test": 10_000},
)
