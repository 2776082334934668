"""Original and gold models: trained on all training images, or on the retain set alone."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from lotus import models
from lotus.config.architectures import Architecture, CheckpointFile
from lotus.config.images import Dataset
from lotus.data.batches import Images
from lotus.data.splits import ForgetSet, load_half
from lotus.data.store import Store
from lotus.engine.checkpoint import Checkpoint, key_of
from lotus.engine.device import Device
from lotus.engine.failures import explained_failures
from lotus.engine.training import train
from lotus.models.checkpoints import load_checkpoint
from lotus.names import on_disk, shown
from lotus.records.code_identity import code_digest
from lotus.records.environment import versions
from lotus.records.files import relative, sha256
from lotus.runs.networks import build_network, seen_shape
from lotus.runs.recording import Asked, record_run
from lotus.runs.run import (
    CHECKPOINT,
    MODEL,
    EpochLog,
    Inputs,
    Run,
    generator_of,
    read_inputs,
    seed_layers,
    start,
)
from lotus.runs.taken_over import take_over_weights

log = logging.getLogger(__name__)


def train_run(
    kind: str,
    inputs: Inputs,
    run: Run,
    architecture: Architecture,
    use: Dataset,
    weights_of: Path | None = None,
) -> None:
    """Trains the original model (on all training images or a half) or gold (without the forget set).

    Both start from the same weights: fresh ones of the seed, in a pretrained architecture its head alone.
    Where the architecture names a checkpoint, the original of all training images is that, untrained. A
    further gold (`Run.again`) has first weights and batches of its own, by the seed and its number. A
    training that was killed goes on from its own checkpoint.

    Args:
        weights_of: another run with the same weights, of which only predictions are to be made anew.

    """
    clock, device = start(run, "train")
    with clock.phase("prepare"):
        store, held_out, chosen = read_inputs(inputs)
        trained_on = store.part("train") if chosen is None else _trained_on(chosen, run)
        if inputs.half is not None:
            trained_on = load_half(inputs.half)
        reach = np.concatenate([trained_on, held_out.val])
        images = Images(store, use, device.torch, reach)
        if chosen is not None or inputs.half is not None:
            architecture = models.without_checkpoint(architecture)
        is_trained = weights_of is None and architecture.checkpoint is None
        begun = architecture if is_trained else models.without_weights(architecture)
        first = run.derived_seed(run.training_purpose("weights"))
        model = build_network(store, begun, use, first, device)
        read = models.weights_files(begun)
    settings = {
        "architecture": architecture.model_dump(),
        "images": use.model_dump(),
        "protocol": run.protocol.name,
        **({"again": run.again} if run.again else {}),
        **({"kept": run.kept} if run.kept else {}),
        **({"in_train_mode": True} if run.in_train_mode else {}),
        **run.apart,
    }
    log.info("%s: %s", kind, json.dumps({**settings, "seed": run.seed, **device.hardware}))
    notes: dict[str, Any] = {"images": len(trained_on)}
    modules = [__name__, *models.modules_of(architecture)]
    key = _training_key(settings, run.seed, [*inputs.files(), *read], modules, device)
    epochs = EpochLog(kind)
    checkpoint = Checkpoint(run.out / CHECKPOINT, key, run.checkpoint_every, epochs)
    if is_trained:
        seed_layers(run, run.training_purpose("batches"))
        with clock.phase("train"), explained_failures(f"training of the {kind} model"):
            best = train(
                model,
                images.take(trained_on),
                images.take(held_out.val),
                architecture.training,
                generator_of(run, run.training_purpose("batches"), device),
                epochs,
                keep_last=run.protocol.has("T1"),
                checkpoint=checkpoint,
                fused=device.fuses_steps,
            )
        clock.seconds["train"] = round(clock.seconds["train"] + epochs.earlier, 3)
        # As released, the time of the original is that to its best epoch, the time of gold that of all.
        reached = epochs.epochs[best]["seconds"] if best is not None else 0.0
        notes |= {
            "epochs": epochs.epochs,
            "weights_of_epoch": best,
            "seconds_to_it": reached,
            "resumed_after_epochs": epochs.resumed_after,
        }
    elif weights_of is None and architecture.checkpoint is not None:
        notes |= _take_checkpoint(model, architecture.checkpoint, store, use)
        read = [on_disk(Path(architecture.checkpoint.file))]
        clock.seconds["train"] = 0.0
    elif weights_of is not None:
        mine = {
            "seeds_apart": {},
            **settings,
            "seed": run.seed,
            "again": run.again,
            "kept": run.kept,
        }
        del mine["protocol"]
        mine.pop("in_train_mode", None)
        notes |= take_over_weights(weights_of, mine, inputs.files(), model)
        clock.seconds["train"] = notes.pop("seconds").get("train", 0.0)
    record_run(
        kind,
        inputs,
        run,
        device,
        clock,
        model.eval(),
        images,
        Asked(store, use, held_out, chosen, in_train_mode=run.in_train_mode),
        settings=settings,
        modules=modules,
        extra=[weights_of / MODEL] if weights_of is not None else read,
        notes=notes,
    )
    checkpoint.remove()


def _take_checkpoint(
    model: nn.Module, checkpoint: CheckpointFile, store: Store, use: Dataset
) -> dict[str, Any]:
    """Gives the original the weights of the user's model, and returns what its record says of them.

    Raises:
        LotusError: the file cannot be read, or is not of this network, these images or their classes.

    """
    form = load_checkpoint(model, checkpoint, seen_shape(store, use), len(store.classes))
    log.info("original: %s: %s", shown(checkpoint.file), form)
    path = relative(on_disk(Path(checkpoint.file)))
    return {
        "epochs": [],
        "weights_of_epoch": None,
        "seconds_to_it": 0.0,
        "resumed_after_epochs": [],
        "checkpoint": {"file": path, "sha256": checkpoint.sha256, "form": form.to_json()},
    }


def _trained_on(chosen: ForgetSet, run: Run) -> np.ndarray:
    """Indices of the retain set, and of the share of the forget set that is kept, drawn for each run."""
    count = round(run.kept * len(chosen.forget))
    rng = np.random.default_rng(run.derived_seed(run.training_purpose("kept")))
    kept = rng.choice(chosen.forget, count, replace=False)
    return np.sort(np.concatenate([chosen.retain, kept])) if count else chosen.retain


def _training_key(
    settings: Mapping[str, Any],
    seed: int,
    read: Sequence[Path],
    modules: Sequence[str],
    device: Device,
) -> str:
    """Names what a checkpoint belongs to: all that the weights depend on, down to their last bits."""
    return key_of(
        {
            "settings": settings,
            "seed": seed,
            "inputs": [sha256(path) for path in read],
            "hardware": device.hardware,
            "code": code_digest(*modules),
            "versions": versions(),
        }
    )
