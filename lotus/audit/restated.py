"""Facts that are stated in several places have to agree: whoever edits one of them may forget another."""

from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.audit.open_stores import OpenStore
from lotus.audit.said_by_models import PredictionsFiles
from lotus.audit.sound_outputs import sound_outputs
from lotus.config.cells import Benchmark
from lotus.data import content
from lotus.data.store import dvc_digest
from lotus.errors import BrokenCodeError, LotusError
from lotus.formats.json_text import read_file
from lotus.layout import (
    GOLD,
    GOLD_AGAIN,
    HELD_OUT,
    ORIGINAL,
    further_gold,
    is_further_gold,
    is_of_power,
)
from lotus.names import shown
from lotus.predictions import collapse, maps_file
from lotus.records.forms import MODELS
from lotus.records.index import Index
from lotus.records.places import leads_out
from lotus.records.reading import Record
from lotus.results.attacks import read_attacks
from lotus.results.metrics_file import parse_metrics

HASHED_AGAIN = 1 << 28
"""Bytes of images up to which a store's content is hashed at each audit; of more, where all is read."""


def problems(
    index: Index, sound: Set[str], opened: OpenStore, files: PredictionsFiles, full: bool
) -> Iterator[tuple[str, str]]:
    """(path, reason) for records and artifacts that state otherwise than what they speak of.

    Args:
        sound: artifacts whose bytes are as recorded; others are not looked into.
        full: whether the content of large stores is hashed too.

    """
    for record in index.records.values():
        if record.problem:
            continue
        yield from ((record.path, reason) for reason in _misfiled(record))
        for path in sound_outputs(record, sound):
            if record.kind == "metrics" and path.endswith(".json"):
                of_metrics = _of_metrics(record, path, index, sound, files)
                yield from ((path, reason) for reason in of_metrics)
            elif record.kind in ("attacks", "shadow-attacks") and path.endswith(".json"):
                yield from ((path, reason) for reason in _of_attacks(record, path))
            elif path.endswith(layout.MAPS_FILE):
                yield from ((path, reason) for reason in _of_maps(record, path, index))
        if record.kind == "store" and sound >= record.outputs.keys():
            yield from ((record.path, reason) for reason in _of_store(record, opened, full))


def _misfiled(record: Record) -> Iterator[str]:
    """Yields where a record is about something else than what its place is for."""
    place_of = PLACES.get(record.kind)
    if place_of is None:
        return
    try:
        place = place_of(record.about)
    except (KeyError, TypeError, ValueError) as error:
        yield f"does not say what it is about: {error!r}"
        return
    if place.as_posix() not in (record.path, *record.outputs):
        yield f"is about what belongs into {shown(place.as_posix())}"
    under = record.settings.get("protocol")
    if record.kind in MODELS and under != record.about["protocol"]:
        yield f"is about protocol {record.about['protocol']}, and its settings have {under}"
    row = str(record.about.get("row", ""))
    if record.kind in MODELS and record.kind != _kind_of(row):
        yield f"is of an {record.kind} model, and about the row {row}"
    again = record.settings.get("again", 0)
    if record.kind == "gold" and row != (further_gold(again) if again else GOLD):
        yield f"is of gold number {again} of its seed, and about the row {row}"


def _kind_of(row: str) -> str:
    if row == GOLD or is_further_gold(row):
        return "gold"
    if is_of_power(row):
        return "retrained"
    return "original" if row == ORIGINAL else "unlearned"


def _cell(about: Mapping[str, Any]) -> Benchmark:
    """Returns the cell that a record is about; an original model is of no scenario."""
    return Benchmark(
        dataset=str(about["dataset"]),
        architecture=str(about["architecture"]),
        scenario="" if about.get("row") == ORIGINAL else str(about["scenario"]),
        protocol=str(about["protocol"]),
        study=str(about.get("study", "")),
    )


def _run_record(about: Mapping[str, Any]) -> Path:
    folder = layout.run_folder(_cell(about), about["seed"], str(about["row"]))
    return layout.run_files(folder)["record"]


