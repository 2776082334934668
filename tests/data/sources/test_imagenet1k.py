"""ImageNet-1k from folders or the published archives to a store."""

from dataclasses import replace
from pathlib import Path

import pytest
import raw_files
import torchvision.datasets
from stores import build, shown

from lotus.data import sources
from lotus.data.sources import imagenet1k
from lotus.errors import LotusError

pytestmark = pytest.mark.usefixtures("empty_project")


@pytest.mark.parametrize("place", ["", "imagenet1k", "ILSVRC2012"])
def test_imagenet_in_folders(mirror, place):
    root = mirror / place
    raw_files.folders(root / "train", {"n01": 52, "n02": 53}, size=(6, 8))
    raw_files.folders(root / "val", {"n02": 1, "n01": 2}, start=200, size=(9, 6))
    store = build("imagenet1k", mirror, content="any", side=4)
    assert store.classes == ("n01", "n02")
    assert shown(store) == [*range(50), *range(52, 102), 201, 202, 200]
    assert store.images.shape[1:] == (4, 4, 3)
    assert sources.source("imagenet1k").read((root / "train", root / "val")).images.side == 256


def published(monkeypatch, module, folder):
    """Declares the files of a folder the published ones."""
    files = tuple(
        replace(file, md5=raw_files.md5_of(folder / file.name)) for file in module.SOURCE.files
    )
    monkeypatch.setattr(module, "SOURCE", replace(module.SOURCE, files=files))


def test_imagenet_in_archives(mirror, monkeypatch):
    wnids = ["n01", "n02", "n03"]
    held_out = raw_files.imagenet(mirror / "imagenet1k", wnids, 51)
    published(monkeypatch, imagenet1k, mirror / "imagenet1k")
    kit = "ILSVRC2012_devkit_t12.tar.gz"
    md5 = raw_files.md5_of(mirror / "imagenet1k" / kit)
    monkeypatch.setitem(torchvision.datasets.imagenet.ARCHIVE_META, "devkit", (kit, md5))
    store = build("imagenet1k", mirror, side=4)
    train = [100 * label + j for label in range(3) for j in range(50)]
    assert shown(store) == [*train, 1000, 1001, 1002, 1003]
    assert store.labels[150:].tolist() == held_out
    assert store.source["checked_by"] == "checksums of the publisher"
    # Only what is read was unpacked, and nothing written beside the archives.
    assert len(list(Path("data/raw").rglob("*.JPEG"))) == 154
    assert len(list((mirror / "imagenet1k").iterdir())) == 3


def test_imagenet_with_a_kit_of_other_images(mirror, monkeypatch):
    raw_files.imagenet(mirror / "imagenet1k", ["n01", "n02"], 2)
    kit = mirror / "imagenet1k" / "ILSVRC2012_devkit_t12.tar.gz"
    with pytest.raises(LotusError, match="not the development kit"):
        build("imagenet1k", mirror, content="any")
    raw_files.devkit(kit, ["n01", "n02"], [0, 1])
    meta = (kit.name, raw_files.md5_of(kit))
    monkeypatch.setitem(torchvision.datasets.imagenet.ARCHIVE_META, "devkit", meta)
    with pytest.raises(LotusError, match=r"has 4 images, but .* has 2 labels"):
        build("imagenet1k", mirror, content="any")
