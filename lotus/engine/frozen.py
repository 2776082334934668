"""A network prepared for many images on a processor: its constants folded, its layers fused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from lotus.lazy_torch import nn, torch

if TYPE_CHECKING:
    from torch import Tensor

Answer: TypeAlias = "Callable[[Tensor], Tensor]"
"""Images `[b, C, H, W]` to logits `[b, classes]`."""


def frozen(model: nn.Module, images: Tensor) -> Answer:
    """Returns what answers as a network in eval mode does, 1.2 times as fast for the paper's ResNet18.

    Batch normalisation goes into the convolutions, and what follows them is done with them. That takes a
    second or two, which pays from some thousand images on. Answers are the same to about the last digit.
    Where a network cannot be traced, or answers otherwise then, it is returned itself.

    Args:
        images: a batch like those that will be asked about, two images at least.

    """
    first, last = images[: len(images) // 2], images[len(images) // 2 :]
    try:
        # torch says that it will do this by other means one day.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced: Any = torch.jit.freeze(torch.jit.trace(model, first, check_trace=False))
            # Twice: what runs first takes notes of shapes, and is fused by them.
            for _ in range(2):
                said = traced(last)
    # Whatever a network of a user's own making raises when it is traced.
    except Exception:
        return model
    # What a trace has taken for a constant shows in images that it was not made with.
    return traced if torch.allclose(said, model(last), rtol=1e-3, atol=1e-4) else model
