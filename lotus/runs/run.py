"""One run = one model: made, asked for its predictions, and recorded.

A run's folder holds `model.safetensors`, `predictions.npz` and, written last, `run.json`.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from math import isfinite
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from lotus import models
from lotus.config.protocol import CORRECTED, Protocol, of_stage, parse
from lotus.config.settings import ARCHITECTURE, Architecture, Dataset, ViTB16
from lotus.data.batches import Images, ImageSet, View
from lotus.data.calibration import Calibration, open_calibration
from lotus.data.splits import ForgetSet, HeldOut, load_forget_set, load_held_out
from lotus.data.store import Store, open_store
from lotus.engine import inference
from lotus.engine.checkpoint import Checkpoint, key_of
from lotus.engine.device import Device, prepare
from lotus.engine.training import Progress, train
from lotus.errors import LotusError
from lotus.methods import base, checks
from lotus.names import shown
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import ATTACKED, CALIBRATION, Split
from lotus.records.code_identity import package_digest
from lotus.records.reading import read_record
from lotus.records.record import Stopwatch, sha256, versions, write_record

log = logging.getLogger(__name__)

MODEL, PREDICTIONS, RECORD = "model.safetensors", "predictions.npz", "run.json"
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Inputs:
    """Files that a run reads; `forget_set` is None for the original model.

    `calibration`: another store, whose images a method gets in place of validation images.
    """

    store: Path
    held_out: Path
    forget_set: Path | None = None
    calibration: Path | None = None

    def files(self) -> list[Path]:
        """What the record hashes; a store's digest is in its `verified` record."""
        chosen = [self.forget_set] if self.forget_set is not None else []
        synthetic = [self.calibration / "source.json"] if self.calibration is not None else []
        return [self.store / "source.json", self.held_out, *chosen, *synthetic]


@dataclass(frozen=True)
class Run:
    """Identity and place of a run.

    Attributes:
        out: the run's folder.
        seed: of everything random in it, by named purposes.
        labels: data set, architecture, scenario, …: for the record only.
        protocol: which behaviours of the published code are on.
        checkpoint_every: seconds between two checkpoints of a training, at least; 0: after each epoch.

    """

    out: Path
    seed: int
    device: str
    threads: int
    labels: Mapping[str, Any] = field(default_factory=dict)
    protocol: Protocol = CORRECTED
    checkpoint_every: float = 60.0


class EpochLog:
    """Keeps the report of each epoch; shows it as a bar on a terminal, as a line in a log.

    Attributes:
        epochs: the reports, each with the seconds that had passed, those of killed processes included.
        resumed_after: numbers of epochs after which it was taken up from a checkpoint.
        earlier: seconds that had passed then.

    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.epochs: list[dict[str, float | None]] = []
        self.resumed_after: list[int] = []
        self.earlier = 0.0
        self._start = monotonic()
        self._bar: tqdm[Any] | None = None

    def __call__(self, epoch: int, of: int, report: Mapping[str, float]) -> None:
        """Takes the report of one epoch (see `Progress`)."""
        # JSON has no NaN, which a diverging method reports.
        told = {k: float(f"{v:.6g}") if isfinite(v) else None for k, v in report.items()}
        self.epochs.append({"epoch": epoch, **told, "seconds": self._seconds()})
        values = "  ".join(f"{key} {value:.4g}" for key, value in report.items())
        if not sys.stderr.isatty():
            log.info("%s  epoch %d/%d  %s", self.what, epoch + 1, of, values)
            return
        if self._bar is None:
            self._bar = tqdm(total=of, initial=epoch, desc=self.what, unit="epoch")
        self._bar.set_postfix_str(values, refresh=False)
        self._bar.update()
        if epoch + 1 == of:
            self._bar.close()

    def _seconds(self) -> float:
        return round(self.earlier + monotonic() - self._start, 3)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "epochs": self.epochs,
            "resumed_after": self.resumed_after,
            "seconds": self._seconds(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a checkpoint was written."""
        self.epochs, self.earlier = state["epochs"], state["seconds"]
        self.resumed_after = [*state["resumed_after"], len(self.epochs)]
        log.info("%s  resumed after epoch %d", self.what, len(self.epochs))


