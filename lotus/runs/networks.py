"""Networks of a run: with first weights, or with none that were trained."""

from torch import nn

from lotus import models
from lotus.config.architectures import Architecture, ViTB16
from lotus.config.images import Dataset
from lotus.config.protocol import Protocol
from lotus.data.batches import View
from lotus.data.store import Store
from lotus.engine.device import Device
from lotus.engine.forward import as_declared


def build_network(
    store: Store, architecture: Architecture, use: Dataset, weights_seed: int, device: Device
) -> nn.Module:
    """A network for images of a store, with the first weights of a seed, on the device."""
    shape, classes = seen_shape(store, use), len(store.classes)
    return make_network(architecture, shape, classes, weights_seed, device)


def seen_shape(store: Store, use: Dataset) -> tuple[int, int, int]:
    """(C, H, W) of the images as models see them."""
    _, height, width, channels = store.images.shape
    return (channels, *View(use.resize, use.crop).shape(height, width))


def make_network(
    architecture: Architecture,
    shape: tuple[int, int, int],
    classes: int,
    seed: int,
    device: Device,
) -> nn.Module:
    """A network for images of one shape, with the first weights of a seed, on the device.

    It computes as the device's runtime declares.
    """
    network = models.build(architecture, shape, classes, seed).to(device.torch)
    return as_declared(network, device.runtime, device.torch.type)


def untrained_architecture(architecture: Architecture, protocol: Protocol) -> Architecture:
    """Returns the architecture of a teacher that was never trained.

    As released (M7), timm's ViT keeps its pretrained body.
    """
    if protocol.has("M7") and isinstance(architecture, ViTB16):
        return architecture
    return models.without_weights(architecture)
