"""How hard each training image is: its loss under a model that was not trained on it."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

from lotus import models
from lotus.config.architectures import Architecture
from lotus.config.images import Dataset
from lotus.data.batches import Images
from lotus.data.forget_rules import LOSSES, save_known
from lotus.data.splits import halve_held_out
from lotus.data.store import Store, open_store
from lotus.engine import inference
from lotus.engine.device import prepare
from lotus.engine.failures import explained_failures
from lotus.engine.runtime import DEFAULT_RUNTIME, Runtime
from lotus.engine.training import train
from lotus.errors import LotusError
from lotus.lazy_torch import torch
from lotus.records.record import write_record
from lotus.records.stopwatch import Stopwatch
from lotus.runs.folds import FOLDS, RANKING_SEED, too_few_to_rank
from lotus.runs.networks import build_network
from lotus.runs.run import EpochLog, alike, derive_seed, load_optimizers

log = logging.getLogger(__name__)


def rank_images(
    folder: Path,
    architecture: Architecture,
    use: Dataset,
    labels: Mapping[str, Any],
    out: Path,
    record: Path,
    device_name: str,
    threads: int,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> None:
    """Writes the loss of each training image under a model that was not trained on it, and the record.

    The training images are cut into `FOLDS` parts with equal shares of each class; a model is trained on
    all parts but one by the architecture's recipe, and asked about that one, without augmentation.

    Args:
        folder: the store.
        labels: name of the architecture: for the record only.

    Raises:
        LotusError: the store is damaged, has no training images or a class with fewer than `FOLDS`; a loss
            is not finite.

    """
    device = prepare(device_name, threads, runtime, alike("rank", labels))
    load_optimizers()
    clock = Stopwatch(device.synchronize)
    with clock.phase("prepare"):
        store = open_store(folder)
        val = halve_held_out(store, RANKING_SEED).val
        part = store.part("train")
        images = Images(store, use, device.torch, np.concatenate([part, val]))
    losses = np.full(len(part), np.nan)
    settings = {
        "architecture": architecture.model_dump(),
        "images": use.model_dump(),
        "folds": FOLDS,
        "seed": RANKING_SEED,
    }
    log.info("ranking: %s", json.dumps({**settings, **device.hardware}))
    with clock.phase("train"):
        for number, (seen, unseen) in enumerate(folds(store)):
            weights, batches = (
                derive_seed(RANKING_SEED, f"{purpose}/fold-{number}")
                for purpose in ("weights", "batches")
            )
            model = build_network(store, architecture, use, weights, device)
            torch.manual_seed(derive_seed(RANKING_SEED, f"layers/fold-{number}"))
            with explained_failures(f"training of the model of fold {number + 1}"):
                train(
                    model,
                    images.take(part[seen]),
                    images.take(val),
                    architecture.training,
                    torch.Generator(device.torch).manual_seed(batches),
                    EpochLog(f"fold {number + 1} of {FOLDS}"),
                    fused=device.fuses_steps,
                )
            said = inference.logits(model, images.take(part[unseen])).astype(np.float64)
            losses[unseen] = losses_of(said, store.labels[part[unseen]])
    device.note_memory()
    save_known(out, store, LOSSES, losses)
    write_record(
        record,
        kind="image-losses",
        modules=[__name__, *models.modules_of(architecture)],
        about={"dataset": store.source["dataset"], **labels},
        settings=settings,
        inputs=[folder / "source.json", *models.weights_files(architecture)],
        outputs=[out],
        seconds=clock.seconds,
        hardware=device.hardware,
        device_memory=device.peak_memory,
    )


def folds(store: Store) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields which training images (places among them) a model is trained on, and which are held out.

    Raises:
        LotusError: a class has fewer images than there are folds.

    """
    from sklearn.model_selection import StratifiedKFold

    labels = store.labels[store.part("train")]
    for label, name in enumerate(store.classes):
        count = int((labels == label).sum())
        if 0 < count < FOLDS:
            raise LotusError(too_few_to_rank(name, count))
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=RANKING_SEED)
    yield from splitter.split(labels, labels)


def losses_of(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy of each image in nats, float64 `[n]`, of logits `[n, classes]` and labels `[n]`."""
    found: np.ndarray = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return found
