"""`architectures`: networks, the weights that they begin with, and how they are trained."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    TypeAdapter,
    model_validator,
)

from lotus.config.fields import NonNegativeReal, PositiveReal, Real, Section


class Training(Section):
    """Recipe for the original and the gold model."""

    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="Optimizer.")
    lr: PositiveReal = Field(0.1, description="Peak learning rate.")
    momentum: Annotated[Real, Field(ge=0, lt=1)] = Field(0.9, description="Of SGD.")
    weight_decay: NonNegativeReal = Field(5e-4, description="Weight decay.")
    batch_size: PositiveInt = Field(
        512, description="Upper limit; batches are dealt in nearly equal sizes."
    )
    epochs: NonNegativeInt = Field(
        150,
        description="Passes over the training images. 0: the original is the pretrained `weights` as "
        "they come, and so is gold.",
    )
    warmup_epochs: NonNegativeInt = Field(
        30, description="Epochs in which the rate rises linearly to `lr`; 0: none."
    )
    schedule: Literal["linear", "constant"] = Field(
        "linear",
        description="After the warm-up, `linear`: linear decay to 0 in the last epoch; `constant`: "
        "`lr` to the end, as the paper trains its vision transformers.",
    )
    patience: PositiveInt | None = Field(
        None,
        description="Stop after so many epochs without a lower validation loss and restore the "
        "best epoch. Null: keep the last epoch.",
    )

    @model_validator(mode="after")
    def _warmup_is_shorter(self) -> "Training":
        if self.epochs and self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs ({self.warmup_epochs}) must be below epochs ({self.epochs})"
            )
        return self


WEIGHTS_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")


def _is_weights_file(name: str) -> str:
    if not name.endswith(WEIGHTS_ENDINGS):
        raise ValueError(f"must end in {', '.join(WEIGHTS_ENDINGS)}")
    return name


def _is_digest(digest: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("must be 64 hexadecimal digits in lower case, as `sha256sum` prints them")
    return digest


def _is_weights_tag(tag: str) -> str:
    if not re.fullmatch(r"\w+", tag):
        raise ValueError(
            "is not a name of weights; to name a file, write {file: PATH, sha256: HEX}"
        )
    return tag


class WeightsFile(Section):
    """Pretrained weights on disk, for machines without internet."""

    file: Annotated[str, AfterValidator(_is_weights_file)] = Field(
        description="State dict with the library's own keys (.safetensors; .pth, .pt or .bin of "
        "torch), relative to the project."
    )
    sha256: Annotated[str, AfterValidator(_is_digest)] = Field(
        description="Digest that the file must have."
    )


def _form_of_weights(value: Any) -> str | None:
    if isinstance(value, Mapping | WeightsFile):
        return "weights-file"
    return "weights-name" if isinstance(value, str) else None


_FORM_OF_WEIGHTS = Discriminator(
    _form_of_weights,
    custom_error_type="weights_form",
    custom_error_message="must be null, a name or {file: PATH, sha256: HEX}",
)


class ResNet18(Section):
    """The paper's ResNet18: 3×3 stem, a learned 1×1 shortcut without BatchNorm on every block."""

    batch_norm: ClassVar[bool] = True
    weights: ClassVar[None] = None
    model: Literal["resnet18"]
    width: Annotated[int, Field(ge=8)] = Field(
        64,
        description="Channels of the first stage; the paper uses 64. At least 8: with fewer, "
        "torch 2.15's convolutions corrupt memory on some processors.",
    )
    max_pool: bool = Field(True, description="3×3 max-pool after the stem; off for 8×8 images.")
    training: Training = Field(default_factory=Training, description="Training recipe.")


class ViT(Section):
    """A vision transformer of timm, trained from scratch."""

    batch_norm: ClassVar[bool] = False
    weights: ClassVar[None] = None
    model: Literal["vit"]
    patch_size: PositiveInt = Field(description="Side of a patch in pixels; divides the image.")
    embed_dim: PositiveInt = Field(64, description="Width of a token; a multiple of num_heads.")
    depth: PositiveInt = Field(4, description="Transformer blocks.")
    num_heads: PositiveInt = Field(4, description="Attention heads per block.")
    training: Training = Field(default_factory=Training, description="Training recipe.")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ViT":
        if self.embed_dim % self.num_heads:
            raise ValueError(
                f"embed_dim ({self.embed_dim}) must be a multiple of num_heads ({self.num_heads})"
            )
        return self


class ViTB16(Section):
    """The paper's ViT-B/16 at 224×224, of timm: a pretrained body and a new linear head."""

    batch_norm: ClassVar[bool] = False
    model: Literal["vit-b16"]
    weights: (
        Annotated[
            Annotated[WeightsFile, Tag("weights-file")]
            | Annotated[str, AfterValidator(_is_weights_tag), Tag("weights-name")],
            _FORM_OF_WEIGHTS,
        ]
        | None
    ) = Field(
        "orig_in21k_ft_in1k",
        description="Pretrained weights of the body: a tag of timm's `vit_base_patch16_224`, a local "
        "file, or null: none. The default, `orig_in21k_ft_in1k`, are Google's original weights "
        "(ImageNet-21k, fine-tuned on ImageNet-1k), the same that the paper takes from "
        "`google/vit-base-patch16-224`; timm's `augreg…` tags are a later, other training.",
    )
    training: Training = Field(
        description="Training recipe, all weights trained; the paper's: {optimizer: sgd, lr: 1e-4, "
        "batch_size: 64, epochs: 30, warmup_epochs: 0, schedule: constant, patience: 10}."
    )


class TorchvisionViTB16(Section):
    """The ViT-B/16 of the paper's ImageNet experiment, of torchvision, at 224×224."""

    batch_norm: ClassVar[bool] = False
    model: Literal["torchvision-vit-b16"]
    weights: (
        Annotated[
            Annotated[WeightsFile, Tag("weights-file")]
            | Annotated[Literal["IMAGENET1K_V1"], Tag("weights-name")],
            _FORM_OF_WEIGHTS,
        ]
        | None
    ) = Field(
        "IMAGENET1K_V1",
        description="Pretrained weights: torchvision's, a local file, or null: none. Their head is "
        "kept for a data set of 1000 classes, and is new for any other.",
    )
    training: Training = Field(
        description="Training recipe, all weights trained; the paper's: {epochs: 0}."
    )


Architecture = ResNet18 | ViT | ViTB16 | TorchvisionViTB16


def _is_trained_or_pretrained(architecture: Architecture) -> Architecture:
    if not architecture.training.epochs and architecture.weights is None:
        raise ValueError("training.epochs = 0 needs pretrained `weights`")
    return architecture


AnyArchitecture = Annotated[
    Architecture, Field(discriminator="model"), AfterValidator(_is_trained_or_pretrained)
]
ARCHITECTURE: TypeAdapter[Architecture] = TypeAdapter(AnyArchitecture)
"""Reads the section of an architecture, by its key `model`."""
