"""How models compute: precision, memory format, compilation and determinism, as a run declares them.

A choice of the run like its device, not of the experiment: it is recorded with the run, and a change of
it alone makes no run stale. Nothing here needs torch, so that audits can read what records say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lotus.errors import LotusError, choices

Precision = Literal["fp32", "tf32", "bf16"]
Switch = Literal["on", "off"]
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "precision": ("fp32", "tf32", "bf16"),
    "channels_last": ("on", "off"),
    "compile": ("on", "off"),
    "cuda_graphs": ("on", "off"),
    "deterministic": ("on", "off"),
}
"""Choice → its values, the default one first but for those that are off."""
DEFAULT = "default"
"""How a runtime without any choice is written."""


@dataclass(frozen=True)
class Runtime:
    """The declared runtime of a run.

    Attributes:
        precision: `fp32`; `tf32`: products of float32 matrices and convolutions by TF32 (CUDA alone);
            `bf16`: the network under autocast, while weights, logits, losses and files stay float32.
        channels_last: whether convolutions see their images channels last in memory.
        compile: whether the network's forward goes through `torch.compile`.
        cuda_graphs: whether the compiled forward and backward are replayed as CUDA graphs.
        deterministic: whether arithmetic is repeatable to the last bit; else cuDNN takes what it measures
            to be fastest, and trainings take fused optimizers on CUDA.

    """

    precision: Precision = "fp32"
    channels_last: Switch = "on"
    compile: Switch = "off"
    cuda_graphs: Switch = "off"
    deterministic: Switch = "on"

    @property
    def stated(self) -> dict[str, str]:
        """All choices, as a record's `hardware` has them."""
        return asdict(self)

    @property
    def changes_networks(self) -> bool:
        """Whether networks compute otherwise than they were built; the rest are flags of the process."""
        return self != Runtime(precision=self._flag, deterministic=self.deterministic)

    @property
    def _flag(self) -> Precision:
        return self.precision if self.precision == "tf32" else "fp32"

    def __str__(self) -> str:
        """The choices that are not the default, as `--runtime` takes them; `default` if there are none."""
        return said_in(self.stated)

    def refuse_without_cuda(self) -> None:
        """Raises a LotusError if one of the choices needs a GPU, to be called where none is used."""
        for key, value in (("precision", "tf32"), ("cuda_graphs", "on")):
            if getattr(self, key) == value:
                others = [it for it in ACCEPTED[key] if it != value]
                raise LotusError(
                    f"runtime {key}={value} needs CUDA, and models run on the processor here; accepted "
                    f"there: {key}={' or '.join(others)}"
                )


DEFAULT_RUNTIME = Runtime()


def parse(text: str) -> Runtime:
    """Reads `precision=bf16 compile=on` (commas do as well); what is not named has its default.

    Raises:
        LotusError: a choice or a value that there is not, one that is given twice, or two that do not go
            together.

    """
    chosen: dict[str, Any] = {}
    words = [word for word in re.split(r"[\s,]+", text.strip()) if word]
    for word in [] if words == [DEFAULT] else words:
        key, _, value = word.partition("=")
        if key not in ACCEPTED:
            raise LotusError(
                f"runtime {word!r}: there is no choice {key!r}; {choices(key, map(_form, ACCEPTED))}"
            )
        if value not in ACCEPTED[key]:
            raise LotusError(f"runtime {word!r}: accepted: {_form(key)}")
        if key in chosen:
            raise LotusError(f"runtime {text!r}: {key} is given twice")
        chosen[key] = value
    found = Runtime(**chosen)
    if found.cuda_graphs == "on" and found.compile == "off":
        raise LotusError(
            f"runtime {text!r}: cuda_graphs=on records what torch.compile makes; accepted with compile=on"
        )
    return found


def _form(key: str) -> str:
    return f"{key}={'|'.join(ACCEPTED[key])}"


def stated_in(hardware: Mapping[str, Any]) -> dict[str, str]:
    """The choices that a record's `hardware` states; those of older records are the defaults."""
    return {key: str(hardware.get(key, default)) for key, default in DEFAULT_RUNTIME.stated.items()}


def device_in(hardware: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a record's `hardware` states of the device: its type and name.

    Older records have a GPU's number besides, which told one of several equal ones.
    """
    found = {key: hardware[key] for key in ("device", "device_name") if key in hardware}
    if "device" in found:
        found["device"] = str(found["device"]).partition(":")[0]
    return found


def said_in(hardware: Mapping[str, Any]) -> str:
    """The same in words: what is not the default, or `default`."""
    usual = DEFAULT_RUNTIME.stated
    chosen = [f"{key}={value}" for key, value in stated_in(hardware).items() if value != usual[key]]
    return ",".join(chosen) or DEFAULT