def derive_seed(seed: int, purpose: str) -> int:
    """A seed for one purpose (`weights`, `batches`, …), so that each has a stream of its own."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:6], "big")


def train_run(
    kind: str,
    inputs: Inputs,
    run: Run,
    architecture: Architecture,
    use: Dataset,
    weights_of: Path | None = None,
) -> None:
    """Trains the original model (on all training images) or the gold model (without the forget set).

    Both start from the same weights: fresh ones of the seed, in a pretrained architecture its head alone.
    A training that was killed goes on from its checkpoint.

    Args:
        weights_of: another run with the same weights, of which only predictions are to be made anew.

    """
    clock, device = start(run)
    with clock.phase("prepare"):
        store, held_out, chosen = _read(inputs)
        trained_on = store.part("train") if chosen is None else chosen.retain
        reach = np.concatenate([trained_on, held_out.val])
        images = Images(store, use, device.torch, reach)
        begun = architecture if weights_of is None else models.without_weights(architecture)
        model = _build(store, begun, use, derive_seed(run.seed, "weights"), device)
        pretrained = models.weights_files(begun)
    settings = {
        "architecture": architecture.model_dump(),
        "images": use.model_dump(),
        "protocol": run.protocol.name,
    }
    log.info("%s: %s", kind, json.dumps({**settings, "seed": run.seed, **device.hardware}))
    notes: dict[str, Any] = {"images": len(trained_on)}
    key = _training_key(settings, run.seed, [*inputs.files(), *pretrained], device)
    epochs = EpochLog(kind)
    checkpoint = Checkpoint(run.out / CHECKPOINT, key, run.checkpoint_every, epochs)
    if weights_of is None:
        with clock.phase("train"), checks.telling(f"training of the {kind} model"):
            best = train(
                model,
                images.take(trained_on),
                images.take(held_out.val),
                architecture.training,
                _generator(run, "batches", device),
                epochs,
                keep_last=run.protocol.has("T1"),
                checkpoint=checkpoint,
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
    else:
        mine = {**settings, "seed": run.seed}
        del mine["protocol"]
        notes |= _take_over(weights_of, mine, inputs.files(), model)
        clock.seconds["train"] = notes.pop("seconds").get("train", 0.0)
    _finish(
        kind,
        inputs,
        run,
        device,
        clock,
        model.eval(),
        _Asked(store, use, held_out, chosen),
        settings=settings,
        modules=[__name__, models.module_of(architecture)],
        extra=[weights_of / MODEL] if weights_of is not None else pretrained,
        notes=notes,
    )
    checkpoint.remove()


def _training_key(
    settings: Mapping[str, Any], seed: int, read: Sequence[Path], device: Device
) -> str:
    """What a checkpoint belongs to: all that the weights depend on, down to their last bits."""
    return key_of(
        {
            "settings": settings,
            "seed": seed,
            "inputs": [sha256(path) for path in read],
            "device": [device.torch.type, device.hardware["device_name"], device.threads],
            "code": package_digest(),
            "versions": versions(),
        }
    )


@dataclass(frozen=True)
class Bench:
    """An original model and the images of a scenario, loaded: what methods are applied to.

    `images` holds those that a method may see: neither test images nor gold exist in this process while
    a method works. With a calibration set, `val` is of that and validation images are not there either.
    """

    store: Store
    held_out: HeldOut
    chosen: ForgetSet
    architecture: Architecture
    use: Dataset
    images: Images
    val: ImageSet
    calibration: Calibration | None
    original: nn.Module
    device: Device

    def task(self, run: Run, progress: Progress, preparing: Any = nullcontext) -> base.Task:
        """The task of one run."""
        return base.Task(
            original=self.original,
            forget=self.images.take(self.chosen.forget),
            retain=self.images.take(self.chosen.retain),
            val=self.val,
            num_classes=len(self.store.classes),
            class_forgetting=is_class_forgetting(self.store, self.chosen),
            generator=_generator(run, "unlearn", self.device),
            progress=progress,
            # Not a closure over the store, through which a method could read test images.
            untrained=partial(
                _network,
                _incompetent(self.architecture, run.protocol),
                _seen_shape(self.store, self.use),
                len(self.store.classes),
                derive_seed(run.seed, "untrained"),
                self.device.torch,
            ),
            preparing=preparing,
            protocol=run.protocol,
        )


def set_up(inputs: Inputs, original: Path, device: Device, protocol: Protocol) -> Bench:
    """Loads an original model by its run's folder, and the images of a scenario.

    Raises:
        LotusError: no forget set, a file is absent or damaged, or calibration images are not like the
            store's.

    """
    store, held_out, chosen = _read(inputs)
    if chosen is None:
        raise LotusError("unlearning needs a forget set")
    architecture, use, model = load_original(original, store, device)
    reach = np.concatenate([chosen.forget, chosen.retain])
    reduced_first = protocol.has("R2")
    if inputs.calibration is None:
        calibration = None
        reach = np.concatenate([reach, held_out.val])
        images = Images(store, use, device.torch, reach, reduced_first)
        val = images.take(held_out.val)
    else:
        calibration = open_calibration(inputs.calibration, store, use)
        images = Images(store, use, device.torch, reach, reduced_first)
        val = calibration.images(use, device.torch, reduced_first).take(calibration.indices)
    return Bench(
        store, held_out, chosen, architecture, use, images, val, calibration, model, device
    )


def load_original(
    original: Path, store: Store, device: Device
) -> tuple[Architecture, Dataset, nn.Module]:
    """An original model by its run's folder: its architecture, how it is shown images, the model itself.

    Raises:
        LotusError: a file is absent or damaged.

    """
    architecture, use = _settings_of(original)
    model = _build(store, models.without_weights(architecture), use, 0, device)
    models.load_weights(original / MODEL, model)
    return architecture, use, model.eval()


def unlearn_run(
    inputs: Inputs,
    run: Run,
    original: Path,
    method_name: str,
    hyperparameters: Mapping[str, Any],
    weights_of: Path | None = None,
) -> None:
    """Applies a method to an original model.

    Args:
        original: folder of the original's run; its record says how to build the model.
        hyperparameters: the method's fields; for the rest the constants that switches of the protocol
            bring, and the method's defaults.
        weights_of: another run with the same weights, of which only predictions are to be made anew.

    """
    constants = base.constants(method_name, run.protocol)
    method = base.make(method_name, constants | dict(hyperparameters))
    clock, device = start(run)
    with clock.phase("prepare"):
        bench = set_up(inputs, original, device, run.protocol)
    settings = {
        "method": method_name,
        "hyperparameters": base.hyperparameters(method),
        "protocol": run.protocol.name,
    }
    if bench.calibration is not None:
        settings["calibration"] = bench.calibration.store.source["dataset"]
    log.info("unlearn: %s", json.dumps({**settings, "seed": run.seed, **device.hardware}))
    notes: dict[str, Any] = {
        "forget_set": {
            "rule": bench.chosen.rule,
            "digest": bench.chosen.digest,
            "images": len(bench.chosen.forget),
        }
    }
    if weights_of is None:
        epochs = EpochLog(method_name)
        progress = checks.CheckedProgress(method_name, epochs)
        task = bench.task(run, progress, lambda: clock.phase("method_prepare"))
        with clock.phase("unlearn"), checks.telling(f"method {method_name}"):
            unlearned = method.unlearn(task)
        clock.move("unlearn", "method_prepare")
        checks.check_returned(method_name, unlearned, task)
        saved = models.read_weights(original / MODEL)
        checks.check_original(method_name, bench.original, saved)
        notes |= {"epochs": epochs.epochs, "left_in_train_mode": unlearned.training}
    else:
        unlearned = bench.original
        mine = {"calibration": None, **settings, "seed": run.seed}
        mine["switches"] = _of_weights(run.protocol)
        del mine["protocol"]
        taken = _take_over(weights_of, mine, [*inputs.files(), original / MODEL], unlearned)
        seconds = taken.pop("seconds")
        notes |= taken
        unlearned.train(notes["left_in_train_mode"])
        for phase in ("unlearn", "method_prepare"):
            clock.seconds[phase] = seconds.get(phase, 0.0)
    if "R1" in base.entry_of(method_name).released:
        preparation = clock.seconds.get("method_prepare", 0.0)
        notes["minutes_released_r1"] = round(clock.seconds["unlearn"] / 60 + preparation, 4)
    modules = [__name__, base.module_of(method_name), models.module_of(bench.architecture)]
    also_read = [weights_of / MODEL] if weights_of is not None else []
    if weights_of is None and "M7" in base.entry_of(method_name).released:
        also_read = models.weights_files(_incompetent(bench.architecture, run.protocol))
    _finish(
        "unlearned",
        inputs,
        run,
        device,
        clock,
        unlearned,
        _Asked(bench.store, bench.use, bench.held_out, bench.chosen, bench.calibration),
        settings=settings,
        modules=modules,
        extra=[original / MODEL, original / RECORD, *also_read],
        notes=notes,
    )


def _build(
    store: Store, architecture: Architecture, use: Dataset, weights_seed: int, device: Device
) -> nn.Module:
    shape, classes = _seen_shape(store, use), len(store.classes)
    return _network(architecture, shape, classes, weights_seed, device.torch)


def _seen_shape(store: Store, use: Dataset) -> tuple[int, int, int]:
    """(C, H, W) of the images as models see them."""
    _, height, width, channels = store.images.shape
    return (channels, *View(use.resize, use.crop).shape(height, width))


def _network(
    architecture: Architecture,
    shape: tuple[int, int, int],
    classes: int,
    seed: int,
    device: torch.device,
) -> nn.Module:
    return models.build(architecture, shape, classes, seed).to(device)


def _incompetent(architecture: Architecture, protocol: Protocol) -> Architecture:
    """What a teacher that was never trained is: as released (M7), timm's ViT keeps its pretrained body."""
    if protocol.has("M7") and isinstance(architecture, ViTB16):
        return architecture
    return models.without_weights(architecture)


