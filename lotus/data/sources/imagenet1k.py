"""ImageNet-1k (ILSVRC 2012): the images that the paper uses, unpacked or in the official archives."""

import tarfile
import tempfile
import zlib
from collections import defaultdict, deque
from pathlib import Path, PurePosixPath

from lotus.data.archives import extract, members
from lotus.data.content import Content, listed
from lotus.data.image_files import grouped, is_companion
from lotus.data.sources import RawFile, Source
from lotus.data.sources._folders import Samples, class_folders, label_of
from lotus.errors import LotusError

PER_CLASS = 50
"""Training images of a class that are read: 5 to forget, 45 to keep."""

SIDE = 256
"""A centre crop of 224 of it is the published Resize(256), CenterCrop(224)."""


def unpack_first(archive: Path, folder: Path) -> None:
    """Unpacks the images that are read from the training archive, which holds an archive for each class.

    Raises:
        LotusError: a member lies outside the folder or is no plain file.
        Exception: of any kind, damaged (see `lotus.data.archives`).

    """
    with tarfile.open(archive) as outer:
        for member in members(archive, outer):
            of_class = folder / "train" / PurePosixPath(member.name).stem
            with tarfile.open(fileobj=outer.extractfile(member)) as inner:
                by_name = sorted(members(archive, inner), key=lambda image: image.name)
                for image in by_name[:PER_CLASS]:
                    extract(inner, image, of_class)


def read(paths: tuple[Path, ...]) -> Content:
    """The first training images of each class, and the whole validation set as the part `test`.

    Args:
        paths: `train/` of class folders; `val/` of class folders, or of images with the archive of the
            development kit, which has their labels, behind it.

    Raises:
        LotusError: a folder is missing, a class is none of the training part's, or the development kit
            does not belong to the images.

    """
    train, val, *kit = paths
    found = class_folders(train)
    left, remarks = found.left, found.remarks
    if kit:
        held_out = _by_kit(val, kit[0], found.classes)
    else:
        listing = class_folders(val, found.classes)
        held_out = listing.samples
        left += listing.left
        remarks += listing.remarks
    parts = {"train": _first(found.samples), "test": held_out}
    left_out = grouped(left, train.parent, val.parent)
    return listed(parts, found.classes, SIDE, left_out, remarks)


def _first(samples: Samples) -> Samples:
    taken: defaultdict[int, int] = defaultdict(int)
    chosen = []
    for path, label in samples:
        taken[label] += 1
        if taken[label] <= PER_CLASS:
            chosen.append((path, label))
    return chosen


def _by_kit(folder: Path, kit: Path, classes: tuple[str, ...]) -> Samples:
    """Images in order of their names, with the labels that the development kit lists in this order."""
    images = sorted(path for path in folder.glob("*.JPEG") if not is_companion(path.name))
    wnids = _listed_classes(kit)
    if len(images) != len(wnids):
        raise LotusError(
            f"{folder}: has {len(images)} images, but {kit} has {len(wnids)} labels; get both again"
        )
    return [
        (path, label_of(wnid, classes, str(path))) for path, wnid in zip(images, wnids, strict=True)
    ]


def _listed_classes(kit: Path) -> list[str]:
    from torchvision.datasets import imagenet

    # torchvision unpacks whatever it has in it.
    try:
        with tarfile.open(kit) as opened:
            deque(members(kit, opened), maxlen=0)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise LotusError(f"{kit}: not the development kit: {error}; get it again") from error
    # torchvision writes beside the archive, which may lie where nothing can be written.
    with tempfile.TemporaryDirectory() as place:
        Path(place, kit.name).symlink_to(kit.absolute())
        try:
            imagenet.parse_devkit_archive(place, kit.name)
            _, wnids = imagenet.load_meta_file(place)
        except (RuntimeError, KeyError, ValueError, tarfile.TarError) as error:
            raise LotusError(f"{kit}: is not the development kit: {error}; get it again") from error
    return list(wnids)


def _flat(earlier: tuple[Path, ...]) -> bool:
    """Whether the validation images are not sorted into classes."""
    return not any(path.is_dir() and not is_companion(path.name) for path in earlier[-1].iterdir())


SOURCE = Source(
    name="imagenet1k",
    title="ImageNet-1k (shorter side 256, centre 256×256 pixels)",
    version="ILSVRC 2012",
    classes=None,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    licence="non-commercial research and education, on the terms of image-net.org",
    homepage="https://image-net.org/challenges/LSVRC/2012/",
    selection=f"the first {PER_CLASS} training images of each class by file name as text, and the whole "
    "validation set as held-out part; classes are the WordNet ids, sorted",
    # Checksums as in torchvision 0.29.
    files=(
        RawFile(
            "ILSVRC2012_img_train.tar",
            "1d675b47d978889d74fa0da5fadfb00e",
            unpacks="train",
            unpack=unpack_first,
        ),
        RawFile("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622", unpacks="val"),
        RawFile("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf", needed=_flat),
    ),
    read=read,
    obtain="Accept the terms at image-net.org, and put train/ and val/ or the official archives into "
    "imagenet1k/ of a data.mirror",
    sizes={"train": 50_000, "test": 50_000},
    folders=("ILSVRC2012",),
)
