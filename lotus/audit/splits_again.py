"""Splits are computed again from labels, settings and seed: one that breaks its own rule is named."""

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from lotus import layout
from lotus.audit.open_stores import OpenStore
from lotus.audit.sound_outputs import sound_outputs
from lotus.config.scenarios import Scenario
from lotus.config.seeds import SPLIT_SEED
from lotus.data import splits
from lotus.data.forget_rules import read_known
from lotus.data.store import Store
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.predictions.predictions_file import ABSENT
from lotus.private_folder import PRIVATE
from lotus.records import memory
from lotus.records.code_identity import code_digest
from lotus.records.environment import versions
from lotus.records.files import relative, sha256
from lotus.records.forms import MODELS
from lotus.records.index import Index
from lotus.records.places import leads_out
from lotus.records.reading import Record
from lotus.wording import counted

KINDS = ("held-out", "half", "forget-set")
NOTED = ("rule", "digest")
"""Parts of a forget set that its record notes too."""
CACHE = PRIVATE / "splits.json"
"""Splits that were computed again, and were right: drawing halves takes a library that is long to load."""
DRAWN_BY = ("numpy", "scikit-learn")
"""Libraries that draw images."""


@dataclass(frozen=True)
class Splits:
    """Findings on splits that are computed again: (path, reason).

    Attributes:
        changed: they are not what the rule gives by which they were made.
        stale: they are not what the rule gives here, and other code made them.

    """

    changed: list[tuple[str, str]]
    stale: list[tuple[str, str]]


def compute_again(index: Index, sound: Set[str], opened: OpenStore, full: bool) -> Splits:
    """Computes splits again; those that an earlier call found to be right only if all is to be read.

    Args:
        sound: artifacts whose bytes are as recorded; others are not looked into.

    """
    code = code_digest(splits.__name__)
    known = _remembered()
    right = set()
    found = Splits([], [])
    for record in index.records.values():
        if record.kind not in KINDS or record.problem:
            continue
        key = _key(record, code)
        if key in known and not full:
            right.add(key)
            continue
        there = sound_outputs(record, sound)
        if any(path not in sound for path in _known(record)) or not _has_its_list(record):
            # That what it was chosen by is not here as recorded is told elsewhere.
            continue
        reasons = [(path, why) for path in there for why in _differences(record, path, opened)]
        is_of_this_code = record.content["code"]["step"] == code
        (found.changed if is_of_this_code else found.stale).extend(reasons)
        if there and not reasons and opened(str(record.about["dataset"])) is not None:
            right.add(key)
    if right != known:
        memory.keep(CACHE, json.dumps(sorted(right)))
    return found


def noted_otherwise(index: Index) -> Iterator[tuple[str, str]]:
    """(path, reason) for records of runs that note another forget set than that which they read."""
    for record in index.records.values():
        if record.kind in MODELS and not record.problem:
            yield from ((record.path, reason) for reason in _of_another_split(record, index))


def _key(record: Record, code: str) -> str:
    """Names a split by its record, and by what draws it here."""
    drawn_by = [versions().get(name) for name in DRAWN_BY]
    return memory.key_of(record.sha256, code, drawn_by)


def _remembered() -> set[str]:
    try:
        content = parse_json(read_file(CACHE))
    except (OSError, ValueError):
        return set()
    return {key for key in content if isinstance(key, str)} if isinstance(content, list) else set()


def _differences(record: Record, path: str, opened: OpenStore) -> Iterator[str]:
    """Yields how a split differs from the one that is computed again; nothing where that cannot be."""
    try:
        store = opened(str(record.about["dataset"]))
        if store is None:
            return
        stated = parse_json(read_file(Path(path)))
        wanted = _again(record, store)
    except ValidationError as error:
        yield f"the settings of {record.path} are no scenario: {error.errors()[0]['msg']}"
    except (LotusError, OSError, ValueError) as error:
        yield f"cannot be computed again: {error}"
    else:
        for name, value in wanted.items():
            now = stated.get(name) if isinstance(stated, dict) else None
            if isinstance(value, np.ndarray):
                yield from _other_images(name, now, value, record)
            elif now != value:
                yield f"states {name} {now!r}, its rule gives {value!r}"
            if name in NOTED and record.content["notes"].get(name, value) != value:
                yield f"{record.path} notes another {name} than its rule gives"


def _again(record: Record, store: Store) -> Mapping[str, Any]:
    """Returns what the file of a split is to hold."""
    settings = dict(record.settings)
    seed = int(settings.pop(SPLIT_SEED, record.about["seed"]))
    if record.kind == "held-out":
        return asdict(splits.halve_held_out(store, seed))
    if record.kind == "half":
        return {"train": splits.draw_half(store, seed)}
    scenario = Scenario.model_validate_json(json.dumps(settings))
    known = [
        read_known(Path(path), store, scenario)
        for path in _known(record)
        if Path(path).name != layout.NAMES_FILE
    ]
    chosen = splits.choose_forget_set(store, scenario, seed, *known)
    own = int(record.about["seed"])
    half = layout.split_file(str(record.about["dataset"]), own, layout.HALF).as_posix()
    if half in record.inputs:
        chosen = splits.within_half(chosen, splits.draw_half(store, own))
    parts = {name: value for name, value in asdict(chosen).items() if name != ABSENT}
    absent = {ABSENT: chosen.absent} if len(chosen.absent) else {}
    return {**parts, **absent, "digest": chosen.digest}


def _known(record: Record) -> list[str]:
    """Files of losses, hashes or names that a forget set was chosen by."""
    dataset = str(record.about["dataset"])
    ranked_by = str(record.settings.get("ranked_by"))
    places = {layout.losses_file(dataset, ranked_by), layout.hashes_file(dataset)}
    places.add(layout.names_file(dataset))
    return [path for path in record.inputs if Path(path) in places]


def _has_its_list(record: Record) -> bool:
    """Whether the list that a forget set was chosen by is here as it was, in the project."""
    given = record.settings.get("forget_list")
    if given is None:
        return True
    path = relative(Path(str(given)))
    try:
        is_file = not leads_out(path) and Path(path).is_file()
        return is_file and sha256(Path(path)) == record.inputs.get(path)
    except (OSError, ValueError):
        return False


def _other_images(name: str, stated: Any, wanted: np.ndarray, record: Record) -> Iterator[str]:
    if stated == wanted.tolist():
        return
    try:
        count = len(np.setxor1d(np.asarray(stated, np.int64), wanted))
    except (ValueError, TypeError, OverflowError):
        # What is no list of images is told by who looks into it.
        return
    differ = f"differs by {counted(count, 'image')}" if count else "has its images in another order"
    yield (
        f"{name} set {differ} from what labels, settings and seed {record.about['seed']} give"
        f"{_other_versions(record)}"
    )


def _other_versions(record: Record) -> str:
    """Returns in words that another version of a library drew the images, where one did."""
    here, then = versions(), record.content["versions"]
    others = [
        f"{name} {then[name]}, here {here[name]}"
        for name in DRAWN_BY
        if name in then and name in here and then[name] != here[name]
    ]
    return f" (made with {'; '.join(others)})" if others else ""


def _of_another_split(run: Record, index: Index) -> Iterator[str]:
    """Yields where a run notes another forget set than that of the split which it read."""
    noted = run.content["notes"].get("forget_set")
    for path in run.inputs:
        split = index.producers.get(path)
        if noted is None or split is None or split.kind != "forget-set" or split.problem:
            continue
        read = {key: split.content["notes"].get(key) for key in ("rule", "digest", "images")}
        if noted != read:
            yield f"notes another forget set than {split.path}"
