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
from lotus.predictions.predictions_file import ABSENT, ATTACKED, CALIBRATION, Split
from lotus.records.record import write_record
from lotus.records.stopwatch import Stopwatch
from lotus.runs.run import MODEL, PREDICTIONS, RECORD, Inputs, Run, generator_of, seed_layers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """The images that predictions are recorded of."""

    store: Store
    use: Dataset
    held_out: HeldOut
    chosen: ForgetSet | None
    calibration: Calibration | None = None
    in_train_mode: bool = False

    def splits(self) -> dict[str, np.ndarray]:
        """Store indices by split; of `calibration` into its own store."""
        if self.chosen is None:
            return {"train": self.store.part("train"), **asdict(self.held_out)}
        absent = {ABSENT: self.chosen.absent} if len(self.chosen.absent) else {}
        synthetic = {} if self.calibration is None else {CALIBRATION: self.calibration.indices}
        return {
            "forget": self.chosen.forget,
            "retain": self.chosen.retain,
            **absent,
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
    in_train_mode: bool = False,
) -> dict[str, Split]:
    """Returns what the model says of each split, as the protocol records it.

    Under E1 the attack on a method's model comes first, image by image in the mode that the model is
    in; a model in train mode is changed by that. (As released each metric draws new crops; here one
    draw serves all that read the same pass.)

    Args:
        splits: store indices by split.
        generator: of the augmentation; needed under E2 alone.
        apart: images of splits whose indices are of another store.
        in_train_mode: whether BatchNorm is in train mode, as somebody may leave it.

    """

    def is_augmented(name: str) -> bool:
        return protocol.has("E2") and name in AUGMENTED and parts[name].augmentation.is_random

    def said_of(name: str, by: Callable[..., np.ndarray]) -> Split:
        part = parts[name]
        logits = by(model, part, generator if is_augmented(name) else None)
        return Split(logits, part.labels.cpu().numpy(), splits[name])

    parts = {name: apart.get(name, images).take(indices) for name, indices in splits.items()}
    is_attacked = protocol.has("E1") and "forget" in splits
    attacked = [name for name in ATTACK_ORDER if is_attacked and name in splits]
    first = {ATTACKED + name: said_of(name, inference.logits_one_by_one) for name in attacked}
    # In eval mode the attack's pass is a plain one: what it read as it is need not be read again.
    known = (
        {}
        if _is_training(model)
        else {name: first[ATTACKED + name] for name in attacked if not is_augmented(name)}
    )
    by = inference.logits_in_train_mode if in_train_mode else inference.logits
    plain = {name: known.get(name) or said_of(name, by) for name in splits}
    return first | plain


def _is_training(model: nn.Module) -> bool:
    return any(module.training for module in model.modules())


def weights_not_finite(model: nn.Module) -> str:
    """Returns that a model is of no use since some of its weights are not finite; '' if all are."""
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            return collapse.not_finite(name)
    return ""


LOOKED_AT = 256
"""Retain images that are asked first, where answers that are recorded cannot tell a collapse."""

CLEARLY = 0.2
"""So far above the limit, chance does not lead 256 images of a model whose accuracy is below it (10⁻¹³)."""


def answers_badly(model: nn.Module, retain: ImageSet) -> str:
    """Returns that a model's accuracy on the retain set is near chance; '' if it is not.

    Some of the images tell a model that is far from it; only near it all are asked.
    """
    largest = int(torch.bincount(retain.labels).max()) / len(retain)
    step = len(retain) // LOOKED_AT
    if step > 1:
        some = torch.arange(0, len(retain), step, device=retain.index.device)
        if (
            inference.accuracy(model, retain.part(some))
            > collapse.highest_near_chance(largest) + CLEARLY
        ):
            return ""
    return collapse.near_chance(float(inference.accuracy(model, retain)), largest)


def answered_badly(said: Split) -> str:
    """As `answers_badly`, by answers that the model has given."""
    right = int((said.logits.argmax(1) == said.labels).sum())
    largest = int(np.bincount(said.labels).max()) / len(said.labels)
    return collapse.near_chance(right / len(said.labels), largest)


def ask_and_judge(
    model: nn.Module,
    images: Images,
    asked: Asked,
    protocol: Protocol,
    generator: torch.Generator,
    apart: Mapping[str, Images],
) -> tuple[dict[str, Split], str]:
    """Returns what the model says of each split, and why it is of no use ('' if it is of use).

    It is judged as it is saved, on the images that it was to keep as they are. The recorded answers tell,
    unless the protocol augments these images (E2) or changes the model by asking it (E1).
    """
    splits = asked.splits()
    kept = "train" if asked.chosen is None else "retain"
    augments = protocol.has("E2") and asked.use.augmentation.is_random
    changes = protocol.has("E1") and asked.chosen is not None and _is_training(model)
    collapsed = weights_not_finite(model)
    if not collapsed and (augments or changes):
        collapsed = answers_badly(model, images.take(splits[kept]))
    said = ask(model, images, splits, protocol, generator, apart, asked.in_train_mode)
    if not collapsed and not (augments or changes):
        collapsed = answered_badly(said[kept])
    return said, collapsed


def record_run(
    kind: str,
    inputs: Inputs,
    run: Run,
    device: Device,
    clock: Stopwatch,
    model: nn.Module,
    images: Images,
    asked: Asked,
    *,
    settings: Mapping[str, Any],
    modules: Sequence[str],
    extra: Sequence[Path],
    notes: Mapping[str, Any],
    failed: str = "",
) -> None:
    """Saves the model, records its predictions, and last of all writes the record.

    Args:
        images: those that the model was made from, as it saw them; they are not read a second time.
        failed: why `model` stands in the place of one (`lotus.runs.failed`); '' where it is one.

    """
    # First: a run that is killed from here on must not look finished by its earlier record.
    (run.out / RECORD).unlink(missing_ok=True)
    # Before the predictions: recording them can change the model (E1).
    models.save_weights(run.out / MODEL, model)
    with clock.phase("predict"):
        # As released, images of the original are not reduced first: only those of methods are.
        reduced_first = kind == "unlearned" and run.protocol.has("R2")
        apart = asked.apart(device.torch, reduced_first)
        generator = generator_of(run, "evaluation", device)
        seed_layers(run, "evaluation")
        everything = images.and_all_others(asked.store)
        said, collapsed = ask_and_judge(model, everything, asked, run.protocol, generator, apart)
    collapsed = failed or collapsed
    predictions_file.save(run.out / PREDICTIONS, said, collapsed)
    if collapsed:
        log.warning("%s", collapse.outcome(collapsed))
    if "weights_of" not in notes and not failed:
        # Else nothing was trained, which takes the most.
        device.note_memory()
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
