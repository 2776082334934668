"""Weights of another run that would be the same as this run's."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from lotus import models
from lotus.config.protocol import Protocol, of_stage, parse
from lotus.errors import LotusError
from lotus.names import shown
from lotus.predictions.collapse import is_failed
from lotus.records.files import sha256
from lotus.records.reading import read_record
from lotus.runs.run import MODEL, RECORD


def take_over_weights(
    there: Path, mine: Mapping[str, Any], read: Sequence[Path], model: nn.Module
) -> dict[str, Any]:
    """Loads another run's weights, if they are those that this run would have.

    Args:
        mine: settings and seed that the other run must share.
        read: files that it must have read.

    Returns:
        Its notes, and under `seconds` its times; under `failed` why it made no model, if so.

    Raises:
        LotusError: it is a run with other settings, inputs or seed, or has no record.

    """
    record = read_record(there / RECORD)
    try:
        theirs = {"again": 0, "kept": 0.0, "seeds_apart": {}, **record.settings}
        theirs["seed"] = record.about["seed"]
        theirs["switches"] = weight_switches(parse(record.settings["protocol"]))
        inputs, noted = {*record.inputs.values()}, dict(record.content["notes"])
        seconds = dict(record.content["time"])
    except (KeyError, TypeError, ValueError, AttributeError, LotusError) as error:
        raise LotusError(
            f"{shown(there / RECORD)}: is not the record of a model: {error}"
        ) from error
    for key, value in json.loads(json.dumps(mine)).items():
        if theirs.get(key) != value:
            raise LotusError(
                f"{there / RECORD}: {key} = {theirs.get(key)!r}, but {value!r} here: its weights are not "
                "those of this run"
            )
    for path in read:
        if sha256(path) not in inputs:
            raise LotusError(
                f"{there / RECORD}: was not made from {path}: its weights are not those of this run"
            )
    models.load_weights(there / MODEL, model)
    kept = (
        "epochs",
        "weights_of_epoch",
        "seconds_to_it",
        "resumed_after_epochs",
        "left_in_train_mode",
        "checkpoint",
    )
    notes = {key: noted[key] for key in kept if key in noted}
    if is_failed(outcome := str(noted.get("outcome", ""))):
        notes["failed"] = outcome
    return {**notes, "weights_of": there.as_posix(), "seconds": seconds}


def weight_switches(protocol: Protocol) -> list[str]:
    """Switches of a protocol that can change weights, not only what is said of them."""
    return sorted(protocol.on & of_stage("training", "method"))
