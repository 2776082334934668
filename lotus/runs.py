"""One run = one model: made, asked for its predictions, and recorded.

A run's folder holds `model.safetensors`, `predictions.npz` and, written last, `run.json`.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from lotus import inference, models, predictions
from lotus.data.batches import Images, ImageSet
from lotus.data.splits import ForgetSet, HeldOut, load_forget_set, load_held_out
from lotus.data.store import Store, open_store
from lotus.device import Device, prepare
from lotus.errors import LotusError
from lotus.methods import base
from lotus.predictions import Split
from lotus.provenance import Stopwatch, write_record
from lotus.settings import ARCHITECTURE, Architecture, Augmentation
from lotus.training import train

log = logging.getLogger(__name__)

MODEL, PREDICTIONS, RECORD = "model.safetensors", "predictions.npz", "run.json"


@dataclass(frozen=True)
class Inputs:
    """Files that a run reads; `forget_set` is None for the original model."""

    store: Path
    held_out: Path
    forget_set: Path | None = None

    def files(self) -> list[Path]:
        """What the record hashes; the store's digest is in its `verified` record."""
        chosen = [self.forget_set] if self.forget_set is not None else []
        return [self.store / "source.json", self.held_out, *chosen]


@dataclass(frozen=True)
class Run:
    """Identity and place of a run.

    Attributes:
        out: the run's folder.
        seed: of everything random in it, by named purposes.
        labels: data set, architecture, scenario, …: for the record only.

    """

    out: Path
    seed: int
    device: str
    threads: int
    labels: Mapping[str, Any] = field(default_factory=dict)


class EpochLog:
    """Keeps the report of each epoch; shows it as a bar on a terminal, as a line in a log."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.epochs: list[dict[str, float]] = []
        self._bar: tqdm[Any] | None = None

    def __call__(self, epoch: int, of: int, report: Mapping[str, float]) -> None:
        """Takes the report of one epoch (see `Progress`)."""
        self.epochs.append({"epoch": epoch, **{k: float(f"{v:.6g}") for k, v in report.items()}})
        values = "  ".join(f"{key} {value:.4g}" for key, value in report.items())
        if not sys.stderr.isatty():
            log.info("%s  epoch %d/%d  %s", self.what, epoch + 1, of, values)
            return
        if self._bar is None:
            self._bar = tqdm(total=of, desc=self.what, unit="epoch")
        self._bar.set_postfix_str(values, refresh=False)
        self._bar.update()
        if epoch + 1 == of:
            self._bar.close()


def derive_seed(seed: int, purpose: str) -> int:
    """A seed for one purpose (`weights`, `batches`, …), so that each has a stream of its own."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:6], "big")


def train_run(
    kind: str,
    inputs: Inputs,
    run: Run,
    architecture: Architecture,
    augmentation: Augmentation,
) -> None:
    """Trains the original model (on all training images) or the gold model (without the forget set).

    Both start from the same fresh weights of the seed.
    """
    clock, device = _start(run)
    with clock.phase("prepare"):
        store, held_out, chosen = _read(inputs)
        images = Images(store, augmentation, device.torch)
        trained_on = images.take(store.part("train") if chosen is None else chosen.retain)
        shape = store.images.shape
        model = models.build(
            architecture,
            (shape[3], shape[1], shape[2]),
            len(store.classes),
            derive_seed(run.seed, "weights"),
        ).to(device.torch)
    settings = {
        "architecture": architecture.model_dump(),
        "augmentation": augmentation.model_dump(),
    }
    log.info("%s: %s", kind, json.dumps({**settings, "seed": run.seed, **device.hardware}))
    epochs = EpochLog(kind)
    with clock.phase("train"):
        generator = _generator(run, "batches", device)
        best = train(
            model,
            trained_on,
            images.take(held_out.val),
            architecture.training,
            generator,
            epochs,
        )
    notes = {"epochs": epochs.epochs, "weights_of_epoch": best, "images": len(trained_on)}
    _finish(
        kind,
        inputs,
        run,
        device,
        clock,
        model,
        _splits(images, store, held_out, chosen),
        settings=settings,
        modules=[__name__, models.module_of(architecture)],
        extra=[],
        notes=notes,
    )


