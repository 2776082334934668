"""Networks that a Python file of the user's builds (docs/own-network.md)."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from lotus.config.architectures import OwnNetwork
from lotus.errors import LotusError
from lotus.models import any_network
from lotus.models.any_network import Shape
from lotus.models.weights_file import read_file
from lotus.names import shown
from lotus.plugin_files import import_plugin, said


def build(architecture: OwnNetwork, image_shape: Shape, num_classes: int) -> nn.Module:
    """The network that the file's `build(image_shape, num_classes)` returns, for images (C, H, W).

    Raises:
        LotusError: the file cannot be imported or has no such function, what it builds takes no such
            images, or its weights cannot be had.

    """
    what = f"plugin '{shown(architecture.file)}'"
    module = import_plugin(architecture.file, "the path of a Python file")
    own = getattr(module, "build", None)
    if not callable(own):
        raise LotusError(
            f"{what}: has no function `build(image_shape, num_classes)`, which returns the network"
        )
    make = partial(_make, module, own, what)
    network = any_network.make_and_try(make, what, image_shape, num_classes)
    if architecture.weights is not None:
        weights = read_file(architecture.weights)
        source = architecture.weights.file
        any_network.fill_body(network, make, weights, source, image_shape, num_classes)
    return network


def _make(
    module: ModuleType, own: Callable[..., Any], what: str, image_shape: Shape, num_classes: int
) -> nn.Module:
    try:
        network: nn.Module = own(image_shape, num_classes)
    # Also what ends a process.
    except (Exception, SystemExit) as error:
        raise LotusError(f"{what}: build: {said(error, module.__name__)}") from error
    return network


def last_map(network: nn.Module, images: Tensor) -> AbstractContextManager[nn.Module] | None:
    """The module that the network's attribute `last_map` names, else what is found by asking it.

    Raises:
        LotusError: it names none of the network's.

    """
    named = getattr(network, "last_map", None)
    if isinstance(named, str):
        try:
            return nullcontext(network.get_submodule(named))
        except AttributeError as error:
            raise LotusError(
                f"{type(network).__name__}: last_map = '{shown(named)}': the network has no such module"
            ) from error
    return any_network.last_map(network, images)
