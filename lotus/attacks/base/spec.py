"""The spec of an attack: all that is to be known of it beside its scores."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lotus.attacks.base.known import Known
from lotus.errors import LotusError

Needs = Literal["out", "in", "shadows"]
NEEDS = get_args(Needs)
LAST = 100
"""Place of an attack that does not say where it stands."""


@dataclass(frozen=True)
class AttackSpec:
    """An attack: what readers and other code know of it.

    Attributes:
        name: that of its file, with `-` for `_`.
        label: head of its column, as plain text.
        score: its function, from what an attacker knows of n images to n scores; the higher, the more it
            takes an image for one that the model was trained on.
        words: what it does, in a sentence or two.
        symbols: its formula in symbols, as `MetricSpec.symbols`.
        source: who published it, and when.
        needs: `out`: models that were trained without an image; `in`: models that were trained with it.
            With `in` it judges forget images alone, since no model was trained on unseen ones: what a gold
            model answers to the same images stands on the other side. `shadows`: models of halves of the
            training images, which stand for both, as `privacy` has them made; nothing else can run it.
        place: from the left, in tables.

    Raises:
        LotusError: a text is empty, the name cannot be one, or a need is unknown.

    """

    name: str
    label: str
    score: Callable[[Known], np.ndarray]
    words: str
    symbols: str
    source: str
    needs: tuple[Needs, ...] = ()
    place: int = LAST

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise LotusError(
                f"attack {self.name!r}: accepted: lower-case letters, digits and '-', a letter first"
            )
        for key in ("label", "words", "symbols", "source"):
            text = getattr(self, key)
            if not isinstance(text, str) or not text.strip():
                raise LotusError(f"attack '{self.name}': {key} = {text!r}; accepted: a text")
        if isinstance(self.needs, str) or not {*self.needs} <= {*NEEDS}:
            raise LotusError(
                f"attack '{self.name}': needs = {self.needs!r}; accepted: a tuple of any of "
                f"{', '.join(NEEDS)}"
            )
        if not callable(self.score):
            raise LotusError(f"attack '{self.name}': score = {self.score!r} is not a function")

    @property
    def is_calibrated(self) -> bool:
        """Whether it compares with other models."""
        return bool(self.needs)

    @property
    def is_against_gold(self) -> bool:
        """Whether gold's answers to the same images stand on the other side, not those to unseen ones."""
        return "in" in self.needs
