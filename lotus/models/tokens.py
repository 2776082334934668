"""Tokens of a vision transformer as a map, as other networks have."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def as_map(layer: nn.Module, grid: tuple[int, int]) -> Iterator[nn.Module]:
    """Has the tokens that `layer` gives pass, as a map `[b, D, h, w]`, through a module, which is yielded.

    The tokens `[b, prefix + h·w, D]` themselves stay as they are; those before the last h·w (the class
    token) are not part of the map. Nothing is left of it afterwards.

    Args:
        grid: h and w.

    """
    passed = nn.Identity()
    count = grid[0] * grid[1]

    def through(_: nn.Module, __: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        prefix, patches = tokens[:, :-count], tokens[:, -count:]
        seen = passed(patches.transpose(1, 2).unflatten(2, grid))
        return torch.cat([prefix, seen.flatten(2).transpose(1, 2)], dim=1)

    handle = layer.register_forward_hook(through)
    try:
        yield passed
    finally:
        handle.remove()
