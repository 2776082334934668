"""The vision transformer of the paper's ImageNet experiment: torchvision's ViT-B/16 at 224×224.

85,798,656 + 769·C parameters. A fresh head is zero, so an untrained network says that all classes are
equally likely.
"""

from contextlib import AbstractContextManager

from torch import Tensor, nn
from torchvision.models import VisionTransformer, ViT_B_16_Weights, vit_b_16

from lotus.config.architectures import TorchvisionViTB16, WeightsFile
from lotus.models import pretrained, tokens
from lotus.models.weights_file import read_file

PRETRAINED_CLASSES = 1000
HEAD = "heads"


def build(
    architecture: TorchvisionViTB16, image_shape: tuple[int, int, int], num_classes: int
) -> nn.Module:
    """The network for images of this shape (C, H, W); for 1000 classes with the pretrained head.

    Raises:
        LotusError: the weights cannot be had.

    """
    network: nn.Module = vit_b_16(num_classes=num_classes)
    new_heads = [HEAD] if num_classes != PRETRAINED_CLASSES else []
    weights = architecture.weights
    if isinstance(weights, WeightsFile):
        pretrained.fill(network, read_file(weights), weights.file, new_heads)
    elif weights is not None:
        with pretrained.reaching(f"{weights} of torchvision's vit_b_16"):
            state = ViT_B_16_Weights[weights].get_state_dict(progress=False, check_hash=True)
        pretrained.fill(network, state, weights, new_heads)
    return network


def last_map(network: VisionTransformer, _: Tensor) -> AbstractContextManager[nn.Module]:
    """The patches' tokens as the last block reads them: the class token gathers from them there."""
    side = network.image_size // network.patch_size
    return tokens.as_map(network.encoder.layers[-1].ln_1, (side, side))
