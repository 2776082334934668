"""PyTorch, loaded when it is first used.

`from lotus.lazy_torch import F, nn, torch` stands for `import torch`, `from torch import nn` and
`from torch.nn import functional as F` in modules that a plan imports to know names and hyper-parameters.
To load PyTorch takes longer than to make most plans, and no audit computes anything with it.

A module that does so begins with `from __future__ import annotations`: else the annotations of its
functions would load PyTorch at once.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any


class _Later(ModuleType):
    """Stands for a module, and imports it when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        # Nothing is kept here: a test or a user that exchanges a function of PyTorch is obeyed.
        return getattr(import_module(self.__name__), name)


if TYPE_CHECKING:
    import torch as torch
    from torch import nn as nn
    from torch.nn import functional as F
else:
    torch = _Later("torch")
    nn = _Later("torch.nn")
    F = _Later("torch.nn.functional")

__all__ = ["F", "nn", "torch"]
