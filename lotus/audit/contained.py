"""Looks into artifacts, beyond their digests: no image may be in two parts of a scenario."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.formats.json_text import parse_json, read_file
from lotus.predictions.predictions_file import check_sizes
from lotus.records.index import Index
from lotus.records.places import leads_out
from lotus.records.reading import Record

LARGEST = 10**12
"""More images than a store can have."""
Parts = Mapping[str, np.ndarray]
"""Part → indices into the store, int64."""


def problems(index: Index, sound: Set[str]) -> Iterator[tuple[str, str]]:
    """(path, reason) for splits and predictions that share images between their parts.

    Args:
        sound: artifacts whose bytes are as recorded; others are not looked into.

    """
    halves: dict[tuple[str, int], Parts] = {}
    chosen: dict[tuple[str, str], Parts] = {}
    readers: Mapping[str, Callable[[str], Parts]] = {
        "held-out": _halves,
        "forget-set": _forget_set,
    }
    splits = [record for record in index.records.values() if record.kind in readers]
    for record in sorted(splits, key=lambda record: record.kind == "forget-set"):
        for path in sound & record.outputs.keys():
            place = str(record.about["dataset"]), int(record.about["seed"])
            try:
                parts = readers[record.kind](path)
            except (OSError, ValueError) as error:
                yield path, f"it is not a split: {error}"
                continue
            chosen[path, record.outputs[path]] = parts
            held_out = halves.setdefault(place, parts if record.kind == "held-out" else {})
            yield from ((path, reason) for reason in _shared({**held_out, **parts}))
            yield from ((path, reason) for reason in _misplaced(parts, place[0]))
    for record in index.records.values():
        yield from _of_predictions(record, sound, chosen)


def _halves(path: str) -> Parts:
    return _parts(path, ("val", "test"))


def _forget_set(path: str) -> Parts:
    return _parts(path, ("forget", "retain"))


def _parts(path: str, names: Iterable[str]) -> Parts:
    content = parse_json(read_file(Path(path)))
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping")
    return {name: _indices(name, content.get(name)) for name in names}


def _indices(name: str, value: Any) -> np.ndarray:
    """Raises ValueError where they are none."""
    found = np.asarray(value)
    if found.shape == (0,):
        return found.astype(np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu" or found.dtype.itemsize > 8:
        raise ValueError(f"{name} is not a list of whole numbers of images")
    if not 0 <= int(found.min()) <= int(found.max()) < LARGEST:
        raise ValueError(
            f"{name} has image {found.min()} or {found.max()}, and no store has such an image"
        )
    return found.astype(np.int64)


def _of_predictions(
    record: Record, sound: Set[str], splits: Mapping[tuple[str, str], Parts]
) -> Iterator[tuple[str, str]]:
    """Predictions name the images that a model was trained, unlearned and tested on.

    Args:
        splits: path and sha256 of a split → its parts.

    """
    named = [
        (path, splits[path, now]) for path, now in record.inputs.items() if (path, now) in splits
    ]
    for path in sound & record.outputs.keys():
        if path.endswith("predictions.npz"):
            try:
                parts = _asked(path)
            except Exception as error:
                # A damaged archive can make numpy and zipfile raise nearly anything.
                yield path, f"it is not a file of predictions: {error!r}"
                continue
            yield from ((path, reason) for reason in _shared(parts))
            yield from ((path, reason) for reason in _otherwise_split(parts, named))


def _otherwise_split(parts: Parts, splits: Iterable[tuple[str, Parts]]) -> Iterator[str]:
    """Parts that do not have the images which the splits that were read put there."""
    for path, stated in splits:
        for name in (name for name in parts if name in stated):
            differ = np.setxor1d(parts[name], stated[name])
            if len(differ):
                yield f"{name} set differs from that of {path} by {_images(differ)}"


def _asked(path: str) -> Parts:
    check_sizes(Path(path))
    with np.load(path) as arrays:
        parts = {
            name: _indices(name, arrays[f"{name}.indices"])
            for name in ("train", "forget", "retain", "val", "test")
            if f"{name}.indices" in arrays.files
        }
    if not parts:
        raise ValueError("it has no images")
    return parts


def _shared(parts: Parts) -> Iterator[str]:
    """Parts with an image twice, and pairs of parts with an image in common."""
    for name, indices in parts.items():
        values, counts = np.unique(indices, return_counts=True)
        twice = values[counts > 1]
        if len(twice):
            yield f"{name} set has {_images(twice)} more than once"
    for (one, a), (other, b) in combinations(parts.items(), 2):
        common = np.intersect1d(a, b)
        if len(common):
            yield f"{one} and {other} set share {_images(common)}"


def _misplaced(parts: Parts, dataset: str) -> Iterator[str]:
    """Held-out images outside the store's held-out part, training images outside its training part."""
    ranges = _ranges(dataset)
    homes = {"forget": "train", "retain": "train", "val": "val" if "val" in ranges else "test"}
    for name, indices in parts.items():
        home = homes.get(name, name)
        if home not in ranges:
            continue
        first, end = ranges[home]
        outside = indices[(indices < first) | (indices >= end)]
        if len(outside):
            yield f"{name} set has {_images(outside)} that are not in the {home} part of {dataset}"
    if "retain" in parts and "train" in ranges:
        left_out = np.setdiff1d(np.arange(*ranges["train"]), np.concatenate([*parts.values()]))
        if len(left_out):
            yield f"{_images(left_out)} of the train part of {dataset} are in neither set"


def _ranges(dataset: str) -> Mapping[str, tuple[int, int]]:
    """Part of a store → its first image, and the one behind its last; nothing if the store does not say."""
    source = layout.STORES / dataset / "source.json"
    if leads_out(source):
        return {}
    try:
        parts = parse_json(read_file(source))["parts"]
        return {name: (int(first), int(end)) for name, (first, end) in parts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _images(indices: np.ndarray) -> str:
    noun = "image" if len(indices) == 1 else "images"
    return f"{len(indices)} {noun} (first: {indices[0]})"


def look_alikes(index: Index, sound: Set[str]) -> list[str]:
    """Remarks on images of different parts that look alike, as `snakemake lookalikes` found them.

    That lies in the data as published; it is no fault of an artifact.
    """
    return [
        f"{path}: look-alikes across sets: {pairs}"
        for record in index.records.values()
        if record.kind == "audit"
        for path in sorted(sound & record.outputs.keys())
        if path.endswith(".json") and (pairs := _across(path))
    ]


def _across(path: str) -> str:
    try:
        across = dict(parse_json(read_file(Path(path)))["across"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return ", ".join(f"{pair} {count}" for pair, count in across.items() if count)
