"""Two protocols and the named switches between them.

`corrected`: every method as its own paper defines it, textbook metrics. `released`: as the published
code of the LoTUS paper behaves (commit 35ae25e of its repository). Each difference between them is a
switch of the register below; `released` turns all on, `corrected` none, and a protocol may deviate
from either by single switches: `corrected+m1`, `released-e1-e2`.
"""

import re
from dataclasses import dataclass
from typing import Literal

from lotus.errors import LotusError, choices

Stage = Literal["training", "method", "evaluation", "metrics", "time"]
Base = Literal["corrected", "released"]


@dataclass(frozen=True)
class Switch:
    """One deviation of the published code.

    Attributes:
        stage: what it changes: the weights of original and gold, those of a method, the predictions
            that are recorded, the numbers made of them, or the time that is stated.
        where: the part it concerns, in the reader's words.
        released: what the published code does.

    """

    stage: Stage
    where: str
    released: str


REGISTER: dict[str, Switch] = {
    "T1": Switch(
        "training",
        "Original and gold",
        "early stopping keeps the weights of the last epoch run, not of the best one",
    ),
    "T2": Switch(
        "method",
        "Batches of every method",
        "the last, smaller batch is kept, however small",
    ),
    "M1": Switch(
        "method",
        "SCRUB",
        "the optimizer owns another copy than the one that is trained: the original is returned",
    ),
    "M2": Switch(
        "method",
        "NegGrad+",
        "the sign is flipped on empty gradients: plain training on the forget, then the retain set",
    ),
    "M3": Switch(
        "method",
        "SSD",
        "dampens again in every epoch; reference importance from class-ordered batches",
    ),
    "M4": Switch(
        "method",
        "UNSIR",
        "instance form for classes too; one noise step; noise clamped to [0, 1]; frozen crops",
    ),
    "M5": Switch(
        "method",
        "SalUn",
        "mask of 10 % in the forget pass alone; weights outside drift by decay, momentum and repair",
    ),
    "M6": Switch(
        "method",
        "SalUn+LoTUS",
        "class forgetting is not told; constants of its own (mask 10 %, α 2); off-mask decay",
    ),
    "M7": Switch(
        "method",
        "Bad Teacher",
        "batches not shuffled, forget images first; 10 epochs; loss also divided by the classes; a "
        "ViT-B/16 teacher is pretrained but for its head",
    ),
    "M8": Switch(
        "method",
        "LoTUS",
        "accuracies rounded to 2 decimals before temperature and exit; forget images augmented",
    ),
    "M9": Switch(
        "method",
        "Random Labeling",
        "labels drawn anew each epoch; a forget pass, then a retain pass, by SGD",
    ),
    "E1": Switch(
        "evaluation",
        "Membership attack",
        "comes first, image by image, in the mode the method left: in train mode each image is "
        "normalised by itself and BatchNorm's statistics are overwritten for all later numbers",
    ),
    "E2": Switch(
        "evaluation",
        "Forget and retain images",
        "are read with random augmentation in every evaluation",
    ),
    "E3": Switch(
        "metrics",
        "Rounding",
        "accuracies and MIA to 2 decimals per run, JSD and RF-JSD to 6; Avg Gap from rounded means",
    ),
    "E4": Switch(
        "metrics",
        "JSD and RF-JSD",
        "arguments of KL exchanged and the mean divided by the number of rows once more",
    ),
    "E5": Switch(
        "metrics",
        "MIA with a synthetic calibration set",
        "the synthetic images also replace the validation images among the non-members",
    ),
    "E6": Switch(
        "metrics",
        "MIA fit",
        "all retain images against test and validation images, classes weighted; the same test "
        "images are fitted on and reported",
    ),
    "R1": Switch(
        "time",
        "Bad Teacher, SalUn, SalUn+LoTUS",
        "seconds of preparation are added to minutes of unlearning",
    ),
    "R2": Switch(
        "method",
        "Resized images (ImageNet)",
        "images of unlearning runs are resized to the crop's size first, then enlarged and cropped; "
        "those of the original are not",
    ),
}
"""Ids as in the project's analysis of the published code; T2 and E6 were added by this project."""


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
        ordered = (switch for switch in REGISTER if switch in self.deviations)
        return self.base + "".join(f"{sign}{switch.lower()}" for switch in ordered)

    @property
    def on(self) -> frozenset[str]:
        """Switches that are on."""
        started = frozenset(REGISTER) if self.base == "released" else frozenset()
        return started ^ self.deviations

    def has(self, switch: str) -> bool:
        """Whether the published behaviour `switch` is on.

        Raises:
            KeyError: the register has no such switch.

        """
        if switch not in REGISTER:
            raise KeyError(switch)
        return switch in self.on

    def limited_to(self, switches: frozenset[str]) -> "Protocol":
        """The protocol as far as these switches tell it from its base."""
        return Protocol(self.base, self.deviations & switches)


CORRECTED, RELEASED = Protocol("corrected"), Protocol("released")


def of_stage(*stages: Stage) -> frozenset[str]:
    """Switches of these stages."""
    return frozenset(name for name, switch in REGISTER.items() if switch.stage in stages)


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
        if part[0] != sign or switch not in REGISTER:
            known = [known.lower() for known in REGISTER]
            raise LotusError(f"protocol '{name}': '{part}': {FORM}; {choices(part[1:], known)}")
    if len(set(deviations)) < len(deviations):
        raise LotusError(f"protocol '{name}': a switch is named twice; {FORM}")
    return Protocol("corrected" if base == "corrected" else "released", frozenset(deviations))


BASES = ("corrected", "released")
FORM = "a protocol is corrected, released, corrected+SWITCH… or released-SWITCH…"
