"""Looks into artifacts, beyond their digests: no image may be in two parts of a scenario."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from lotus import layout
from lotus.audit import collapses, right_predictions
from lotus.audit.open_stores import OpenStore
from lotus.audit.said_by_models import ModelUse, Parts, PredictionsFiles, Said, indices_in
from lotus.audit.sound_outputs import sound_outputs
from lotus.formats.json_text import parse_json, read_file
from lotus.predictions.predictions_file import ABSENT, ATTACKED, CALIBRATION
from lotus.records.code_identity import code_digest
from lotus.records.index import Index
from lotus.records.reading import Record


@dataclass(frozen=True)
class _HeldAgainst:
    """What predictions are held against.

    Attributes:
        sound: artifacts whose bytes are as recorded; others are not looked into.
        splits: path and sha256 of a split → its parts.
        known: key of predictions that an earlier audit found right → what they say of their model's use.
        right: the same of this audit, filled by it.
        code: identity of the code that looks into them.

    """

    index: Index
    sound: Set[str]
    splits: Mapping[tuple[str, str], Parts]
    opened: OpenStore
    files: PredictionsFiles
    known: Mapping[str, ModelUse]
    right: dict[str, ModelUse] = field(default_factory=dict)
    code: str = field(default_factory=lambda: code_digest(__name__))


def problems(
    index: Index, sound: Set[str], opened: OpenStore, files: PredictionsFiles, full: bool
) -> Iterator[tuple[str, str]]:
    """(path, reason) for splits and predictions that share images between their parts, or are of others.

    Args:
        sound: artifacts whose bytes are as recorded; others are not looked into.
        full: whether to look into predictions again that an earlier audit found right.

    """
    halves: dict[tuple[str, int], Parts] = {}
    chosen: dict[tuple[str, str], Parts] = {}
    readers: Mapping[str, Callable[[str], Parts]] = {
        "held-out": _halves,
        "forget-set": _forget_set,
    }
    splits = [record for record in index.records.values() if record.kind in readers]
    for record in sorted(splits, key=lambda record: record.kind == "forget-set"):
        for path in sound_outputs(record, sound):
            place = str(record.about["dataset"]), int(record.about["seed"])
            try:
                parts = readers[record.kind](path)
            except (OSError, ValueError) as error:
                yield path, f"it is not a split: {error}"
                continue
            chosen[path, record.outputs[path]] = parts
            held_out = halves.setdefault(place, parts if record.kind == "held-out" else {})
            yield from ((path, reason) for reason in _shared({**held_out, **parts}))
            yield from ((path, reason) for reason in _misplaced(parts, place[0], opened))
    known = {} if full else right_predictions.load()
    against = _HeldAgainst(index, sound, chosen, opened, files, known)
    for record in index.records.values():
        for path in sound_outputs(record, sound):
            if path.endswith(layout.PREDICTIONS_FILE):
                yield from ((path, reason) for reason in _of_predictions(record, path, against))
    if against.right != known:
        right_predictions.save(against.right)


def _halves(path: str) -> Parts:
    return _parts(path, ("val", "test"))


def _forget_set(path: str) -> Parts:
    return _parts(path, ("forget", "retain"), (ABSENT,))


def _parts(path: str, names: Iterable[str], others: Iterable[str] = ()) -> Parts:
    """The parts of a split; `others` are those that only some splits have."""
    content = parse_json(read_file(Path(path)))
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping")
    there = [*names, *(name for name in others if name in content)]
    return {name: indices_in(name, content.get(name)) for name in there}


def _of_predictions(record: Record, path: str, against: _HeldAgainst) -> Iterator[str]:
    """Predictions name the images that a model was trained, unlearned and tested on, and their labels."""
    index, sound, splits = against.index, against.sound, against.splits
    named = {
        path: splits[path, now] for path, now in record.inputs.items() if (path, now) in splits
    }
    key = right_predictions.key_of(record, path, named, against.code, index, sound)
    use = against.known.get(key)
    reasons: list[str] = []
    if use is None:
        try:
            said = against.files.read(path)
        except Exception as error:
            # A damaged archive can make numpy and zipfile raise nearly anything.
            yield f"it is not a file of predictions: {error!r}"
            return
        use = said.use
        reasons = [
            *_shared(said.asked),
            *_otherwise_split(said.asked, named),
            *_otherwise_labelled(record, said, against.opened),
        ]
    else:
        against.files.note(path, use)
    if not reasons:
        against.right[key] = use
    yield from reasons
    # Not remembered: it depends on other records and on the weights, too.
    yield from collapses.problems(record, path, use, index, sound)


def _otherwise_labelled(record: Record, said: Said, opened: OpenStore) -> Iterator[str]:
    """Yields where images have another label than in the store, or the attack asked other images."""
    for name, labels in said.labels.items():
        indices, part = said.indices[name], name.removeprefix(ATTACKED)
        owner = record.settings if part == CALIBRATION else record.about
        dataset = str(owner.get("calibration" if part == CALIBRATION else "dataset"))
        try:
            store = opened(dataset)
        except ValueError:
            # Told of the store itself.
            continue
        if not np.array_equal(np.sort(indices), np.sort(said.indices.get(part, indices))):
            yield f"{name} set is not of the images of the {part} set"
        if store is None:
            continue
        known = indices < len(store.labels)
        if len(labels) != len(indices) or not known.all():
            yield f"{name} set has {_images(indices[~known]) if not known.all() else 'other labels'}"
            continue
        wrong = indices[store.labels[indices] != labels]
        if len(wrong):
            yield f"{name} set has {_images(wrong)} with another label than {dataset} has"


def _otherwise_split(parts: Parts, splits: Mapping[str, Parts]) -> Iterator[str]:
    """Parts that do not have the images which the splits that were read put there."""
    for path, stated in splits.items():
        for name in (name for name in parts if name in stated):
            differ = np.setxor1d(parts[name], stated[name])
            if len(differ):
                yield f"{name} set differs from that of {path} by {_images(differ)}"


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


def _misplaced(parts: Parts, dataset: str, opened: OpenStore) -> Iterator[str]:
    """Held-out images outside the store's held-out part, training images outside its training part."""
    ranges = _ranges(dataset, opened)
    homes = {
        "forget": "train",
        "retain": "train",
        ABSENT: "train",
        "val": "val" if "val" in ranges else "test",
    }
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


def _ranges(dataset: str, opened: OpenStore) -> Mapping[str, tuple[int, int]]:
    """Part of a store → its first image, and the one behind its last; nothing if the store does not say."""
    try:
        store = opened(dataset)
    except ValueError:
        # Told of the store itself.
        return {}
    return {} if store is None else store.source["parts"]


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
        for path in sound_outputs(record, sound)
        if path.endswith(".json") and (pairs := _across(path))
    ]


def _across(path: str) -> str:
    try:
        across = dict(parse_json(read_file(Path(path)))["across"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return ", ".join(f"{pair} {count}" for pair, count in across.items() if count)
