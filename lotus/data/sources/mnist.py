"""MNIST, all 70,000 images: the four original files."""

from functools import partial

from lotus.data.sources import RawFile, Source
from lotus.data.sources._idx import read_four

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
URL = "https://ossci-datasets.s3.amazonaws.com/mnist"

SOURCE = Source(
    name="mnist",
    title="MNIST (28×28 pixels, grey)",
    version="1998",
    classes=CLASSES,
    mean=(0.1307,),
    std=(0.3081,),
    licence="not stated by its authors (often given as CC BY-SA 3.0)",
    homepage="http://yann.lecun.com/exdb/mnist/",
    selection="all images, in the order of the files",
    # Checksums and mirror as in torchvision 0.29.
    files=tuple(
        RawFile(name, md5, f"{URL}/{name}")
        for name, md5 in (
            ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
        )
    ),
    read=partial(read_four, classes=CLASSES),
    sizes={"train": 60_000, "test": 10_000},
    folders=("MNIST/raw",),
)