PLACES: Mapping[str, Callable[[Mapping[str, Any]], Path]] = {
    "store": lambda about: layout.store_record(str(about["dataset"])),
    "held-out": lambda about: layout.split_file(str(about["dataset"]), about["seed"], HELD_OUT),
    "half": lambda about: layout.split_file(str(about["dataset"]), about["seed"], layout.HALF),
    "image-losses": lambda about: layout.losses_file(
        str(about["dataset"]), str(about["architecture"])
    ),
    "image-hashes": lambda about: layout.hashes_file(str(about["dataset"])),
    "forget-set": lambda about: layout.split_file(
        str(about["dataset"]), about["seed"], str(about["scenario"])
    ),
    **dict.fromkeys(MODELS, _run_record),
    "metrics": lambda about: layout.metrics_file(_cell(about), about["seed"]),
    "attacks": lambda about: layout.attacks_file(_cell(about)),
    "shadow-attacks": lambda about: layout.shadows_file(_cell(about)),
    "gradcam": lambda about: layout.gradcam_file(_cell(about), about["seed"]),
    "trials": lambda about: layout.trials_file(_cell(about), about["seed"], str(about["row"])),
}
"""Kind of step → where the record or its output lies, by what it is about."""


def _of_metrics(
    record: Record, path: str, index: Index, sound: Set[str], files: PredictionsFiles
) -> Iterator[str]:
    """Yields where a metrics file is not of the rows, predictions and labels that its record states."""
    try:
        stated = parse_metrics(Path(path), read_file(Path(path)))
    except BrokenCodeError:
        # Which metrics there are cannot be told; the module is a finding of its own.
        return
    except (LotusError, OSError) as error:
        yield f"not metrics: {error}"
        return
    labels = {"study": "", **record.about}
    for key, value in labels.items():
        if stated.get(key) != value:
            yield f"is of {key} {shown(str(stated.get(key)))}, {record.path} of {shown(str(value))}"
    rows, made_of = record.settings["rows"], stated["predictions"]
    golds = record.settings.get("golds", [])
    of_golds = {GOLD_AGAIN} if golds else set()
    if (
        {*stated["rows"]} != {*rows} | of_golds
        or {*stated.get("golds", {})} != {*golds}
        or {*made_of} != {*rows, *golds}
    ):
        yield f"does not have the rows that {record.path} states"
    if {of["path"] for of in made_of.values()} != record.inputs.keys():
        yield f"names other predictions than {record.path}"
    for row, of in made_of.items():
        if of["path"] in record.inputs and of["sha256"] != record.inputs[of["path"]]:
            yield (
                f"computed from other bytes of {of['path']} (sha256 {of['sha256'][:12]}…) than are there"
            )
        run = index.producers.get(of["path"])
        if run is not None and not run.problem and run.kind in MODELS:
            yield from _of_row(row, stated, run, of["path"] if of["path"] in sound else "", files)


def _of_row(
    row: str, stated: Mapping[str, Any], run: Record, path: str, files: PredictionsFiles
) -> Iterator[str]:
    """Yields where a row is not of the run whose predictions it was computed from."""
    seed = layout.seed_of_gold(row)
    named = {"row": row} if seed is None else {"row": GOLD, "seed": seed}
    for key, value in {**stated, **named}.items():
        is_named = key in ("dataset", "architecture", "scenario", "seed", "row")
        if is_named and run.about.get(key, value) != value:
            yield f"its row {shown(row)} is of {key} {shown(str(run.about[key]))} ({run.path})"
    scores = {**stated["rows"], **stated.get("golds", {})}.get(row, {})
    try:
        said = files.collapsed(path) if path else None
    except LotusError:
        # Told of the predictions themselves.
        return
    if said is None or "collapsed" not in scores:
        return
    expected = said or _lost_most(stated["rows"], row, files, path)
    if scores["collapsed"] != expected:
        yield f"its row {shown(row)} is {_use(scores['collapsed'])}, by {path} it is {_use(expected)}"


