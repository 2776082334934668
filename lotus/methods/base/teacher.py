"""A network that teaches: it is asked, and does not change."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lotus.data.batches import Batch, ImageSet
from lotus.engine.inference import outputs
from lotus.lazy_torch import nn, torch

if TYPE_CHECKING:
    from torch import Tensor

REMEMBERED = 2**28
"""Bytes of answers that are kept at most."""


class Teacher:
    """A network that is asked about batches of one image set, without gradients.

    Args:
        network: in eval mode.
        images: the set that the batches are drawn from.
        asked_once: each image is asked once, as it is stored, and the answer is kept: over E epochs a
            teacher then costs one pass instead of E. The answers are the same to about the last digit: in
            batches of another size, sums are taken in another order.

    """

    def __init__(self, network: nn.Module, images: ImageSet, asked_once: bool) -> None:
        self._network, self._images, self._asked_once = network, images, asked_once

    def __call__(self, batch: Batch) -> Tensor:
        """Logits `[b, classes]` of a batch of the set."""
        if self._asked_once:
            return self._answers[batch.positions]
        with torch.no_grad():
            said: Tensor = self._network(batch.images)
        return said

    @cached_property
    def _answers(self) -> Tensor:
        return outputs(self._network, self._images)
