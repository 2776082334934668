"""A small vision transformer of timm, for images of any (small) size."""

from contextlib import AbstractContextManager

from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from lotus.config.architectures import ViT
from lotus.models import tokens


def build(architecture: ViT, image_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The network for images of this shape (C, H, W), which its patches tile."""
    channels, height, width = image_shape
    network: nn.Module = VisionTransformer(
        img_size=(height, width),
        patch_size=architecture.patch_size,
        in_chans=channels,
        num_classes=num_classes,
        embed_dim=architecture.embed_dim,
        depth=architecture.depth,
        num_heads=architecture.num_heads,
    )
    return network


def last_map(network: VisionTransformer, _: Tensor) -> AbstractContextManager[nn.Module]:
    """The patches' tokens as the last block reads them: the class token gathers from them there."""
    return tokens.as_map(network.blocks[-1].norm1, network.patch_embed.grid_size)
