"""CIFAR-10: the Python version, as torchvision reads it."""

from functools import partial

from lotus.data.sources import RawFile, Source
from lotus.data.sources._cifar import read_cifar

SOURCE = Source(
    name="cifar10",
    title="CIFAR-10 (32×32 pixels)",
    version="2009, Python version",
    classes=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    # As released; the deviations are means of single images' (of all pixels: .2470, .2435, .2616).
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2023, 0.1994, 0.2010),
    licence="not stated; its author asks to cite Krizhevsky, 2009",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    selection="all images, in the order of the files",
    # Checksums as in torchvision 0.29.
    files=(
        RawFile(
            "cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            unpacks="cifar-10-batches-py",
            members={
                "data_batch_1": "c99cafc152244af753f735de768cd75f",
                "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
                "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
                "data_batch_4": "634d18415352ddfa80567beed471001a",
                "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
                "test_batch": "40351d587109b95175f43aff81a1287e",
                "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
            },
        ),
    ),
    read=partial(read_cifar, kind="CIFAR10"),
    sizes={"train": 50_000, "test": 10_000},
    folders=("cifar-10",),
)
