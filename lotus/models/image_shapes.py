"""Shapes of images: which ones an architecture takes, and how small its maps of them are.

Known without a network, so that a plan can be refused before PyTorch is loaded.
"""

from lotus.config.architectures import (
    Architecture,
    ResNet18,
    TorchvisionViTB16,
    ViT,
    ViTB16,
)
from lotus.errors import LotusError

PRETRAINED_ON = (3, 224, 224)
"""(C, H, W) of the images that the published ViT-B/16 weights were trained on."""


def check_shape(architecture: Architecture, shape: tuple[int, int, int]) -> None:
    """Refuses images that an architecture does not take, as far as that is known without the network.

    Args:
        shape: (C, H, W) of the images as models see them.

    Raises:
        LotusError: the patches do not tile them, or they have not the size of the pretrained weights.

    """
    _, height, width = shape
    if isinstance(architecture, ViT):
        if height % architecture.patch_size or width % architecture.patch_size:
            raise LotusError(
                f"patch_size = {architecture.patch_size}: must divide height and width of the images, "
                f"{height}×{width}"
            )
    elif isinstance(architecture, ViTB16 | TorchvisionViTB16) and shape != PRETRAINED_ON:
        seen, needed = ("×".join(map(str, sizes)) for sizes in (shape, PRETRAINED_ON))
        raise LotusError(
            f"images are {seen} here; the model needs {needed}: set `resize: 224` (and `crop: 224` for "
            "images that are not square) for the data set; its images must have 3 channels"
        )


def smallest_map(architecture: Architecture, shape: tuple[int, int, int]) -> tuple[int, int] | None:
    """Returns height and width of the smallest maps that BatchNorm normalises.

    None: there is no BatchNorm, or it is not known without the network. Where they are 1×1, a batch of one
    image has a single value per channel, and cannot be trained on.

    Args:
        shape: (C, H, W) of the images as models see them.

    """
    if not isinstance(architecture, ResNet18):
        return None
    _, height, width = shape
    # Each of the last three stages halves them, rounding up, and so does the max-pool of the first.
    for _ in range(3 + architecture.max_pool):
        height, width = -(-height // 2), -(-width // 2)
    return height, width
