"""The catalogue of models: from the architecture in the configuration to a module with its first weights.

Each architecture is a module of this folder with a function `build`, and one `last_map` that says where
Grad-CAM looks; the configuration's key `model` is its name.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from pathlib import Path

from lotus.config.architectures import Architecture, WeightsFile
from lotus.errors import LotusError
from lotus.lazy_torch import nn, torch
from lotus.models.image_shapes import check_shape
from lotus.names import on_disk, shown
from lotus.records.files import atomic


def build(
    architecture: Architecture, image_shape: tuple[int, int, int], num_classes: int, seed: int
) -> nn.Module:
    """A model with its first weights, on the CPU, in train mode; the fresh ones depend on `seed` alone.

    Args:
        architecture: its section of the configuration; may name pretrained weights.
        image_shape: (C, H, W).

    Raises:
        LotusError: the architecture does not fit the images, or its pretrained weights cannot be had.

    """
    check_shape(architecture, image_shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = importlib.import_module(module_of(architecture))
        network: nn.Module = module.build(architecture, image_shape, num_classes)
        return network


def last_map(architecture: Architecture, network: nn.Module) -> AbstractContextManager[nn.Module]:
    """The module of a network whose output `[b, D, h, w]` is its last map of an image.

    Networks without maps are arranged so that they have one while the context lasts.
    """
    found: AbstractContextManager[nn.Module] = importlib.import_module(
        module_of(architecture)
    ).last_map(network)
    return found


def module_of(architecture: Architecture) -> str:
    """Module that builds this architecture."""
    return f"{__name__}.{architecture.model.replace('-', '_')}"


def without_weights(architecture: Architecture) -> Architecture:
    """The same architecture, all of whose weights are fresh."""
    if architecture.weights is None:
        return architecture
    return architecture.model_copy(update={"weights": None})


def weights_files(architecture: Architecture) -> list[Path]:
    """Local files that `build` reads pretrained weights from: one or none."""
    weights = architecture.weights
    return [on_disk(Path(weights.file))] if isinstance(weights, WeightsFile) else []


def save_weights(path: Path, model: nn.Module) -> None:
    """Writes parameters and buffers as safetensors: no pickled code, same weights same bytes."""
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    for name, value in model.state_dict().items():
        tensor = value.detach().cpu().contiguous()
        # The library takes no two tensors that share their memory.
        is_shared = any(tensor.data_ptr() == other.data_ptr() for other in tensors.values())
        tensors[name] = tensor.clone() if is_shared else tensor
    with atomic(path) as draft:
        # The library makes files that nobody else can read; results are for others, too.
        draft.touch()
        mode = draft.stat().st_mode
        save_file(tensors, draft)
        draft.chmod(mode)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Reads what `save_weights` wrote, onto the CPU.

    Raises:
        LotusError: absent or damaged.

    """
    from lotus.models import pretrained

    try:
        pretrained.look_at(path)
        return pretrained.read_safetensors(path)
    except OSError as error:
        raise LotusError(f"{shown(path)}: weights cannot be read: {error}") from error


def load_weights(path: Path, model: nn.Module) -> None:
    """Fills `model` with saved weights; those of a model that has collapsed need not be finite.

    Raises:
        LotusError: absent, damaged, of another architecture, or of other types of numbers.

    """
    from lotus.models import pretrained

    found, own, source = read_weights(path), model.state_dict(), shown(path)
    pretrained.check(found, own, source)
    for key, value in own.items():
        if found[key].dtype != value.dtype:
            raise LotusError(
                f"{source}: {key} is {found[key].dtype} instead of {value.dtype}: these are "
                "not the weights of a run"
            )
    model.load_state_dict(found)
