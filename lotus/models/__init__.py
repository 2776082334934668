"""The catalogue of models: from the architecture in the configuration to a module with its first weights.

Each architecture is a module of this folder with a function `build`, and one `last_map` that says where
Grad-CAM looks. The configuration's key `model` is its name; for the libraries and for files of users it is
`from_` and that, so that no module hides a library. Uses records, config and what lies below.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.config.architectures import Architecture, WeightsFile
from lotus.errors import LotusError
from lotus.lazy_torch import nn, torch
from lotus.models.image_shapes import check_shape
from lotus.names import on_disk, shown
from lotus.plugin_files import modules_of as modules_of_plugins
from lotus.records.files import atomic

if TYPE_CHECKING:
    from torch import Tensor

    from lotus.models.any_network import Preprocessing

LIBRARIES = ("timm", "torchvision")
"""Keys `model` of networks that a library knows by their names."""


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
        network: nn.Module = _builder(architecture).build(architecture, image_shape, num_classes)
        return network


def check_known(architecture: Architecture) -> None:
    """Looks whether there is such a network, before anything is built of it.

    Loads the library that has it; of a file of the user's nothing is run.

    Raises:
        LotusError: the library knows no network or weights of this name, or there is no such file.

    """
    if architecture.model == "plugin":
        if not Path(architecture.file).is_file():
            raise LotusError(
                f"file '{shown(architecture.file)}': there is no such file; looked in {shown(Path.cwd())}"
            )
    elif architecture.model in LIBRARIES:
        _builder(architecture).check_known(architecture)


def own_preprocessing(architecture: Architecture) -> Preprocessing | None:
    """Image size, mean and std that the library of a network states for it; None where none does.

    Raises:
        LotusError: the library knows no such network.

    """
    if architecture.model not in LIBRARIES:
        return None
    found: Preprocessing | None = _builder(architecture).own_preprocessing(architecture)
    return found


def last_map(
    architecture: Architecture, network: nn.Module, images: Tensor
) -> AbstractContextManager[nn.Module] | None:
    """The module of a network whose output `[b, D, h, w]` is its last map of an image.

    Transformers are arranged so that they have one while the context lasts. None: the network has no map.

    Args:
        images: float32 `[b, C, H, W]`, for networks that have to be asked where their maps are.

    """
    found: AbstractContextManager[nn.Module] | None = _builder(architecture).last_map(
        network, images
    )
    return found


def modules_of(architecture: Architecture) -> tuple[str, ...]:
    """Names of the modules that build this architecture: one of ours, and a file of the user's."""
    if architecture.model == "plugin":
        return f"{__name__}.from_plugin", *modules_of_plugins([architecture.file])
    is_library = architecture.model in LIBRARIES
    name = f"from_{architecture.model}" if is_library else architecture.model.replace("-", "_")
    return (f"{__name__}.{name}",)


def _builder(architecture: Architecture) -> Any:
    return importlib.import_module(modules_of(architecture)[0])


def without_weights(architecture: Architecture) -> Architecture:
    """The same architecture, all of whose weights are fresh."""
    if architecture.weights is None:
        return architecture
    return architecture.model_copy(update={"weights": None})


def without_checkpoint(architecture: Architecture) -> Architecture:
    """The same architecture without a trained model to begin with."""
    if architecture.checkpoint is None:
        return architecture
    return architecture.model_copy(update={"checkpoint": None})


def weights_files(architecture: Architecture) -> list[Path]:
    """Local files that `build` reads pretrained weights from: one or none."""
    weights = architecture.weights
    return [on_disk(Path(weights.file))] if isinstance(weights, WeightsFile) else []


def save_weights(path: Path, model: nn.Module) -> None:
    """Writes parameters and buffers as safetensors: no pickled code, same weights same bytes."""
    from lotus.models import weights_file

    tensors: dict[str, torch.Tensor] = {}
    for name, value in model.state_dict().items():
        tensor = value.detach().cpu().contiguous()
        # The library takes no two tensors that share their memory.
        is_shared = any(tensor.data_ptr() == other.data_ptr() for other in tensors.values())
        tensors[name] = tensor.clone() if is_shared else tensor
    with atomic(path) as draft:
        weights_file.write_safetensors(tensors, draft)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Reads what `save_weights` wrote, onto the CPU.

    Raises:
        LotusError: absent or damaged.

    """
    from lotus.models import weights_file

    try:
        weights_file.look_at(path)
        return weights_file.read_safetensors(path)
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
