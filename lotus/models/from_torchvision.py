"""Classifiers of torchvision, by their names there."""

from contextlib import AbstractContextManager
from difflib import get_close_matches
from functools import partial
from typing import Any

import torchvision
from torch import Tensor, nn
from torchvision.models import VisionTransformer, get_model, get_model_weights, list_models

from lotus.config.architectures import TorchvisionNetwork, WeightsFile
from lotus.errors import LotusError, choices
from lotus.models import any_network, pretrained, torchvision_vit_b16
from lotus.models.any_network import Preprocessing, Shape
from lotus.models.weights_file import read_file

AUXILIARY = ("googlenet", "inception_v3")
"""Networks with further heads in training, of which a loss of logits knows nothing."""


def check_known(architecture: TorchvisionNetwork) -> None:
    """Raises a LotusError if torchvision has no classifier of this name, or no such weights of it."""
    name, known = architecture.name, list_models(torchvision.models)
    if name not in known:
        near = get_close_matches(name, known, n=8, cutoff=0.5) or known
        raise LotusError(
            f"name '{name}': torchvision {torchvision.__version__} has no classifier of this name; "
            f"{choices(name, near)}"
        )
    weights = architecture.weights
    if isinstance(weights, str) and weights not in _weights_of(name):
        raise LotusError(
            f"torchvision's {name} has no weights '{weights}'; {choices(weights, _weights_of(name))}"
        )


def build(architecture: TorchvisionNetwork, image_shape: Shape, num_classes: int) -> nn.Module:
    """The network for images of this shape (C, H, W).

    Raises:
        LotusError: torchvision does not have it, it takes no such images, or its weights cannot be had.

    """
    check_known(architecture)
    make, what = partial(_make, architecture.name), f"torchvision's {architecture.name}"
    network = any_network.make_and_try(make, what, image_shape, num_classes)
    weights = architecture.weights
    if weights is None:
        return network
    if isinstance(weights, WeightsFile):
        found, source = read_file(weights), weights.file
    else:
        source = f"{weights} of {what}"
        with pretrained.reaching(source):
            found = _weights_of(architecture.name)[weights].get_state_dict(
                progress=False, check_hash=True
            )
    any_network.fill_body(network, make, found, source, image_shape, num_classes)
    return network


def _make(name: str, image_shape: Shape, num_classes: int) -> nn.Module:
    channels, height, width = image_shape
    if channels != 3:
        raise LotusError(
            f"torchvision's {name}: takes images of 3 channels, and these have {channels}; accepted "
            "for them: a network of timm (`model: timm`) or one of your own (`model: plugin`)"
        )
    told: dict[str, Any] = {}
    if name in AUXILIARY:
        told = {"aux_logits": False, "init_weights": True}
    if name.startswith("vit_"):
        if height != width:
            raise LotusError(f"torchvision's {name}: takes square images, not {height}×{width}")
        told = {"image_size": height}
    network: nn.Module = get_model(name, weights=None, num_classes=num_classes, **told)
    return network


def _weights_of(name: str) -> Any:
    """The enumeration of a network's weights: name → weights."""
    return get_model_weights(name).__members__


def last_map(network: nn.Module, images: Tensor) -> AbstractContextManager[nn.Module] | None:
    """The last map, or the tokens of a vision transformer as one."""
    if isinstance(network, VisionTransformer):
        return torchvision_vit_b16.last_map(network, images)
    return any_network.last_map(network, images)


def own_preprocessing(architecture: TorchvisionNetwork) -> Preprocessing | None:
    """Returns how torchvision says that images were prepared which the network's weights were trained on.

    Meant are the weights that are named, else those that it takes by default.

    Raises:
        LotusError: torchvision does not have the network.

    """
    check_known(architecture)
    known, weights = _weights_of(architecture.name), architecture.weights
    name = weights if isinstance(weights, str) else "DEFAULT"
    if name not in known:
        return None
    preset = known[name].transforms()
    side = preset.crop_size[0]
    return Preprocessing((side, side), tuple(preset.mean), tuple(preset.std))
