"""What each data set is said to be: its classes, files and checksums are as torchvision knows them."""

import pytest
import torchvision.datasets

from lotus.data import sources


@pytest.mark.parametrize(
    ("name", "reader"),
    [("cifar10", torchvision.datasets.CIFAR10), ("cifar100", torchvision.datasets.CIFAR100)],
)
def test_cifar_is_described_as_by_torchvision(name, reader):
    described = sources.source(name)
    (file,) = described.files
    assert (file.name, file.md5, file.url) == (reader.filename, reader.tgz_md5, reader.url)
    assert file.unpacks == reader.base_folder
    meta = [reader.meta["filename"], reader.meta["md5"]]
    assert file.members == dict([*reader.train_list, *reader.test_list, meta])


@pytest.mark.parametrize(
    ("name", "reader"),
    [("mnist", torchvision.datasets.MNIST), ("fashion-mnist", torchvision.datasets.FashionMNIST)],
)
def test_idx_sets_are_described_as_by_torchvision(name, reader):
    described = sources.source(name)
    assert [(file.name, file.md5) for file in described.files] == reader.resources
    for file in described.files:
        assert file.url in [f"{root}{file.name}" for root in reader.mirrors]
    plain = [label.split(" - ")[-1] for label in reader.classes]
    assert list(described.classes) == plain


def test_imagenet_is_described_as_by_torchvision():
    published = dict(torchvision.datasets.imagenet.ARCHIVE_META.values())
    assert {file.name: file.md5 for file in sources.source("imagenet1k").files} == published


@pytest.mark.parametrize("name", sources.available())
def test_descriptions_are_whole(name):
    described = sources.source(name)
    assert described.name == name
    for text in (described.title, described.version, described.licence, described.selection):
        assert text
    for file in described.files:
        assert file.url or file.locate or described.obtain
    if described.classes:
        assert len(set(described.classes)) == len(described.classes)
    if described.mean:
        assert len(described.mean) == len(described.std)