def unlearn_run(
    inputs: Inputs,
    run: Run,
    original: Path,
    method_name: str,
    hyperparameters: Mapping[str, Any],
) -> None:
    """Applies a method to an original model.

    Args:
        original: folder of the original's run; its record says how to build the model.
        hyperparameters: the method's fields; defaults for the rest.

    """
    method = base.make(method_name, hyperparameters)
    clock, device = _start(run)
    with clock.phase("prepare"):
        store, held_out, chosen = _read(inputs)
        if chosen is None:
            raise LotusError("unlearning needs a forget set")
        architecture, augmentation = _settings_of(original)
        images = Images(store, augmentation, device.torch)
        shape = store.images.shape
        model = models.build(
            architecture, (shape[3], shape[1], shape[2]), len(store.classes), seed=0
        )
        models.load_weights(original / MODEL, model)
        model.to(device.torch).eval()
    settings = {"method": method_name, "hyperparameters": base.hyperparameters(method)}
    log.info("unlearn: %s", json.dumps({**settings, "seed": run.seed, **device.hardware}))
    epochs = EpochLog(method_name)
    task = base.Task(
        original=model,
        forget=images.take(chosen.forget),
        retain=images.take(chosen.retain),
        val=images.take(held_out.val),
        num_classes=len(store.classes),
        class_forgetting=is_class_forgetting(store, chosen),
        generator=_generator(run, "unlearn", device),
        progress=epochs,
    )
    with clock.phase("unlearn"):
        unlearned = method.unlearn(task)
    notes = {"epochs": epochs.epochs, "forget_set": {"rule": chosen.rule, "digest": chosen.digest}}
    modules = [__name__, base.module_of(method_name), models.module_of(architecture)]
    _finish(
        "unlearned",
        inputs,
        run,
        device,
        clock,
        unlearned,
        _splits(images, store, held_out, chosen),
        settings=settings,
        modules=modules,
        extra=[original / MODEL, original / RECORD],
        notes=notes,
    )


def is_class_forgetting(store: Store, chosen: ForgetSet) -> bool:
    """Whether the forget set is all there is of one or more classes."""
    forgotten = set(store.labels[chosen.forget].tolist())
    return forgotten.isdisjoint(store.labels[chosen.retain].tolist())


def load_optimizers() -> None:
    """Has torch load its compiler, which the first optimizer of a process does, for over a second.

    Not part of any method's time.
    """
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def _start(run: Run) -> tuple[Stopwatch, Device]:
    device = prepare(run.device, run.threads)
    load_optimizers()
    return Stopwatch(device.synchronize), device


def _read(inputs: Inputs) -> tuple[Store, HeldOut, ForgetSet | None]:
    chosen = load_forget_set(inputs.forget_set) if inputs.forget_set is not None else None
    return open_store(inputs.store), load_held_out(inputs.held_out), chosen


def _settings_of(original: Path) -> tuple[Architecture, Augmentation]:
    try:
        record = json.loads((original / RECORD).read_text(encoding="utf-8"))
        settings = record["settings"]
        return ARCHITECTURE.validate_python(settings["architecture"]), Augmentation(
            **settings["augmentation"]
        )
    except OSError as error:
        raise LotusError(f"{original / RECORD}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise LotusError(f"{original / RECORD}: not the record of an original model") from error


def _generator(run: Run, purpose: str, device: Device) -> torch.Generator:
    return torch.Generator(device.torch).manual_seed(derive_seed(run.seed, purpose))


def _splits(
    images: Images, store: Store, held_out: HeldOut, chosen: ForgetSet | None
) -> dict[str, tuple[ImageSet, Any]]:
    """The image sets that predictions are recorded of, with their indices."""
    if chosen is None:
        parts = {"train": store.part("train"), **asdict(held_out)}
    else:
        parts = {"forget": chosen.forget, "retain": chosen.retain, **asdict(held_out)}
    return {name: (images.take(indices), indices) for name, indices in parts.items()}


def _finish(
    kind: str,
    inputs: Inputs,
    run: Run,
    device: Device,
    clock: Stopwatch,
    model: nn.Module,
    splits: Mapping[str, tuple[ImageSet, Any]],
    *,
    settings: Mapping[str, Any],
    modules: Sequence[str],
    extra: Sequence[Path],
    notes: Mapping[str, Any],
) -> None:
    """Saves the model, records its predictions, and last of all writes the record."""
    with clock.phase("predict"):
        said = {
            name: Split(inference.logits(model, part), part.labels.cpu().numpy(), indices)
            for name, (part, indices) in splits.items()
        }
    (run.out / RECORD).unlink(missing_ok=True)
    models.save_weights(run.out / MODEL, model)
    predictions.save(run.out / PREDICTIONS, said)
    write_record(
        run.out / RECORD,
        kind=kind,
        modules=modules,
        about={**run.labels, "seed": run.seed},
        settings=settings,
        inputs=[*inputs.files(), *extra],
        outputs=[run.out / MODEL, run.out / PREDICTIONS],
        seconds=clock.seconds,
        hardware=device.hardware,
        device_memory=device.peak_memory,
        notes=notes,
    )
    log.info("wrote %s  %s", run.out, json.dumps(clock.seconds))
