"""Is every model of no use that is said to be so, and no other? Told by its predictions or its weights."""

import re
from collections.abc import Iterator, Set
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from lotus import layout
from lotus.audit.said_by_models import ModelUse, read_said
from lotus.audit.sound_outputs import sound_outputs
from lotus.config.images import Augmentation
from lotus.config.protocol import parse
from lotus.errors import LotusError
from lotus.predictions import collapse
from lotus.records.forms import MODELS
from lotus.records.index import Index
from lotus.records.reading import Record

NEAR = 0.002
"""Of a share of images: the same weights may take a few images for another class on another device."""
STATED = re.compile(r"retain accuracy (\d\.\d+) is near chance \(at most (\d\.\d+)\)")


def problems(
    record: Record, path: str, said: ModelUse, index: Index, sound: Set[str]
) -> Iterator[str]:
    """Yields why the word of predictions on their model's use is false, as far as they can decide it.

    Args:
        record: of the run.
        path: of the predictions.
        sound: artifacts whose bytes are as recorded.

    """
    outcome = collapse.outcome(said.collapsed)
    if record.content["notes"].get("outcome", outcome) != outcome:
        yield f"{record.path} notes another outcome than is stated here"
    if _is_of_weights(said):
        if _weights_are_finite(path, said.collapsed, sound):
            yield f"{_declared(said)}, and {_these(said)} are finite"
    elif not _agrees(said) and _answers_as_it_was_judged(record, index):
        yield _otherwise(said)


def remarks(index: Index, sound: Set[str]) -> list[str]:
    """Returns what is said of models that their files cannot decide."""
    return [
        f"{path}: {reason}"
        for record in index.records.values()
        if record.kind in MODELS and not record.problem
        if record.content["notes"].get("outcome", "sound") != "sound"
        for path in sound_outputs(record, sound)
        if path.endswith(layout.PREDICTIONS_FILE)
        for reason in _undecided(record, path, index, sound)
    ]


def _undecided(record: Record, path: str, index: Index, sound: Set[str]) -> Iterator[str]:
    try:
        said = read_said(path).use
    except Exception:
        # Told by who looks for its images.
        return
    if _is_of_weights(said):
        if _weights_are_finite(path, said.collapsed, sound) is None:
            yield f"{_declared(said)}; {_these(said)} are not here to be looked at"
    elif not _agrees(said) and not _answers_as_it_was_judged(record, index):
        yield f"{_otherwise(said)}; under its protocol others were asked than it was judged by"


def _is_of_weights(said: ModelUse) -> bool:
    """Whether what is said of a model's use is decided by its weights."""
    return said.collapsed.endswith(collapse.NOT_FINITE) or collapse.is_failed(said.collapsed)


def _these(said: ModelUse) -> str:
    return "some of its weights" if collapse.is_failed(said.collapsed) else "these weights"


def _declared(said: ModelUse) -> str:
    if collapse.is_failed(said.collapsed):
        return f"is declared {said.collapsed[:80]}"
    return f"is declared collapsed ({said.collapsed[:80]})"


def _otherwise(said: ModelUse) -> str:
    now = f"its predictions are right for {said.accuracy:.3f} of the images to be kept"
    if said.collapsed:
        return f"{_declared(said)}, and {now}"
    limit = collapse.highest_near_chance(said.largest)
    return f"is not declared collapsed, and {now} (near chance: at most {limit:.3f})"


def _agrees(said: ModelUse) -> bool:
    """Whether the predictions bear out what is said of their model's retain accuracy."""
    limit = collapse.highest_near_chance(said.largest)
    if said.collapsed == collapse.near_chance(said.accuracy, said.largest):
        return True
    if not said.collapsed:
        return said.accuracy > limit - NEAR
    stated = STATED.fullmatch(said.collapsed)
    if stated is None:
        return False
    accuracy, highest = map(float, stated.groups())
    return abs(accuracy - said.accuracy) <= NEAR and abs(highest - limit) <= NEAR


def _answers_as_it_was_judged(record: Record, index: Index) -> bool:
    """Whether the predictions are what the model said when its use was judged.

    Under E2 other images are asked (augmented ones), under E1 a network in train mode has changed by then.
    """
    try:
        protocol = parse(str(record.settings.get("protocol")))
    except LotusError:
        return True
    if protocol.has("E1") and record.content["notes"].get("left_in_train_mode"):
        return False
    return not (protocol.has("E2") and _augments(record, index))


def _augments(record: Record, index: Index) -> bool:
    """Whether training images are changed at random; the record of the original says so for a method."""
    read = (index.producer(path) for path in record.inputs)
    for run in (record, *(it for it in read if it is not None and it.kind == "original")):
        images = run.settings.get("images")
        if isinstance(images, dict):
            try:
                return Augmentation.model_validate(images.get("augmentation")).is_random
            except ValidationError:
                return False
    return False


def _weights_are_finite(predictions: str, said: str, sound: Set[str]) -> bool | None:
    """Whether weights that are said to be not finite are finite; None where they cannot be read.

    In place of a model that a method failed to make stands one all of whose weights are not finite.
    """
    model = Path(predictions).with_name(layout.MODEL_FILE).as_posix()
    if model not in sound:
        return None
    try:
        with safe_open(model, framework="numpy") as weights:
            names = [*weights.keys()]
            if collapse.is_failed(said):
                return any(_holds_a_number(weights.get_tensor(name)) for name in names)
            name = said.removesuffix(collapse.NOT_FINITE)
            return name not in names or bool(np.isfinite(weights.get_tensor(name)).all())
    except (OSError, SafetensorError, TypeError, ValueError):
        return None


def _holds_a_number(weights: np.ndarray) -> bool:
    """Whether a real weight is finite; what a layer counts is none."""
    return weights.dtype.kind == "f" and bool(np.isfinite(weights).any())
