"""The paper's ResNet18, as released: neither torchvision's nor the usual CIFAR variant.

3×3 stem of stride 1, max-pool, and on **every** block a learned 1×1 shortcut convolution without
BatchNorm, so there is no identity path. 11,519,296 + 513·C parameters at width 64 with 3 channels.
State keys are those of the released weights (`layer1.0.identity_conv.weight`, …).
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lotus.config import architectures


class ResidualBlock(nn.Module):
    """y = ReLU(BN(conv(ReLU(BN(conv x)))) + conv1×1(x))."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.identity_conv = nn.Conv2d(channels_in, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[b, C_in, H, W]` to `[b, C, H / stride, W / stride]`."""
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.identity_conv(x))


def _stage(channels: int, width: int, stride: int) -> nn.Sequential:
    """Two blocks, the first of which makes the maps smaller by `stride`."""
    return nn.Sequential(ResidualBlock(channels, width, stride), ResidualBlock(width, width, 1))


class ResNet18Network(nn.Module):
    """Four stages of two blocks, then the mean over the map and a linear layer.

    Args:
        channels: of the images.
        width: channels of the first stage; doubled by each later one.
        max_pool: 3×3 max-pool of stride 2 after the stem.

    """

    def __init__(self, channels: int, num_classes: int, width: int, max_pool: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if max_pool else nn.Identity()
        self.layer1 = _stage(width, width, 1)
        self.layer2 = _stage(width, 2 * width, 2)
        self.layer3 = _stage(2 * width, 4 * width, 2)
        self.layer4 = _stage(4 * width, 8 * width, 2)
        self.fc = nn.Linear(8 * width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images float32 `[b, C, H, W]` to logits `[b, classes]`."""
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits


def build(
    architecture: architectures.ResNet18, image_shape: tuple[int, int, int], num_classes: int
) -> nn.Module:
    """The network for images of this shape (C, H, W)."""
    network = ResNet18Network(
        image_shape[0], num_classes, architecture.width, architecture.max_pool
    )
    return network.to(memory_format=torch.channels_last)


def last_map(network: ResNet18Network, _: Tensor) -> AbstractContextManager[nn.Module]:
    """The last stage."""
    return nullcontext(network.layer4)
