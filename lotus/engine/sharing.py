"""How many models share a GPU: as many as one is told, or as many as have room by what was measured."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lotus.engine.lease import Gpu
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.files import write_json

VARIABLE = "LOTUS_GPU_SLOTS"
AUTO = "auto"
MOST = 99


def slots_wanted(variables: Mapping[str, str]) -> int | None:
    """Returns how many models may share a GPU; None: as many as have room.

    It is the user's variable and no option of a run, since it changes no result.

    Raises:
        LotusError: it is neither a number nor `auto`.

    """
    text = variables.get(VARIABLE, "1")
    if text == AUTO:
        return None
    if not re.fullmatch("[1-9][0-9]?", text):
        raise LotusError(
            f"{VARIABLE} = {shown(text)!r}: must be how many models may share a GPU, from 1 (the default: "
            f"each is alone) to {MOST}, or {AUTO}: as many as have room by what was measured"
        )
    return int(text)


@dataclass(frozen=True)
class Kind:
    """Models that take about the same memory, and what one of them was measured to take.

    Attributes:
        names: what is alike: the folder of the project, data set, architecture, row, …; none: unknown.
        folder: where it is noted for later jobs (`lotus.engine.lease.folder_of_user`).

    """

    names: tuple[str, ...]
    folder: Path

    def slots_on(self, gpu: Gpu) -> int:
        """Returns how many of them a GPU has room for: one, alone, where none was measured."""
        need = self.measured()
        return min(MOST, max(1, gpu.memory // need)) if need else 1

    def measured(self) -> int | None:
        """Returns the bytes that one took, the most of all; None where none was measured."""
        if not self.names or not self._file.exists():
            return None
        return int(json.loads(self._file.read_text(encoding="utf-8"))["bytes"])

    def note(self, taken: int) -> None:
        """Notes how many bytes of a GPU were taken while one of them was alone on it."""
        if self.names:
            most = max(taken, self.measured() or 0)
            write_json(self._file, {"names": self.names, "bytes": most})

    def forget(self) -> None:
        """Has the next of them measure anew, alone: there was no room by what was measured."""
        if self.names:
            self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        told = json.dumps(self.names).encode()
        return self.folder / f"memory-{hashlib.sha256(told).hexdigest()}.json"
