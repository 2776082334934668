"""A model asked for its predictions, saved and recorded."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from lotus import models
from lotus.config.images import Dataset
from lotus.config.protocol import Protocol
from lotus.data.batches import Images, ImageSet
from lotus.data.calibration import Calibration
from lotus.data.splits import ForgetSet, HeldOut
from lotus.data.store import Store
from lotus.engine import inference
from lotus.engine.device import Device
from lotus.predictions import collapse, predictions_file
from lotus.predictions.predictions_file import ATTACKED, CALIBRATION, Split
from lotus.records.record import write_record
from lotus.records.stopwatch import Stopwatch
from lotus.runs.run import MODEL, PREDICTIONS, RECORD, Inputs, Run, generator_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """The images that predictions are recorded of."""

    store: Store
    use: Dataset
    held_out: HeldOut
    chosen: ForgetSet | None
    calibration: Calibration | None = None

    def splits(self) -> dict[str, np.ndarray]:
        """Store indices by split; of `calibration` into its own store."""
        if self.chosen is None:
            return {"train": self.store.part("train"), **asdict(self.held_out)}
        synthetic = {} if self.calibration is None else {CALIBRATION: self.calibration.indices}
        return {
            "forget": self.chosen.forget,
            "retain": self.chosen.retain,
            **asdict(self.held_out),
            **synthetic,
        }

    def apart(self, device: torch.device, reduced_first: bool) -> dict[str, Images]:
        """Images of the splits that are of another store."""
        if self.calibration is None:
            return {}
        return {CALIBRATION: self.calibration.images(self.use, device, reduced_first)}


AUGMENTED = ("train", "forget", "retain")
"""Splits that the published evaluation reads through the training augmentation (E2)."""

ATTACK_ORDER = ("retain", "forget", "test", "val", CALIBRATION)
"""The order in which the published membership attack reads the splits (E1).

It reads calibration images instead of validation images (E5); here after them, so that both forms of
the attack have what they need. The statistics that E1 leaves in a model are those of the last images.
"""


def ask(
    model: nn.Module,
    images: Images,
    splits: Mapping[str, np.ndarray],
    protocol: Protocol,
    generator: torch.Generator | None = None,
    apart: Mapping[str, Images] = MappingProxyType({}),
) -> dict[str, Split]:
    """Returns what the model says of each split, as the protocol records it.

    Under E1 the attack on a method's model comes first, image by image in the mode that the model is
    in; a model in train mode is changed by that. (As released each metric draws new crops; here one
    draw serves all that read the same pass.)

    Args:
        splits: store indices by split.
        generator: of the augmentation; needed under E2 alone.
        apart: images of splits whose indices are of another store.

    """

    def said_of(name: str, by: Callable[..., np.ndarray]) -> Split:
        part = apart.get(name, images).take(splits[name])
        augmented = generator if protocol.has("E2") and name in AUGMENTED else None
        return Split(by(model, part, augmented), part.labels.cpu().numpy(), splits[name])

    attacked = ATTACK_ORDER if protocol.has("E1") and "forget" in splits else ()
    first = {
        ATTACKED + name: said_of(name, inference.logits_one_by_one)
        for name in attacked
        if name in splits
    }
    return first | {name: said_of(name, inference.logits) for name in splits}


def collapse_of(model: nn.Module, retain: ImageSet) -> str:
    """Returns why a model is of no use (weights not finite, or retain accuracy near chance), else ''."""
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            return collapse.not_finite(name)
    largest = int(torch.bincount(retain.labels).max()) / len(retain)
    return collapse.near_chance(float(inference.accuracy(model, retain)), largest)


def record_run(
    kind: str,
    inputs: Inputs,
    run: Run,
    device: Device,
    clock: Stopwatch,
    model: nn.Module,
    asked: Asked,
    *,
    settings: Mapping[str, Any],
    modules: Sequence[str],
    extra: Sequence[Path],
    notes: Mapping[str, Any],
) -> None:
    """Saves the model, records its predictions, and last of all writes the record."""
    # First: a run that is killed from here on must not look finished by its earlier record.
    (run.out / RECORD).unlink(missing_ok=True)
    # Before the predictions: recording them can change the model (E1).
    models.save_weights(run.out / MODEL, model)
    with clock.phase("predict"):
        # As released, images of the original are not reduced first: only those of methods are.
        reduced_first = kind == "unlearned" and run.protocol.has("R2")
        images = Images(asked.store, asked.use, device.torch, reduced_first=reduced_first)
        splits = asked.splits()
        kept = images.take(splits["train" if asked.chosen is None else "retain"])
        collapsed = collapse_of(model, kept)
        generator = generator_of(run, "evaluation", device)
        apart = asked.apart(device.torch, reduced_first)
        said = ask(model, images, splits, run.protocol, generator, apart)
    predictions_file.save(run.out / PREDICTIONS, said, collapsed)
    if collapsed:
        log.warning("collapsed: %s", collapsed)
    write_record(
        run.out / RECORD,
        kind=kind,
        modules=modules,
        about={**run.labels, "protocol": run.protocol.name, "seed": run.seed},
        settings=settings,
        inputs=[*inputs.files(), *extra],
        outputs=[run.out / MODEL, run.out / PREDICTIONS],
        seconds=clock.seconds,
        hardware=device.hardware,
        device_memory=device.peak_memory,
        notes={"outcome": collapse.outcome(collapsed), **notes},
    )
    log.info("wrote %s  %s", run.out, json.dumps(clock.seconds))
