"""The catalogue of models: from the architecture in the configuration to a module with fresh weights.

Each module of this folder has a function `build`; the configuration's key `model` is its name.
"""

import importlib
from pathlib import Path

import torch
from torch import nn

from lotus.errors import LotusError
from lotus.provenance import atomic
from lotus.settings import Architecture


def build(
    architecture: Architecture, image_shape: tuple[int, int, int], num_classes: int, seed: int
) -> nn.Module:
    """A model with fresh weights that depend on `seed` alone, on the CPU, in train mode.

    Args:
        architecture: its section of the configuration.
        image_shape: (C, H, W).

    Raises:
        LotusError: the architecture does not fit the images.

    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = importlib.import_module(module_of(architecture))
        network: nn.Module = module.build(architecture, image_shape, num_classes)
        return network


def module_of(architecture: Architecture) -> str:
    """Module that builds this architecture."""
    return f"{__name__}.{architecture.model}"


def save_weights(path: Path, model: nn.Module) -> None:
    """Writes parameters and buffers as safetensors: no pickled code, same weights same bytes."""
    from safetensors.torch import save_file

    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    with atomic(path) as draft:
        save_file(tensors, draft)


def load_weights(path: Path, model: nn.Module) -> None:
    """Fills `model` with saved weights.

    Raises:
        LotusError: absent, damaged, or of another architecture.

    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        model.load_state_dict(load_file(path))
    except OSError as error:
        raise LotusError(f"{path}: weights cannot be read: {error}") from error
    except SafetensorError as error:
        raise LotusError(f"{path}: damaged weights: {error}") from error
    except RuntimeError as error:
        raise LotusError(f"{path}: weights of another architecture: {error}") from error
