"""What rests on one image: it counts by its pixels, in the splits in which each seed has it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.audit.unrecorded_files import listed
from lotus.data import sources
from lotus.data.forget_lists import image_finder
from lotus.data.splits import ForgetSet, load_forget_set, load_half, load_held_out
from lotus.data.store import Store, open_store, read_names
from lotus.errors import LotusError
from lotus.impact.start import Start
from lotus.names import shown
from lotus.predictions.predictions_file import ABSENT
from lotus.records.files import sha256
from lotus.records.forms import MODELS
from lotus.records.index import Index
from lotus.records.places import on_this_machine
from lotus.records.reading import Record
from lotus.results.titles import dataset_title, scenario_title
from lotus.wording import all_of, first_of

Roles = Mapping[tuple[int, str], str]
"""(seed, scenario) → the split in which the image is; scenario '' of a held-out image."""
PREDICTIONS = layout.PREDICTIONS_FILE


def of_position(index: Index, dataset: str, position: int) -> Start:
    """Returns where the way of an image of a store begins.

    Raises:
        LotusError: the store or a split is absent or damaged, or has no such image.

    """
    store = open_store(layout.STORES / dataset)
    if not 0 <= position < len(store.labels):
        raise LotusError(
            f"{shown(dataset)}:{position}: the store has no such image; accepted: 0 to "
            f"{len(store.labels) - 1}"
        )
    part = next(
        (name for name, (first, end) in store.source["parts"].items() if first <= position < end),
        "",
    )
    roles = dict(_roles(index, dataset, position, part))
    runs = [
        record
        for record in index.records.values()
        if record.kind in MODELS and dataset in (record.about.get("dataset"), _calibration(record))
    ]
    normalises = part == "train" and _is_normalised_by_its_images(index, dataset)
    made: set[str] = set()
    files: dict[str, frozenset[str]] = {}
    for record in runs:
        if normalises or _is_made_of(record, part, roles, dataset):
            made.add(record.path)
        elif split := _split(record, part, roles):
            files |= {
                path: frozenset({split}) for path in record.outputs if path.endswith(PREDICTIONS)
            }
    return Start(
        title=f"image {position} of {dataset_title(dataset)}",
        said=tuple(_said(store, position, part, roles)),
        records=frozenset({*made, *_others(index, dataset, part, roles)}),
        files=files,
    )


def position_of(path: Path) -> tuple[str, int] | None:
    """Returns the data set and the place in its store of an image in a file; None for other files.

    The names that the store has tell which image it is; published data sets have none.

    Raises:
        LotusError: the file has other bytes than the store was built from, or the names are damaged.

    """
    for place in sorted(layout.RAW.glob("*.json")):
        for file in listed(place) or ():
            root = on_this_machine(file.path)
            folder = root if root.is_dir() else root.parent
            is_within = path != root and path.absolute().is_relative_to(folder.absolute())
            found = _place_in(place.stem, folder, path) if is_within else None
            if found is not None:
                return place.stem, found
    return None


def _place_in(dataset: str, folder: Path, path: Path) -> int | None:
    stored = layout.STORES / dataset
    names = read_names(open_store(stored)) if stored.is_dir() else None
    name = shown(Path(os.path.relpath(path, folder)).as_posix())
    if names is None or name not in names.names:
        return None
    at = names.names.index(name)
    if sha256(path) != names.sha256[at]:
        raise LotusError(
            f"{shown(path)}: is not the image any more that {stored} was built from; name that by its "
            f"place there, as {stored}:{at}"
        )
    return at


def position_of_name(dataset: str, name: str) -> int:
    """Returns the place in a store of the image that has a name, or a name with this end.

    Raises:
        LotusError: the store has no names, or there is no such image, or several.

    """
    stored = layout.STORES / dataset
    names = read_names(open_store(stored))
    if names is None:
        raise LotusError(
            f"{shown(dataset)}:{shown(name)}: the images of {stored} have no names; accepted: a place in "
            f"the store, as {stored}:0"
        )
    found = image_finder(names.names)(name)
    if not found or len({names.names[at] for at in found}) > 1:
        fitting = first_of([names.names[at] for at in found], 3) or "no image"
        raise LotusError(
            f"{shown(dataset)}:{shown(name)}: is the name of {fitting}; accepted: the name of one image, "
            f"such as {shown(names.names[0])}"
        )
    return found[0]


def _roles(
    index: Index, dataset: str, position: int, part: str
) -> Iterator[tuple[tuple[int, str], str]]:
    """Where each seed, and of training images each scenario, has the image."""
    for record in index.records.values():
        if record.about.get("dataset") != dataset or record.kind not in SPLITS:
            continue
        # A record can name any file as its own; only those that lie where its own do are read.
        for path in (name for name in record.outputs if index.producer(name) is record):
            seed, scenario = int(record.about["seed"]), str(record.about.get("scenario", ""))
            if record.kind == "held-out" and part != "train":
                halves = load_held_out(Path(path))
                split = (
                    "val" if position in halves.val else "test" if position in halves.test else ""
                )
                yield (seed, ""), split
            elif record.kind == "half" and part == "train":
                half = load_half(Path(path))
                yield (seed, layout.HALF), "train" if position in half else ABSENT
            elif record.kind == "forget-set" and part == "train":
                chosen = load_forget_set(Path(path))
                yield (seed, scenario), _part_of(chosen, position)


SPLITS = ("held-out", "half", "forget-set")
"""Kinds of records that say which part an image is in."""


def _part_of(chosen: ForgetSet, position: int) -> str:
    if position in chosen.forget:
        return "forget"
    return "retain" if position in chosen.retain else ABSENT


def _calibration(record: Record) -> str:
    return str(record.settings.get("calibration") or "")


def _is_normalised_by_its_images(index: Index, dataset: str) -> bool:
    """Whether the training images make the mean and deviation that all images are normalised by."""
    record = index.records.get(layout.store_record(dataset).as_posix())
    options: Mapping[str, Any] = record.settings.get("options", {}) if record is not None else {}
    if options.get("mean") and options.get("std"):
        return False
    try:
        return sources.source(str(options.get("source") or dataset)).mean is None
    except LotusError:
        return True


def _is_made_of(record: Record, part: str, roles: Roles, dataset: str) -> bool:
    """Whether the weights of a run are made of the image."""
    if _calibration(record) == dataset:
        return True
    seed, scenario = int(record.about["seed"]), str(record.about.get("scenario", ""))
    if part == "train":
        if record.kind == "gold":
            return roles.get((seed, scenario)) != "forget"
        # What was unlearned saw it as the original did, and again as forget or retain image; but not what
        # the original of a half was never trained on.
        return roles.get((seed, scenario or layout.HALF)) != ABSENT
    if roles.get((seed, "")) != "val":
        return False
    # A method is given the validation images; a training reads them to stop early.
    return record.kind == "unlearned" or _has_patience(record)


def _has_patience(record: Record) -> bool:
    recipe = record.settings.get("architecture", {}).get("training", {})
    return recipe.get("patience") is not None


def _split(record: Record, part: str, roles: Roles) -> str:
    """The split of whose images a run says something of this one."""
    seed, scenario = int(record.about["seed"]), str(record.about.get("scenario", ""))
    return roles.get((seed, scenario if part == "train" else ""), "")


def _others(index: Index, dataset: str, part: str, roles: Roles) -> Iterator[str]:
    """Records of what is made of the images themselves: the search for look-alikes, sheets, maps."""
    for record in index.records.values():
        if record.about.get("dataset") != dataset:
            continue
        if record.kind == "audit":
            yield record.path
        if part == "train" and record.kind in ("image-losses", "image-hashes"):
            # Held out or trained on: every loss but its own can be another by it, and the choice by them.
            yield record.path
        if record.kind in ("forget-sheet", "gradcam"):
            place = int(record.about["seed"]), str(record.about.get("scenario", ""))
            if roles.get(place) == "forget":
                yield record.path


def _said(store: Store, position: int, part: str, roles: Roles) -> Iterator[str]:
    names = read_names(store)
    called = "" if names is None else f"; its name is {shown(names.names[position])}"
    yield f"Class {store.classes[store.labels[position]]}; {part or 'no'} part of the store{called}."
    by_role: dict[tuple[str, str], list[int]] = {}
    for (seed, scenario), role in sorted(roles.items()):
        if role:
            by_role.setdefault((role, scenario), []).append(seed)
    for (role, scenario), seeds in by_role.items():
        where = f" of {scenario} ({scenario_title(scenario)})" if scenario else ""
        named = "seed" if len(seeds) == 1 else "seeds"
        yield f"In the {role} set{where} for {named} {all_of([str(seed) for seed in seeds])}."
    yield "It counts by its pixels: what would be other if they were."
