"""The paper's vision transformer: timm's ViT-B/16 at 224×224, with a new linear head on the CLS token.

85,798,656 + 769·C parameters. The paper takes the body of Hugging Face's `google/vit-base-patch16-224`:
Google's original weights, of ImageNet-21k, fine-tuned on ImageNet-1k at 224. timm has the same ones as
`orig_in21k_ft_in1k`; what timm takes by default (`augreg…`) is a later training with other augmentation.
"""

from contextlib import AbstractContextManager

import timm
from torch import Tensor, nn

from lotus.config.architectures import ViTB16, WeightsFile
from lotus.errors import LotusError, choices
from lotus.models import pretrained, vit
from lotus.models.weights_file import read_file

NAME, HEAD = "vit_base_patch16_224", "head"


def build(architecture: ViTB16, image_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The network for images of this shape (C, H, W), with a head that is always fresh.

    Raises:
        LotusError: the weights cannot be had.

    """
    network: nn.Module = timm.create_model(NAME, num_classes=num_classes)
    weights = architecture.weights
    if isinstance(weights, WeightsFile):
        pretrained.fill(network, read_file(weights), weights.file, [HEAD])
    elif weights is not None:
        pretrained.fill(network, _from_hub(weights), weights, [HEAD])
    return network


def last_map(network: nn.Module, images: Tensor) -> AbstractContextManager[nn.Module]:
    """Has the tokens pass as a map, as in timm's other vision transformers."""
    return vit.last_map(network, images)


def _from_hub(tag: str) -> dict[str, Tensor]:
    known = [name.partition(".")[2] for name in timm.list_pretrained(f"{NAME}.*")]
    if tag not in known:
        raise LotusError(f"weights '{tag}': timm has no weights of this tag; {choices(tag, known)}")
    with pretrained.reaching(f"'{tag}' of timm's {NAME}"):
        body: nn.Module = timm.create_model(f"{NAME}.{tag}", pretrained=True, num_classes=0)
    return body.state_dict()
