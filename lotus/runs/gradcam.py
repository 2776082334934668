"""Grad-CAM: where in forget images the models of one benchmark and seed see the true class.

A step of its own beside the runs, since it needs the models; what it writes needs no torch to be drawn.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lotus import models
from lotus.config.protocol import Protocol
from lotus.data.batches import Batch, Images
from lotus.data.splits import load_forget_set
from lotus.data.store import open_store
from lotus.engine.device import prepare
from lotus.engine.runtime import DEFAULT_RUNTIME, Runtime
from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL
from lotus.names import shown
from lotus.predictions import collapse, maps_file
from lotus.predictions.maps_file import Explanations
from lotus.records.reading import read_record
from lotus.records.record import write_record
from lotus.runs.originals import load_original
from lotus.runs.run import MODEL, RECORD, alike

log = logging.getLogger(__name__)

RULE = "the first of each class in data-set order, then the second of each, and so on"


def explain(
    store_folder: Path,
    forget_set: Path,
    runs: Mapping[str, Path],
    protocol: Protocol,
    device_name: str,
    threads: int,
    count: int,
    labels: Mapping[str, Any],
    out: Path,
    runtime: Runtime = DEFAULT_RUNTIME,
    network_file: str | None = None,
) -> None:
    """Writes the maps of some forget images as `out` (see `Explanations`), and the record beside it.

    Models are in eval mode, whatever mode their method left them in; images are not augmented. Of a network
    without maps the probabilities alone are told.

    Args:
        runs: row → folder of its run; `original` must be among them, its record says how to build them.
        protocol: under R2 images are reduced first, for methods but not for original and gold.
        count: number of images, see `choose_images`.
        labels: data set, architecture, scenario, …: for the record only.
        network_file: see `load_original`.

    Raises:
        LotusError: no original, or a run without record or with a model that cannot be read.

    """
    if ORIGINAL not in runs:
        raise LotusError(f"--of {ORIGINAL} is needed: its record says how to build the models")
    outcomes = {row: _outcome(folder / RECORD) for row, folder in runs.items()}
    device = prepare(device_name, threads, runtime, alike("explain", labels))
    store = open_store(store_folder)
    architecture, use, network = load_original(runs[ORIGINAL], store, device, network_file)
    chosen = choose_images(load_forget_set(forget_set).forget, store.labels, count)
    maps, probabilities = [], []
    for row, folder in runs.items():
        models.load_weights(folder / MODEL, network)
        reduced_first = protocol.has("R2") and row not in (ORIGINAL, GOLD)
        shown = Images(store, use, device.torch, chosen, reduced_first).take(chosen)
        (batch,) = shown.in_order(len(chosen))
        place = models.last_map(architecture, network, batch.images[:1])
        if place is None:
            maps.append(np.zeros((len(chosen), 0, 0), dtype=np.float32))
            said = true_class(network, batch)
        else:
            with place as layer:
                found, said = grad_cam(network, layer, batch)
            maps.append(found)
        probabilities.append(said)
        log.info("%s: true class %s", row, "  ".join(f"{value:.3f}" for value in said))
    has_maps = bool(maps[0].size)
    if not has_maps:
        log.warning(
            "%s has no map of an image, so where it looks cannot be told", architecture.model
        )
    pixels = (batch.images * shown.std + shown.mean).mul(255).round().byte().movedim(1, -1)
    of_images = store.labels[chosen]
    maps_file.save(
        out,
        Explanations(
            rows=np.array(list(runs)),
            collapsed=np.array([collapse.why_by(outcome) for outcome in outcomes.values()]),
            maps=np.stack(maps),
            probabilities=np.stack(probabilities),
            pixels=pixels.cpu().numpy(),
            indices=chosen,
            labels=of_images,
            classes=np.array([store.classes[label] for label in of_images]),
        ),
    )
    read = [folder / name for folder in runs.values() for name in (MODEL, RECORD)]
    device.note_memory()
    write_record(
        out.with_suffix(".json"),
        kind="gradcam",
        modules=[__name__, *models.modules_of(architecture)],
        about={**labels, "protocol": protocol.name},
        settings={"images": count, "rows": list(runs)},
        inputs=[store_folder / "source.json", forget_set, *read],
        outputs=[out],
        hardware=device.hardware,
        device_memory=device.peak_memory,
        notes={
            "chosen": {"rule": RULE, "indices": chosen.tolist()},
            **({} if has_maps else {"maps": "none: the network has no map of an image"}),
        },
    )


def _outcome(record: Path) -> str:
    try:
        return str(read_record(record).content["notes"]["outcome"])
    except (KeyError, TypeError) as error:
        raise LotusError(
            f"{shown(record)}: is not the record of a model: it lacks {error}"
        ) from error


def choose_images(forget: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Forget images to show: the first of each class by index, then the second of each, and so on.

    So of different classes as far as there are, and the first ones where a class is forgotten.

    Args:
        forget: int64 `[n]`, indices into the store.
        labels: int64, of the whole store.
        count: as many, or all if there are fewer.

    """
    ordered = np.sort(forget)
    rank = np.zeros(len(ordered), dtype=np.int64)
    for label in np.unique(labels[ordered]):
        here = labels[ordered] == label
        rank[here] = np.arange(here.sum())
    return ordered[np.lexsort((ordered, rank))][:count]


def grad_cam(network: nn.Module, layer: nn.Module, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Grad-CAM of a batch's labels, and what the network says of them.

    ReLU(Σ_d w_d A_d), A what the layer gives, `[D, h, w]`, and w_d the mean over h × w of the derivative
    of the label's logit by A_d (Selvaraju et al., ICCV 2017).

    Args:
        layer: module of the network with an output `[b, D, h, w]`; see `lotus.models.last_map`.

    Returns:
        Maps float32 `[b, h, w]`, not normalised; probabilities float32 `[b]`.

    """
    from captum.attr import LayerGradCam

    explained = LayerGradCam(network, layer)
    found = explained.attribute(batch.images, batch.labels, relu_attributions=True)
    return found[:, 0].detach().float().cpu().numpy(), true_class(network, batch)


def true_class(network: nn.Module, batch: Batch) -> np.ndarray:
    """Returns the probabilities, float32 `[b]`, that a network gives the labels of a batch."""
    with torch.no_grad():
        said = network(batch.images).float().softmax(1).gather(1, batch.labels[:, None])
    found: np.ndarray = said[:, 0].cpu().numpy()
    return found