def _take_over(
    there: Path, mine: Mapping[str, Any], read: Sequence[Path], model: nn.Module
) -> dict[str, Any]:
    """Loads another run's weights, if they are those that this run would have.

    Args:
        mine: settings and seed that the other run must share.
        read: files that it must have read.

    Returns:
        Its notes, and under `seconds` its times.

    Raises:
        LotusError: it is a run with other settings, inputs or seed, or has no record.

    """
    record = read_record(there / RECORD)
    try:
        theirs = {**record["settings"], "seed": record["about"]["seed"]}
        theirs["switches"] = _of_weights(parse(record["settings"]["protocol"]))
        inputs, noted = {*record["inputs"].values()}, dict(record["notes"])
        seconds = dict(record["time"])
    except (KeyError, TypeError, ValueError, AttributeError, LotusError) as error:
        raise LotusError(f"{shown(there / RECORD)}: not the record of a model: {error}") from error
    for key, value in json.loads(json.dumps(mine)).items():
        if theirs.get(key) != value:
            raise LotusError(
                f"{there / RECORD}: {key} = {theirs.get(key)!r}, here {value!r}: its weights are not "
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
    )
    notes = {key: noted[key] for key in kept if key in noted}
    return {**notes, "weights_of": there.as_posix(), "seconds": seconds}


