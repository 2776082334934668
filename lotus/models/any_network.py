"""Networks that this package does not know beforehand: built, tried on images, filled, looked into."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lotus.errors import LotusError
from lotus.models import pretrained

Shape = tuple[int, int, int]
Make = Callable[[Shape, int], nn.Module]
"""Shape of the images (C, H, W) and number of classes → a network with fresh weights."""


@dataclass(frozen=True)
class Preprocessing:
    """How a library prepares images for a network.

    Attributes:
        size: height and width.
        mean, std: of each channel, of pixels from 0 to 1.

    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def make_and_try(make: Make, what: str, image_shape: Shape, num_classes: int) -> nn.Module:
    """The network in train mode, which has answered two images.

    Args:
        what: names it in messages.

    Raises:
        LotusError: it cannot be built, does not take such images, or gives no logits.

    """
    needed = f"{'×'.join(map(str, image_shape))} images and {num_classes} classes"
    try:
        network = make(image_shape, num_classes)
    except LotusError:
        raise
    # Whatever a library or a user's own code raises.
    except Exception as error:
        raise LotusError(f"{what}: cannot be built for {needed}: {in_a_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise LotusError(
            f"{what}: gives a {type(network).__name__}; it must give a torch.nn.Module"
        )
    try:
        with torch.no_grad():
            said = network.eval()(torch.zeros(2, *image_shape))
    except Exception as error:
        raise LotusError(f"{what}: does not take {needed}: {in_a_line(error)}") from error
    if not isinstance(said, Tensor):
        raise LotusError(f"{what}: gives a {type(said).__name__} of images, but must give logits")
    if said.shape != (2, num_classes) or not said.is_floating_point():
        raise LotusError(
            f"{what}: gives {list(said.shape)} numbers ({said.dtype}) of 2 images, but must give logits, "
            f"[2, {num_classes}]"
        )
    return network.train()


def in_a_line(error: Exception) -> str:
    """Returns what went wrong, in a line that is not too long."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def fill_body(
    network: nn.Module,
    make: Make,
    weights: Mapping[str, Tensor],
    source: str,
    image_shape: Shape,
    num_classes: int,
) -> None:
    """Puts weights into a network; its head is kept if it has an output for each class, else new.

    The head is what has another shape where the network is built for another number of classes.

    Raises:
        LotusError: as `pretrained.fill`.

    """
    own, other = network.state_dict(), make(image_shape, num_classes + 1).state_dict()
    head = {
        key: own[key].shape for key in own if key in other and other[key].shape != own[key].shape
    }
    is_kept = all(
        any(_is_called(name, key) and value.shape == shape for name, value in weights.items())
        for key, shape in head.items()
    )
    modules = [] if is_kept else sorted({key.rpartition(".")[0] for key in head})
    pretrained.fill(network, weights, source, modules)


def _is_called(name: str, key: str) -> bool:
    """Whether a name is a key of the network's, or one with something before it."""
    return name == key or name.endswith(f".{key}")


def last_map(network: nn.Module, images: Tensor) -> AbstractContextManager[nn.Module] | None:
    """The module whose output is the last map `[b, D, h, w]` of images; None where there is none.

    That is the last module to answer with more than one place, if it is called once. Where tokens
    `[b, n, D]` come after it, the network sees by these, and has no map.

    Args:
        images: float32 `[b, C, H, W]`, on the network's device; a single one is enough.

    """
    answers: list[tuple[nn.Module, tuple[int, ...]]] = []

    def note(module: nn.Module, _: object, said: object) -> None:
        if isinstance(said, Tensor) and said.is_floating_point() and len(said) == len(images):
            answers.append((module, tuple(said.shape)))

    handles = [module.register_forward_hook(note) for module in network.modules()]
    was_training = {module: module.training for module in network.modules()}
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.eval()(images)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in was_training.items():
            module.training = training
    calls = [module for module, _ in answers]
    for module, shape in reversed(answers):
        if len(shape) == 3:
            return None
        if len(shape) == 4 and shape[2] * shape[3] > 1 and calls.count(module) == 1:
            # Of timm's; its transformers have channels last, [b, h, w, D].
            features = getattr(network, "num_features", shape[1])
            return nullcontext(module) if shape[1] == features else None
    return None
