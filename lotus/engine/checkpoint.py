"""A training's state on disk, so that one that is killed goes on where it was."""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import torch

from lotus.errors import LotusError
from lotus.formats.torch_archive import why_damaged
from lotus.names import shown
from lotus.records.files import atomic

log = logging.getLogger(__name__)


class Stateful(Protocol):
    """Anything that hands out its state and takes it back, as torch's modules and optimizers do."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers, texts, None, and lists and mappings of these."""

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Goes back to this state, which may lie on the CPU."""


class Checkpoint:
    """The one checkpoint of a run.

    Args:
        path: its file.
        key: names what it belongs to (`key_of`); a file with another key is not used.
        every: seconds that pass between two writings, at least; 0: it is written each time.
        report: whose state is kept with the training's.

    """

    def __init__(self, path: Path, key: str, every: float, report: Stateful) -> None:
        self._path, self._key, self._every, self._report = path, key, every, report
        self._written = monotonic()

    def resume(self, training: Stateful) -> None:
        """Takes `training` to where the file left it; without a file that can be used, nothing."""
        saved = self._read()
        if saved is None:
            return
        try:
            training.load_state_dict(saved["training"])
            self._report.load_state_dict(saved["report"])
        # What is whole but not what `offer` writes; the training is spoilt by then.
        except Exception as error:
            raise LotusError(
                f"{shown(self._path)}: is not a checkpoint of this training ({type(error).__name__}: "
                f"{' '.join(str(error).split())[:200]}); remove it to train from the beginning"
            ) from error

    def _read(self) -> dict[str, Any] | None:
        if not self._path.exists():
            return None
        try:
            if damage := why_damaged(self._path):
                raise LotusError(damage)
            saved = torch.load(self._path, map_location="cpu", weights_only=True)
            key = saved["key"]
        # Damaged pickles raise whatever their bytes happen to mean.
        except Exception as error:
            log.info("%s: damaged, not used: %s", self._path, str(error).partition("\n")[0])
            return None
        if key != self._key:
            log.info("%s: of other settings, inputs or code, not used", self._path)
            return None
        found: dict[str, Any] = saved
        return found

    def offer(self, training: Stateful) -> None:
        """Writes the state, if it is time."""
        if monotonic() - self._written < self._every:
            return
        state = {
            "key": self._key,
            "training": training.state_dict(),
            "report": self._report.state_dict(),
        }
        with atomic(self._path) as draft:
            torch.save(state, draft)
        self._written = monotonic()

    def remove(self) -> None:
        """Removes the file, and what was half-written when a process was killed."""
        for path in (self._path, *self._path.parent.glob(f".*-{self._path.name}")):
            path.unlink(missing_ok=True)


def key_of(what: Mapping[str, Any]) -> str:
    """Digest of all that the state of a training depends on (JSON values)."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