def _of_weights(protocol: Protocol) -> list[str]:
    return sorted(protocol.on & of_stage("training", "method"))


def is_class_forgetting(store: Store, chosen: ForgetSet) -> bool:
    """Whether the forget set is all there is of one or more classes."""
    forgotten = set(store.labels[chosen.forget].tolist())
    return forgotten.isdisjoint(store.labels[chosen.retain].tolist())


def load_optimizers() -> None:
    """Has torch load its compiler, which the first optimizer of a process does, for over a second.

    Not part of any method's time.
    """
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def start(run: Run) -> tuple[Stopwatch, Device]:
    """The device of a run, and a clock that waits for it."""
    device = prepare(run.device, run.threads)
    load_optimizers()
    return Stopwatch(device.synchronize), device


def _read(inputs: Inputs) -> tuple[Store, HeldOut, ForgetSet | None]:
    chosen = load_forget_set(inputs.forget_set) if inputs.forget_set is not None else None
    return open_store(inputs.store), load_held_out(inputs.held_out), chosen


def _settings_of(original: Path) -> tuple[Architecture, Dataset]:
    try:
        record = json.loads((original / RECORD).read_text(encoding="utf-8"))
        settings = record["settings"]
        return ARCHITECTURE.validate_python(settings["architecture"]), Dataset(**settings["images"])
    except OSError as error:
        raise LotusError(f"{shown(original / RECORD)}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LotusError(
            f"{shown(original / RECORD)}: not the record of an original model; --original is the folder "
            "of its run"
        ) from error


def _generator(run: Run, purpose: str, device: Device) -> torch.Generator:
    return torch.Generator(device.torch).manual_seed(derive_seed(run.seed, purpose))


@dataclass(frozen=True)
class _Asked:
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
    """What the model says of each split, as the protocol records it.

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


NEAR_CHANCE = 0.05


def collapse_of(model: nn.Module, retain: ImageSet) -> str:
    """Why a model is of no use: weights that are not finite, or retain accuracy near chance; else ''.

    Near chance: at most the share of the largest class, plus 5 % of what lies between it and 1.
    """
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            return f"{name} has values that are not finite"
    largest = int(torch.bincount(retain.labels).max()) / len(retain)
    limit = largest + NEAR_CHANCE * (1 - largest)
    found = float(inference.accuracy(model, retain))
    if largest < 1 and found <= limit:
        return f"retain accuracy {found:.3f} is near chance (at most {limit:.3f})"
    return ""


def _finish(
    kind: str,
    inputs: Inputs,
    run: Run,
    device: Device,
    clock: Stopwatch,
    model: nn.Module,
    asked: _Asked,
    *,
    settings: Mapping[str, Any],
    modules: Sequence[str],
    extra: Sequence[Path],
    notes: Mapping[str, Any],
) -> None:
    """Saves the model, records its predictions, and last of all writes the record."""
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
        generator = _generator(run, "evaluation", device)
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
        notes={"outcome": f"collapsed: {collapsed}" if collapsed else "sound", **notes},
    )
    log.info("wrote %s  %s", run.out, json.dumps(clock.seconds))
