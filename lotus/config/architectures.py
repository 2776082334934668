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


WEIGHTS_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")


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
        description="State dict with the library's own keys (.safetensors; .pth, .pt, .bin, .ckpt or "
        ".tar of torch), relative to the project."
    )
    sha256: Annotated[str, AfterValidator(_is_digest)] = Field(
        description="Digest that the file must have."
    )


class CheckpointFile(WeightsFile):
    """A trained model on disk: a state dict, bare or among other things."""

    entry: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="Of a file that holds several state dicts, the key of the one that is meant: "
        "`state_dict_ema`, say. Null: it holds one.",
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
FirstWeights = (
    Annotated[
        Annotated[WeightsFile, Tag("weights-file")]
        | Annotated[str, AfterValidator(_is_weights_tag), Tag("weights-name")],
        _FORM_OF_WEIGHTS,
    ]
    | None
)


class Network(Section):
    """Base of all architectures: what is known without the network, and a model to begin with.

    Attributes:
        batch_norm: whether it has BatchNorm, or may have. Where that is not known before the network is
            built, it is True: switch E1 then has a run of its own, which is right in any case and at worst
            repeats the same numbers. False would be wrong for a network that does have it.

    """

    batch_norm: ClassVar[bool] = True
    checkpoint: CheckpointFile | None = Field(
        None,
        description="A trained model of one's own. The original is then this model as it comes: it is "
        "not trained, keeps its head, and every tensor has to fit. Gold and shadow models, where the "
        "experiment has them, start from fresh weights (or from `weights`) and are trained by `training`.",
    )


class ResNet18(Network):
    """The paper's ResNet18: 3×3 stem, a learned 1×1 shortcut without BatchNorm on every block."""

    weights: ClassVar[None] = None
    model: Literal["resnet18"]
    width: Annotated[int, Field(ge=8)] = Field(
        64,
        description="Channels of the first stage; the paper uses 64. At least 8: with fewer, "
        "torch 2.15's convolutions corrupt memory on some processors.",
    )
    max_pool: bool = Field(True, description="3×3 max-pool after the stem; off for 8×8 images.")
    training: Training = Field(default_factory=Training, description="Training recipe.")


class ViT(Network):
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


class ViTB16(Network):
    """The paper's ViT-B/16 at 224×224, of timm: a pretrained body and a new linear head."""

    batch_norm: ClassVar[bool] = False
    model: Literal["vit-b16"]
    weights: FirstWeights = Field(
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


class TorchvisionViTB16(Network):
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


def _is_network_name(name: str) -> str:
    if not re.fullmatch(r"\w+(\.[\w.-]+)?", name):
        raise ValueError(
            "is not the name of a network; accepted: one like resnet18, of its library"
        )
    return name


def _is_python_file(name: str) -> str:
    if not name.endswith(".py"):
        raise ValueError("must end in .py")
    return name


NetworkName = Annotated[str, AfterValidator(_is_network_name)]
HEAD_OF_WEIGHTS = "The head is kept where it has an output for each class, and is new elsewhere."


class TimmNetwork(Network):
    """Any network of timm, for images of any size and number of channels that it takes."""

    model: Literal["timm"]
    name: NetworkName = Field(
        description="As `timm.list_models()` has it; after a dot may stand a tag of timm's, which says "
        "whose normalisation and image size are meant: resnet50.a1_in1k. The tag loads no weights."
    )
    weights: FirstWeights = Field(
        None,
        description="Weights to start training from: a tag of timm's, a local file, or null: none. "
        + HEAD_OF_WEIGHTS,
    )
    training: Training = Field(default_factory=Training, description="Training recipe.")


class TorchvisionNetwork(Network):
    """Any classifier of torchvision, for images of 3 channels."""

    model: Literal["torchvision"]
    name: NetworkName = Field(
        description="As `torchvision.models.list_models(torchvision.models)` has it."
    )
    weights: FirstWeights = Field(
        None,
        description="Weights to start training from: torchvision's (IMAGENET1K_V1), a local file, or "
        "null: none. " + HEAD_OF_WEIGHTS,
    )
    training: Training = Field(default_factory=Training, description="Training recipe.")


class OwnNetwork(Network):
    """A network of one's own, that a Python file builds (docs/own-network.md)."""

    model: Literal["plugin"]
    file: Annotated[str, AfterValidator(_is_python_file)] = Field(
        description="Python file with a function `build(image_shape, num_classes)` that returns the "
        "network with fresh weights, relative to the project. A change of it, or of a module beside it "
        "that it imports, makes the models anew."
    )
    weights: WeightsFile | None = Field(
        None,
        description="Local file of weights to start training from; null: none. " + HEAD_OF_WEIGHTS,
    )
    training: Training = Field(default_factory=Training, description="Training recipe.")


Architecture = (
    ResNet18 | ViT | ViTB16 | TorchvisionViTB16 | TimmNetwork | TorchvisionNetwork | OwnNetwork
)


def _is_trained_or_pretrained(architecture: Architecture) -> Architecture:
    if not architecture.training.epochs and architecture.weights is None:
        raise ValueError("training.epochs = 0 needs pretrained `weights`")
    return architecture


AnyArchitecture = Annotated[
    Architecture, Field(discriminator="model"), AfterValidator(_is_trained_or_pretrained)
]
ARCHITECTURE: TypeAdapter[Architecture] = TypeAdapter(AnyArchitecture)
"""Reads the section of an architecture, by its key `model`."""
