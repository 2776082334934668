"""The one form in which every data set is kept.

A store is a folder with `images.npy` (uint8, N×H×W×C, memory-mapped), `labels.npy` (int64, N),
`classes.json` (names in order of label) and `source.json` (where the images come from, and which
range of indices is the training part, which the test part, and the validation part if it is fixed).
A store of images that have names of their own also has `names.json` (names, digests of the files, columns
of the user's list), whose digest stands in `source.json`.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.data.content import Content
from lotus.data.image_names import ImageNames
from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.records.files import sha256

FILES = tuple(layout.STORE_FILES.values())


@dataclass(frozen=True)
class Store:
    """An opened store; `images` is memory-mapped."""

    folder: Path
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    source: Mapping[str, Any]

    def part(self, name: str) -> np.ndarray:
        """Indices (int64) of the `train`, `val` or `test` part, in data-set order."""
        first, end = self.source["parts"][name]
        return np.arange(first, end, dtype=np.int64)

    @property
    def has_train(self) -> bool:
        """Whether models can be trained on it; otherwise it is for calibration."""
        return "train" in self.source["parts"]

    @property
    def has_val(self) -> bool:
        """Whether the publisher's own validation part is kept apart from the test part."""
        return "val" in self.source["parts"]

    @property
    def mean(self) -> tuple[float, ...]:
        """Per channel, on the 0–1 scale."""
        return tuple(self.source["mean"])

    @property
    def std(self) -> tuple[float, ...]:
        """Per channel, on the 0–1 scale."""
        return tuple(self.source["std"])


def open_store(folder: Path) -> Store:
    """Opens a store and checks its form.

    Raises:
        LotusError: a file is absent, or shapes, types or labels do not fit together.

    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise LotusError(
            f"{folder}: is not an image store: {', '.join(missing)} missing; build it with `lotus store`"
        )
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy")
        classes = tuple(json.loads((folder / "classes.json").read_text(encoding="utf-8")))
        source = json.loads((folder / "source.json").read_text(encoding="utf-8"))
        if not isinstance(source.get("parts"), dict):
            raise ValueError("source.json lacks 'parts'")
    except (EOFError, ValueError, TypeError, AttributeError) as error:
        raise LotusError(f"{folder}: damaged image store: {error}; build it again") from error
    if images.dtype != np.uint8 or images.ndim != 4:
        raise LotusError(
            f"{folder}/images.npy: is {images.dtype} {images.shape}; must be uint8 [N, H, W, C]"
        )
    if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
        raise LotusError(
            f"{folder}/labels.npy: is {labels.dtype} {labels.shape}; must be int64 [{len(images)}]"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        raise LotusError(f"{folder}/labels.npy: labels must lie in 0…{len(classes) - 1}")
    return Store(folder, images, labels, classes, source)


def is_given(folder: Path) -> bool:
    """Whether a store lies there that cannot be written, as others share it: it is read, never built."""
    return all((folder / name).is_file() for name in FILES) and not os.access(folder, os.W_OK)


def read_names(store: Store) -> ImageNames | None:
    """Returns what the images of a store are called; None where they have no names.

    Raises:
        LotusError: the names are absent, damaged, or not those that the store was built with.

    """
    stated = store.source.get("names")
    if stated is None:
        return None
    path = store.folder / layout.NAMES_FILE
    content = read_mapping(path)
    if sha256(path) != stated:
        raise LotusError(f"{path}: is not the file that the store was built with; build it again")
    try:
        names, digests, columns = (content[key] for key in ("names", "sha256", "columns"))
        lists = [names, digests, *columns.values()]
        if not all(_are_texts(values, len(store.labels)) for values in lists):
            raise TypeError(f"each list must have {len(store.labels)} texts")
    except (KeyError, TypeError, AttributeError) as error:
        raise LotusError(
            f"{path}: damaged names of images: {error}; build the store again"
        ) from error
    columns = {name: tuple(values) for name, values in columns.items()}
    return ImageNames(tuple(names), columns, tuple(digests))


def _are_texts(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, str) for value in values)
    )


def write_store(
    folder: Path,
    images: np.ndarray | Path,
    content: Content,
    source: Mapping[str, Any],
    locked: str | None,
) -> None:
    """Writes a store; the folder appears whole or not at all.

    Args:
        images: uint8 `[N, H, W, C]`, or a `.npy` file of them, which is moved into the store.
        content: labels, parts and classes; names, with the digests of the files, where there are any.
        locked: digest from `data.dvc` that the store must have, None to accept any.

    Raises:
        LotusError: the store is not the locked one; an earlier store is left as it was.

    """
    draft = folder.with_name(f".{os.getpid()}-{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        if isinstance(images, Path):
            os.replace(images, draft / "images.npy")
        else:
            np.save(draft / "images.npy", images)
        np.save(draft / "labels.npy", content.labels.astype(np.int64))
        _write_json(draft / "classes.json", list(content.classes))
        named = {}
        if content.names is not None:
            _write_json(draft / layout.NAMES_FILE, asdict(content.names))
            named = {"names": sha256(draft / layout.NAMES_FILE)}
        _write_json(draft / "source.json", {**source, "parts": dict(content.parts), **named})
        check_lock(draft, locked, name=str(folder))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def check_lock(folder: Path, locked: str | None, name: str) -> None:
    """Compares a store with the digest that `data.dvc` has for it.

    Raises:
        LotusError: they differ.

    """
    if locked is None:
        return
    found = dvc_digest(folder)
    if found != locked:
        raise LotusError(
            f"{name}: its digest is {found}, but data.dvc locks {locked}: these are not the images "
            "that the results are recorded for. Restore them (delete the folder and run again, or "
            "`dvc checkout data.dvc`); if you mean to change them, run `lotus store … "
            "--locked any` and then "
            "`dvc commit -f data.dvc`"
        )


def dvc_digest(folder: Path) -> str:
    """DVC's digest of a folder: the md5 of its sorted list of file digests, with `.dir` behind it."""
    entries = [
        {"md5": md5(path), "relpath": path.relative_to(folder).as_posix()}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    entries.sort(key=lambda entry: entry["relpath"])
    listing = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(listing, usedforsecurity=False).hexdigest() + ".dir"


def md5(path: Path) -> str:
    """DVC's digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
