"""Tiny ImageNet from its publisher's files to a store."""

import shutil

import numpy as np
import pytest
import raw_files
from stores import build, refused, shown

from lotus.data import sources
from lotus.data.sources._tiny_imagenet import CLASSES as TINY

pytestmark = pytest.mark.usefixtures("empty_project")

# Layouts


def test_tiny_imagenet(mirror):
    raw_files.tiny_imagenet(mirror / "tiny-imagenet-200")
    store = build("tiny-imagenet", mirror, content="any")
    assert store.classes == tuple(TINY.values()) == sources.source("tiny-imagenet").classes
    assert shown(store) == [*range(400), 1000, 1001, 1002]
    assert store.labels.tolist() == [*np.repeat(range(200), 2), 7, 7, 199]
    assert store.source["parts"] == {"train": [0, 400], "test": [400, 403]}


# What readers refuse


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root / "train" / "n01443537"), "of the class goldfish"),
        (
            lambda root: raw_files.image(root / "train" / "n9" / "1.JPEG", 1),
            "n9' is not one of the 200",
        ),
        (
            lambda root: (root / "val/val_annotations.txt").unlink(),
            "val_annotations.txt: was not found",
        ),
        (
            lambda root: (root / "val/val_annotations.txt").write_text("x\n"),
            "line 1: '' is not one of",
        ),
        (lambda root: (root / "val/images/val_0.JPEG").unlink(), "line 2: image"),
    ],
)
def test_spoilt_tiny_imagenet_is_refused(mirror, spoil, message):
    spoil(raw_files.tiny_imagenet(mirror / "tiny-imagenet-200"))
    assert message in refused("tiny-imagenet", mirror, content="any")


def test_other_numbers_of_images_are_refused(mirror):
    raw_files.tiny_imagenet(mirror / "tiny-imagenet-200")
    assert "400 train images, but 100,000 are published" in refused("tiny-imagenet", mirror)
