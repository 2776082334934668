"""Networks of timm, by their names there."""

from contextlib import AbstractContextManager
from difflib import get_close_matches
from functools import partial

import timm
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from lotus.config.architectures import TimmNetwork, WeightsFile
from lotus.errors import LotusError, choices
from lotus.models import any_network, pretrained, vit
from lotus.models.any_network import Preprocessing, Shape
from lotus.models.weights_file import read_file


def check_known(architecture: TimmNetwork) -> None:
    """Raises a LotusError if timm has no network of this name, or no such tag of it."""
    name, _, tag = architecture.name.partition(".")
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), n=8, cutoff=0.5)
        raise LotusError(
            f"name '{architecture.name}': timm {timm.__version__} has no network '{name}'; "
            f"{choices(name, near) if near else 'nothing is called alike'}; `timm.list_models()` lists all"
        )
    weights = architecture.weights
    for given in filter(None, [tag, weights if isinstance(weights, str) else ""]):
        known = [it.partition(".")[2] for it in timm.list_pretrained(f"{name}.*")]
        if given not in known:
            raise LotusError(f"timm's {name} has no tag '{given}'; {choices(given, known)}")


def build(architecture: TimmNetwork, image_shape: Shape, num_classes: int) -> nn.Module:
    """The network for images of this shape (C, H, W), whatever size its weights were trained at.

    Raises:
        LotusError: timm does not have it, it takes no such images, or its weights cannot be had.

    """
    check_known(architecture)
    make, what = partial(_make, architecture.name), f"timm's {architecture.name}"
    network = any_network.make_and_try(make, what, image_shape, num_classes)
    weights = architecture.weights
    if isinstance(weights, WeightsFile):
        found = read_file(weights)
        any_network.fill_body(network, make, found, weights.file, image_shape, num_classes)
    elif weights is not None:
        name = f"{architecture.name.partition('.')[0]}.{weights}"
        with pretrained.reaching(f"'{weights}' of {what}"):
            network = _make(name, image_shape, num_classes, pretrained=True)
    return network


def _make(name: str, image_shape: Shape, num_classes: int, pretrained: bool = False) -> nn.Module:
    channels, *size = image_shape
    # Networks that are made for one size have to be told it; others know no such argument.
    is_fixed = timm.get_pretrained_cfg(name).fixed_input_size
    told = {"img_size": tuple(size)} if is_fixed else {}
    network: nn.Module = timm.create_model(
        name, pretrained=pretrained, num_classes=num_classes, in_chans=channels, **told
    )
    return network


def last_map(network: nn.Module, images: Tensor) -> AbstractContextManager[nn.Module] | None:
    """The last map, or the tokens of a plain vision transformer as one; None where there is neither."""
    if isinstance(network, VisionTransformer):
        return vit.last_map(network, images)
    return any_network.last_map(network, images)


def own_preprocessing(architecture: TimmNetwork) -> Preprocessing | None:
    """Returns how timm says that images were prepared which the network's weights were trained on.

    Raises:
        LotusError: timm does not have the network.

    """
    check_known(architecture)
    said = timm.get_pretrained_cfg(architecture.name)
    if said is None or said.input_size is None:
        return None
    _, height, width = said.input_size
    return Preprocessing((height, width), tuple(said.mean), tuple(said.std))