def _lost_most(
    rows: Mapping[str, Mapping[str, Any]], row: str, files: PredictionsFiles, path: str
) -> str:
    """Returns what a row's accuracies say of it beside the original's, as its metrics have them."""
    own, originals = (rows.get(name, {}).get("accuracy_retain") for name in (row, ORIGINAL))
    if row == ORIGINAL or own is None or originals is None:
        return ""
    try:
        largest = files.largest(path)
    except Exception:
        # Told of the predictions themselves.
        return ""
    return collapse.lost_most(float(own), float(originals), largest)


def _use(collapsed: str) -> str:
    return f"collapsed ({collapsed[:80]})" if collapsed else "sound"


def _of_attacks(record: Record, path: str) -> Iterator[str]:
    """Yields where a file of attacks is not of the models and predictions that its record states."""
    try:
        stated = read_attacks(Path(path))
    except LotusError as error:
        yield f"not attacks: {error}"
        return
    for key, value in {"study": "", **record.about}.items():
        if stated.get(key) != value:
            yield f"is of {key} {shown(str(stated.get(key)))}, {record.path} of {shown(str(value))}"
    if [[of["row"], of["seed"]] for of in stated["predictions"]] != record.settings["of"]:
        yield f"does not have the models that {record.path} states"
    if {of["path"]: of["sha256"] for of in stated["predictions"]} != record.inputs:
        yield f"names other predictions than {record.path}"


def _of_maps(record: Record, path: str, index: Index) -> Iterator[str]:
    """Yields where Grad-CAM maps are not of the rows and images that their record states."""
    try:
        maps = maps_file.load(Path(path))
        rows, said = maps.rows.tolist(), maps.collapsed.tolist()
    except LotusError as error:
        yield str(error)
        return
    if rows != record.settings.get("rows") or len(said) != len(rows):
        yield f"does not have the rows that {record.path} states"
        return
    chosen = record.content["notes"].get("chosen")
    noted = chosen.get("indices") if isinstance(chosen, dict) else None
    if noted is not None and not np.array_equal(maps.indices, np.asarray(noted)):
        yield f"is of other images than {record.path} notes"
    runs = (index.records.get(read) for read in record.inputs)
    outcomes = {
        run.about.get("row"): run.content["notes"].get("outcome")
        for run in runs
        if run is not None and not run.problem
    }
    for row, collapsed in zip(rows, said, strict=True):
        if outcomes.get(row) not in (None, collapse.outcome(collapsed)):
            yield f"its row {shown(row)} is {_use(collapsed)}, its run is {outcomes[row]}"


def _of_store(record: Record, opened: OpenStore, full: bool) -> Iterator[str]:
    """Yields where a store is not the content that its own description and its record state."""
    try:
        store = opened(str(record.about["dataset"]))
    except ValueError as error:
        yield str(error)
        return
    if store is None:
        return
    source, notes = store.source, record.content["notes"]
    if notes.get("source", source) != source:
        yield "notes another source than the store has"
    files = layout.store_files(str(record.about["dataset"]))
    if leads_out(files["images"]):
        return
    try:
        if not full and files["images"].stat().st_size > HASHED_AGAIN:
            return
        images = np.load(files["images"], mmap_mode="r")
        now = content.digest(images, store.labels)
    except (OSError, ValueError, EOFError, TypeError, AttributeError) as error:
        yield f"its images cannot be read: {error}"
        return
    # What is declared is the content of all images, of which a limited store has the first.
    is_part = record.settings.get("options", {}).get("limit") is not None
    if source.get("content", now) != now and not is_part:
        yield f"images and labels have the digest {now[:12]}…, its source.json states another"
    folder = files["images"].parent
    has_strays = {path.name for path in folder.iterdir()} != {
        Path(path).name for path in record.outputs
    }
    if not has_strays and notes.get("dvc", "") not in ("", dvc_digest(folder)):
        yield "its files do not have DVC's digest that it notes"
