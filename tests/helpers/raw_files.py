"""Generated files in the layouts of the publishers; the colour of an image says which one it is."""

import csv
import gzip
import io
import pickle
import tarfile
from hashlib import md5

import numpy as np
from PIL import Image

from lotus.data.sources._tiny_imagenet import CLASSES as TINY
from lotus.data.sources.cifar10 import SOURCE as CIFAR10


def colour(number):
    return (number // 256, number % 256, 7)


def numbers(images):
    """Which images these are, uint8 `[N, H, W, 3]`."""
    corner = np.asarray(images[:, 0, 0], dtype=int)
    assert (images == images[:, :1, :1]).all()
    assert (corner[:, 2] == 7).all()
    return (corner[:, 0] * 256 + corner[:, 1]).tolist()


def encoded(number, size=(4, 4)):
    file = io.BytesIO()
    # PNG whatever the name, so that the colour is exact; readers go by content.
    Image.new("RGB", size, colour(number)).save(file, "PNG")
    return file.getvalue()


def image(path, number, size=(4, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(number, size))


def folders(root, classes, start=0, size=(4, 4)):
    """Class → images; numbered from `start` on, in the order given. Returns one past the last number."""
    for name, count in classes.items():
        for position in range(count):
            image(root / name / f"{position:04d}.png", start, size)
            start += 1
    return start


def table(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def tiny_imagenet(root):
    """Two training images for each class, of which `_10` comes before `_2`; three validation images."""
    for label, wnid in enumerate(reversed(TINY)):
        label = len(TINY) - 1 - label
        image(root / "train" / wnid / "images" / f"{wnid}_2.JPEG", 2 * label + 1)
        image(root / "train" / wnid / "images" / f"{wnid}_10.JPEG", 2 * label)
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("")
    wnids = list(TINY)
    rows = [("val_2.JPEG", wnids[7]), ("val_0.JPEG", wnids[7]), ("val_1.JPEG", wnids[199])]
    for number, (name, _) in enumerate(rows):
        image(root / "val" / "images" / name, 1000 + number)
    lines = "".join(f"{name}\t{wnid}\t0\t0\t62\t62\n" for name, wnid in rows)
    (root / "val" / "val_annotations.txt").write_text(lines)
    return root


def mufac(root, letters="hgfedcba"):
    """Each part has one image a letter; their order in the CSV files is that of `letters`."""
    number = 0
    for part in ("train", "val", "test"):
        rows = []
        for letter in letters:
            image(root / f"{part}_images" / f"F{letter}.jpg", number)
            rows.append((f"F{number:04d}", "D", letter, f"F{letter}.jpg"))
            number += 1
        header = ("family_id", "person_id", "age_class", "image_path")
        table(root / f"custom_{part}_dataset.csv", header, rows)
    return root


def cifar10(root, per_batch=10, learnable=False):
    """The six batches and the meta file; image i shows i in all pixels, or a shade of its class."""
    root.mkdir(parents=True)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for position, name in enumerate(names):
        shown = np.arange(per_batch) + position * per_batch
        data = np.repeat(shown[:, None], 3072, axis=1).astype(np.uint8)
        if learnable:
            noise = np.random.default_rng(position).integers(40, size=data.shape)
            data = (20 * (data % 10) + noise).astype(np.uint8)
        pickled = pickle.dumps({"data": data, "labels": (shown % 10).tolist()})
        (root / name).write_bytes(pickled)
    (root / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR10.classes)}))
    return root


def idx(images, labels):
    """The two gzipped idx files of uint8 `[N, H, W]` and labels."""
    shape = b"".join(size.to_bytes(4, "big") for size in images.shape)
    return (
        gzip.compress(b"\0\0\x08\x03" + shape + images.tobytes()),
        gzip.compress(b"\0\0\x08\x01" + len(labels).to_bytes(4, "big") + bytes(labels)),
    )


def tar(path, members, mode="w"):
    """Name → content, or a prepared TarInfo."""
    with tarfile.open(path, mode) as opened:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                opened.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                opened.addfile(info, io.BytesIO(content))
    return path


def imagenet(root, wnids, per_class):
    """The three official archives; training image j of class c is 100 c + j, the last comes first."""
    root.mkdir(parents=True, exist_ok=True)
    inner = {}
    for label, wnid in enumerate(wnids):
        content = {
            f"{wnid}_{j:03d}.JPEG": encoded(100 * label + j, (6, 8)) for j in range(per_class)
        }
        tar(root / "inner.tar", dict(reversed(content.items())))
        inner[f"{wnid}.tar"] = (root / "inner.tar").read_bytes()
    (root / "inner.tar").unlink()
    tar(root / "ILSVRC2012_img_train.tar", inner)
    held_out = [1, 0, 1, 0]
    images = {
        f"ILSVRC2012_val_{i + 1:08d}.JPEG": encoded(1000 + i, (8, 6)) for i in range(len(held_out))
    }
    tar(root / "ILSVRC2012_img_val.tar", dict(reversed(images.items())))
    devkit(root / "ILSVRC2012_devkit_t12.tar.gz", wnids, held_out)
    return held_out


def devkit(path, wnids, held_out):
    from scipy.io import savemat

    fields = [("ILSVRC2012_ID", "i4"), ("WNID", "O"), ("words", "O"), ("gloss", "O")]
    synsets = np.zeros(len(wnids) + 1, dtype=[*fields, ("num_children", "i4")])
    # The ids of the kit are in another order than the sorted WordNet ids.
    ids = {label: len(wnids) - label for label in range(len(wnids))}
    for label, wnid in enumerate(wnids):
        synsets[label] = (ids[label], wnid, f"thing {label}, other", "words", 0)
    synsets[-1] = (1001, "n00000001", "entity", "words", 2)
    file = io.BytesIO()
    savemat(file, {"synsets": synsets})
    lines = "".join(f"{ids[label]}\n" for label in held_out)
    base = "ILSVRC2012_devkit_t12/data"
    content = {
        f"{base}/meta.mat": file.getvalue(),
        f"{base}/ILSVRC2012_validation_ground_truth.txt": lines.encode(),
    }
    tar(path, content, "w:gz")


def md5_of(path):
    return md5(path.read_bytes()).hexdigest()
