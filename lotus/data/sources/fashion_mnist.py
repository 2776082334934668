"""Fashion-MNIST, all 70,000 images: the four original files."""

from functools import partial

from lotus.data.sources import RawFile, Source
from lotus.data.sources._idx import read_four

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"

SOURCE = Source(
    name="fashion-mnist",
    title="Fashion-MNIST (28×28 pixels, grey)",
    version="2017",
    classes=CLASSES,
    mean=(0.2860,),
    std=(0.3530,),
    licence="MIT",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    selection="all images, in the order of the files",
    # Checksums as in torchvision 0.29.
    files=tuple(
        RawFile(name, md5, f"{URL}/{name}")
        for name, md5 in (
            ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        )
    ),
    read=partial(read_four, classes=CLASSES),
    sizes={"train": 60_000, "test": 10_000},
    folders=("FashionMNIST/raw",),
)
