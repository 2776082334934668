"""One run is one model: what a run reads, where it writes, and what its seed decides.

A run's folder holds `model.safetensors`, `predictions.npz` and, written last, `run.json`.
"""

import hashlib
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from tqdm import tqdm

from lotus import layout
from lotus.config.protocol import CORRECTED, Protocol
from lotus.config.seeds import AXIS_OF, seed_of
from lotus.data.splits import ForgetSet, HeldOut, load_forget_set, load_held_out
from lotus.data.store import Store, open_store
from lotus.engine.device import Device, prepare
from lotus.engine.runtime import DEFAULT_RUNTIME, Runtime
from lotus.records.stopwatch import Stopwatch

log = logging.getLogger(__name__)

MODEL, PREDICTIONS, RECORD = layout.MODEL_FILE, layout.PREDICTIONS_FILE, layout.RUN_RECORD
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Inputs:
    """Files that a run reads; `forget_set` is None for the original model.

    `half`: of the training images, which an original model is trained on instead of all.

    `calibration`: another store, whose images a method gets in place of validation images.
    """

    store: Path
    held_out: Path
    forget_set: Path | None = None
    calibration: Path | None = None
    half: Path | None = None

    def files(self) -> list[Path]:
        """Returns the files that the record hashes; a store's digest is in its `verified` record."""
        chosen = [self.forget_set] if self.forget_set is not None else []
        synthetic = [self.calibration / "source.json"] if self.calibration is not None else []
        half = [self.half] if self.half is not None else []
        return [self.store / "source.json", self.held_out, *half, *chosen, *synthetic]


@dataclass(frozen=True)
class Run:
    """Identity and place of a run.

    Attributes:
        out: the run's folder.
        seed: of everything random in it, by named purposes.
        labels: data set, architecture, scenario, …: for the record only.
        protocol: which behaviours of the published code are on.
        checkpoint_every: seconds between two checkpoints of a training, at least; 0: after each epoch.
        runtime: in what precision, compiled or not, and so on.
        again: of a further gold its number: it has other first weights and batches than gold; else 0.
        kept: the share of the forget set that it is trained on all the same; of gold none.
        in_train_mode: whether it is asked with BatchNorm in train mode.
        seeds_apart: kinds of randomness (`lotus.config.seeds`) with a seed of their own.

    """

    out: Path
    seed: int
    device: str
    threads: int
    labels: Mapping[str, Any] = field(default_factory=dict)
    protocol: Protocol = CORRECTED
    checkpoint_every: float = 60.0
    runtime: Runtime = DEFAULT_RUNTIME
    again: int = 0
    kept: float = 0.0
    in_train_mode: bool = False
    seeds_apart: Mapping[str, int] = field(default_factory=dict)

    def derived_seed(self, purpose: str) -> int:
        """Returns the seed of one purpose, of the kind of randomness that it is of."""
        axis = AXIS_OF[purpose.partition("/")[0]]
        return derive_seed(seed_of(self.seed, self.seeds_apart, axis), purpose)

    @property
    def apart(self) -> dict[str, dict[str, int]]:
        """Returns what its record says of seeds apart: nothing where there are none."""
        return {"seeds_apart": dict(self.seeds_apart)} if self.seeds_apart else {}

    def training_purpose(self, purpose: str) -> str:
        """Names the stream of randomness of a purpose of training: each further gold has its own."""
        return f"{purpose}/again-{self.again}" if self.again else purpose


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


def load_optimizers() -> None:
    """Has torch load its compiler, which the first optimizer of a process does, for over a second.

    Not part of any method's time.
    """
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


ALIKE = ("dataset", "architecture", "row")
"""Labels of models that take about the same memory."""


def alike(what: str, labels: Mapping[str, Any]) -> Sequence[str]:
    """Returns what jobs have in common whose models take about the same memory; nothing without labels.

    Args:
        what: the job does, as `unlearn`.

    """
    names = [str(labels[key]) for key in ALIKE if key in labels]
    return [what, *names] if names else []


def start(run: Run, what: str) -> tuple[Stopwatch, Device]:
    """The device of a run, and a clock that waits for it.

    Args:
        what: the run does, as `unlearn`.

    """
    device = prepare(run.device, run.threads, run.runtime, alike(what, run.labels))
    load_optimizers()
    return Stopwatch(device.synchronize), device


def read_inputs(inputs: Inputs) -> tuple[Store, HeldOut, ForgetSet | None]:
    """Opens the files that every run reads."""
    chosen = load_forget_set(inputs.forget_set) if inputs.forget_set is not None else None
    return open_store(inputs.store), load_held_out(inputs.held_out), chosen


def seed_layers(run: Run, purpose: str) -> None:
    """Seeds what layers draw by themselves (dropout, stochastic depth), which takes no generator."""
    torch.manual_seed(run.derived_seed(f"{purpose}/layers"))


def generator_of(run: Run, purpose: str, device: Device) -> torch.Generator:
    """Randomness of one purpose, on the device: it follows from the seeds of the run alone."""
    return torch.Generator(device.torch).manual_seed(run.derived_seed(purpose))
