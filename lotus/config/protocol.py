"""Two protocols and the named switches between them.

`corrected`: every method as its own paper defines it, textbook metrics. `released`: as the published
code of the LoTUS paper behaves (commit 35ae25e of its repository). Each difference between them is a
switch below; `released` turns all on, `corrected` none, and a protocol may deviate from either by single
switches: `corrected+m1`, `released-e1-e2`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from lotus.errors import LotusError, choices

Stage = Literal["training", "method", "evaluation", "metrics", "time"]
Base = Literal["corrected", "released"]


SWITCHES: dict[str, Stage] = {
    "T1": "training",
    "T2": "method",
    "M1": "method",
    "M2": "method",
    "M3": "method",
    "M4": "method",
    "M5": "method",
    "M6": "method",
    "M7": "method",
    "M8": "method",
    "M9": "method",
    "E1": "evaluation",
    "E2": "evaluation",
    "E3": "metrics",
    "E4": "metrics",
    "E5": "metrics",
    "E6": "metrics",
    "R1": "time",
    "R2": "method",
}
"""Switch → what it changes: the weights of original and gold, those of a method, the predictions that are
recorded, the numbers made of them, or the time that is stated. Ids as in the project's analysis of the
published code; T2 and E6 were added by this project. What each does is said in `lotus.config.register`."""


@dataclass(frozen=True)
class Protocol:
    """A base and the switches in which it deviates from it.

    Attributes:
        deviations: switches that stand otherwise than in the base.

    """

    base: Base = "corrected"
    deviations: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """`corrected`, `released`, `corrected+e1`, `released-m2-e1`, …"""
        sign = "+" if self.base == "corrected" else "-"
        ordered = (switch for switch in SWITCHES if switch in self.deviations)
        return self.base + "".join(f"{sign}{switch.lower()}" for switch in ordered)

    @property
    def on(self) -> frozenset[str]:
        """Switches that are on."""
        started = frozenset(SWITCHES) if self.base == "released" else frozenset()
        return started ^ self.deviations

    def has(self, switch: str) -> bool:
        """Whether the published behaviour `switch` is on.

        Raises:
            KeyError: the register has no such switch.

        """
        if switch not in SWITCHES:
            raise KeyError(switch)
        return switch in self.on

    def limited_to(self, switches: frozenset[str]) -> "Protocol":
        """The protocol as far as these switches tell it from its base."""
        return Protocol(self.base, self.deviations & switches)


CORRECTED, RELEASED = Protocol("corrected"), Protocol("released")


def of_stage(*stages: Stage) -> frozenset[str]:
    """Switches of these stages."""
    return frozenset(name for name, stage in SWITCHES.items() if stage in stages)


def parse(name: str) -> Protocol:
    """The protocol of this name.

    Raises:
        LotusError: no such protocol; says what is accepted.

    """
    base, *signed = re.split(r"(?=[+-])", name)
    if base not in ("corrected", "released"):
        raise LotusError(f"unknown protocol '{name}'; {FORM}; {choices(base, BASES)}")
    sign = "+" if base == "corrected" else "-"
    deviations = [part[1:].upper() for part in signed]
    for part, switch in zip(signed, deviations, strict=True):
        if part[0] != sign or switch not in SWITCHES:
            known = [known.lower() for known in SWITCHES]
            raise LotusError(f"protocol '{name}': '{part}': {FORM}; {choices(part[1:], known)}")
    if len(set(deviations)) < len(deviations):
        raise LotusError(f"protocol '{name}': it names a switch twice; {FORM}")
    return Protocol("corrected" if base == "corrected" else "released", frozenset(deviations))


BASES = ("corrected", "released")
FORM = "a protocol is corrected, released, corrected+SWITCH… or released-SWITCH…"
