"""The experiment that a configuration file declares: typed, documented, checked before any job starts.

Each field's description is the manual; `config/schema.json` is generated from these classes
(`lotus schema`). Science only: cores, GPUs and partitions belong into the profiles.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from lotus.config import protocol
from lotus.errors import LotusError, choices
from lotus.formats.yaml_text import Place, parse, read_yaml
from lotus.names import composed, path_form, shown

SCIENTIFIC = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")


def _read_scientific(value: Any) -> Any:
    """YAML 1.1 takes `1e-3` (no dot) for text; readers mean a number."""
    if isinstance(value, str) and SCIENTIFIC.fullmatch(value):
        return float(value)
    return value


Real = Annotated[float, BeforeValidator(_read_scientific), Field(allow_inf_nan=False)]
PositiveReal = Annotated[Real, Field(gt=0)]
NonNegativeReal = Annotated[Real, Field(ge=0)]
Share = Annotated[Real, Field(gt=0, le=1)]
Level = Annotated[Real, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _known_protocol(name: str) -> str:
    try:
        return protocol.parse(name).name
    except LotusError as error:
        raise ValueError(str(error)) from None


ProtocolName = Annotated[str, AfterValidator(_known_protocol)]


class Section(BaseModel):
    """Base of all sections: an unknown key is an error, `"3"` is not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _from_low_to_high(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) != 2 or values[0] > values[1]:
        raise ValueError("must be [low, high] with 0 < low ≤ high")
    return values


class Affine(Section):
    """A random affine map about the middle of each image: nearest pixel, black outside."""

    shear: Annotated[Real, Field(ge=0, lt=90)] = Field(
        0.0, description="Largest angle in degrees, to either side, by which upright lines lean."
    )
    scale: Annotated[
        tuple[PositiveReal, ...], Field(strict=False), AfterValidator(_from_low_to_high)
    ] = Field(
        (1.0, 1.0),
        description="Least and largest factor by which an image is enlarged.",
        json_schema_extra={"minItems": 2, "maxItems": 2},
    )

    @property
    def is_random(self) -> bool:
        """Whether it changes anything."""
        return bool(self.shear) or self.scale != (1, 1)


class ColourJitter(Section):
    """Random factors of colour, each uniform in [max(0, 1 − v), 1 + v], applied in random order."""

    brightness: NonNegativeReal = Field(0.0, description="v of the distance to black.")
    contrast: NonNegativeReal = Field(
        0.0, description="v of the distance to the image's mean grey."
    )
    saturation: NonNegativeReal = Field(
        0.0, description="v of the distance to the pixel's own grey."
    )

    @property
    def is_random(self) -> bool:
        """Whether it changes anything."""
        return bool(self.brightness or self.contrast or self.saturation)


class Augmentation(Section):
    """Random changes of the training images, made on the device in the order of these keys."""

    crop_padding: NonNegativeInt = Field(
        0, description="Pixels added on each side before a random crop of the original size."
    )
    padding_mode: Literal["zero", "edge"] = Field(
        "zero", description="Added pixels are black, or repeat the nearest pixel of the image."
    )
    horizontal_flip: bool = Field(False, description="Mirror half of the images.")
    affine: Affine = Field(default_factory=Affine, description="Shear and scale.")
    colour_jitter: ColourJitter = Field(
        default_factory=ColourJitter, description="Brightness, contrast and saturation."
    )

    @property
    def is_random(self) -> bool:
        """Whether it changes anything."""
        return bool(
            self.crop_padding
            or self.horizontal_flip
            or self.affine.is_random
            or self.colour_jitter.is_random
        )


class StoreOptions(Section):
    """How the image store of a data set is built."""

    source: Name | None = Field(
        None, description="Registered data set (`lotus datasets`); default: the section's own name."
    )
    raw: str | None = Field(
        None,
        description="Folder or archive to take in place of the publisher's files (for `image-folder`: "
        "a folder of class folders or a CSV file); a path, or a name in the mirror.",
    )
    content: Annotated[str, Field(pattern=r"^(any|[0-9a-f]{64})$")] | None = Field(
        None,
        description="sha256 of the store's pixels and labels, accepted in place of the publisher's "
        "checksums (`lotus store` logs it); `any`: take the files as they are.",
    )
    limit: PositiveInt | None = Field(
        None, description="Only the first so many images of each class, of each part of the data."
    )
    side: PositiveInt | None = Field(
        None,
        description="Images of different sizes become squares of this side: the shorter side is "
        "resized to it, the middle is kept.",
    )
    mean: Annotated[tuple[Level, ...], Field(min_length=1, strict=False)] | None = Field(
        None, description="Per channel, on the 0–1 scale, for normalisation; default: the source's."
    )
    std: Annotated[tuple[PositiveReal, ...], Field(min_length=1, strict=False)] | None = Field(
        None, description="Per channel, like `mean`."
    )

    @model_validator(mode="after")
    def _normalised_by_both(self) -> "StoreOptions":
        if (self.mean is None) != (self.std is None) or len(self.mean or ()) != len(self.std or ()):
            raise ValueError("give mean and std, as many values each as there are channels")
        return self


class Dataset(Section):
    """How one data set is used; the data set itself is described in `lotus/data/sources/`."""

    store: StoreOptions = Field(
        default_factory=StoreOptions, description="Where its images come from."
    )
    augmentation: Augmentation = Field(
        default_factory=Augmentation, description="Applied to training, forget and retain images."
    )
    resize: PositiveInt | None = Field(
        None, description="Shorter side to which all images are resized on the device."
    )
    crop: PositiveInt | None = Field(
        None, description="Side of the square then cut from the middle of each image."
    )

    @model_validator(mode="after")
    def _crop_fits(self) -> "Dataset":
        if self.resize is not None and self.crop is not None and self.crop > self.resize:
            raise ValueError(f"crop ({self.crop}) must not exceed resize ({self.resize})")
        return self


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
        raise ValueError("is no name of weights; a file is named as {file: PATH, sha256: HEX}")
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


class Scenario(Section):
    """What is to be forgotten: a part of every class, the first images of all, or one whole class."""

    forget_fraction: Annotated[Real, Field(gt=0, lt=1)] | None = Field(
        None, description="Share of each class that is forgotten, in (0, 1). For `instance-…`."
    )
    forget_per_class: PositiveInt | None = Field(
        None, description="So many images of each class. For `…-N-per-class`."
    )
    forget_first: PositiveInt | None = Field(
        None,
        description="The first so many training images in data-set order, whatever their class. For "
        "`…-fixed`: MUFAC's forget set is the first rows of its list.",
    )
    forget_rule: Literal["first", "random"] = Field(
        "first",
        description="Which images of a class: `first` in data-set order, as the paper's code, hence "
        "the same for every seed; `random`: drawn with the run's seed.",
    )
    forget_class: Annotated[str, Field(min_length=1), AfterValidator(composed)] | None = Field(
        None,
        description="Name of the class that is forgotten, as the data set writes it (`Ankle boot`). For "
        "`class-…`.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Scenario":
        kinds = ("forget_fraction", "forget_per_class", "forget_first", "forget_class")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}")
        if self.forget_rule == "random" and not self.has_rule:
            raise ValueError("forget_rule = random: for forget_fraction and forget_per_class only")
        return self

    @property
    def has_rule(self) -> bool:
        """Whether images have to be chosen from each class."""
        return self.forget_fraction is not None or self.forget_per_class is not None

    @property
    def canonical_name(self) -> str:
        """`instance-10` for a tenth of every class, `class-ankle-boot` for the class Ankle boot.

        `…-5-per-class` and `…-fixed` may have a word before them.
        """
        if self.forget_class is not None:
            return f"class-{path_form(self.forget_class)}"
        if self.forget_per_class is not None:
            return f"{self.forget_per_class}-per-class"
        if self.forget_first is not None:
            return "fixed"
        return f"instance-{100 * (self.forget_fraction or 0):g}"

    @property
    def own_name(self) -> str:
        """The canonical name, of a class with digits that no other class's name has."""
        if self.forget_class is None:
            return self.canonical_name
        return f"class-{path_form(self.forget_class, told_apart=True)}"

    def is_called(self, name: str) -> bool:
        """Whether `name` says what is forgotten."""
        wanted = self.canonical_name
        counted = self.forget_per_class is not None or self.forget_first is not None
        return name in (wanted, self.own_name) or (counted and name.endswith(f"-{wanted}"))


class Method(BaseModel):
    """One row of the tables: an unlearning method with its hyper-parameters (`lotus methods`)."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    method: str | None = Field(
        None, description="Registered name; default: the row's own name. For variants of a method."
    )
    calibration: Name | None = Field(
        None,
        description="A data set of this file whose test images (its training images, if it has no "
        "others) the method gets in place of validation images. They must have the classes and the "
        "size of the benchmark's own.",
    )

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The remaining keys; the method's own dataclass checks them."""
        return dict(self.__pydantic_extra__ or {})


class Where(Section):
    """The part of the grid that an override is for; an absent key means all."""

    dataset: Name | None = Field(None, description="A data set of this file.")
    architecture: Name | None = Field(None, description="An architecture of this file.")
    scenario: Name | None = Field(None, description="A scenario of this file.")
    protocol: Literal["corrected", "released"] | None = Field(
        None,
        description="Rows as their own paper has them, or as the published code has them. A switch of "
        "a single method (`corrected+m1`) takes that method's row to `released`.",
    )

    def covers(
        self, dataset: str, architecture: str, scenario: str | None, column: str | None
    ) -> bool:
        """Whether the override applies; the last two are None for the original model."""
        return (
            self.dataset in (None, dataset)
            and self.architecture in (None, architecture)
            and self.scenario in (None, scenario)
            and self.protocol in (None, column)
        )


class Override(Section):
    """Other values for a part of the grid; later overrides win."""

    where: Where = Field(description="Which part.")
    methods: dict[Name, dict[str, Any]] = Field(
        default_factory=dict, description="Hyper-parameters by row name."
    )
    training: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of `training`; not together with a scenario or protocol.",
    )
    images: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of the data set's section but `store` (`augmentation` whole); not together "
        "with a scenario or protocol.",
    )


class Tuning(Section):
    """The one procedure by which hyper-parameters are chosen (`snakemake tune`).

    For each row and benchmark, `budget` candidates are drawn from the row's space, tried on models of
    `seeds`, and the one with the lowest mean objective wins. The objective reads forget, retain and
    validation images; never test images or the gold model.
    """

    budget: PositiveInt = Field(
        8, description="Candidates per row and benchmark; a smaller space is tried whole."
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] = Field(
        description="Models that candidates are tried on; none of the report's own seeds."
    )
    spaces: dict[Name, dict[str, Annotated[list[Any], Field(min_length=1)]]] = Field(
        description="By row: hyper-parameter → values to try."
    )


class Block(Section):
    """A full product of data sets, architectures and scenarios."""

    datasets: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    architectures: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    scenarios: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    protocols: Annotated[tuple[ProtocolName, ...], Field(min_length=1, strict=False)] = Field(
        ("corrected",),
        description="`corrected`: every method as its own paper defines it, textbook metrics; "
        "`released`: as the published code behaves; `corrected+m1`, `released-e1`: with single "
        "switches the other way (`lotus protocols`).",
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] | None = Field(
        None, description="Some of the file's seeds, for parts of less weight; default: all."
    )
    tables: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        (), description="What it is for, as `table1`: `snakemake table1` makes these parts alone."
    )
    methods: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] | None = Field(
        None, description="Some of the rows under `methods`; default: all."
    )
    gold: bool = Field(
        True,
        description="Retrain a gold model; false where that is too costly: metrics that need it are "
        "left out. Where blocks meet, in whichever studies, one that wants it is enough; single "
        "switches follow their base.",
    )
    study: Name | None = Field(
        None,
        description="Name for a question of its own: metrics, tables and figures of this block are "
        "kept apart from all others; models are shared.",
    )


class Data(Section):
    """Where raw files are looked for."""

    mirror: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(strict=False)] = Field(
        (),
        description="Folders or URLs that hold archives or unpacked folders; looked at, in this order, "
        "before anything is downloaded.",
    )


class Settings(Section):
    """An experiment."""

    title: str = Field("LoTUS", description="Heading of the report.")
    data: Data = Field(default_factory=Data, description="Where raw files are looked for.")
    limit: PositiveInt | None = Field(
        None,
        description="A small version of everything: `store.limit` of all data sets, whose names then "
        "end in `-limitN`, so that other results stay.",
    )
    plugins: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (),
        description="Python files or modules that register methods of your own; packages with an "
        "entry point need not be named.",
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] = Field(
        description="One original, gold and unlearned model per seed; each given once."
    )
    datasets: dict[Name, Dataset] = Field(description="Data sets (`lotus datasets`) and their use.")
    architectures: dict[Name, AnyArchitecture] = Field(description="Models and training recipes.")
    scenarios: dict[Name, Scenario] = Field(description="What is forgotten, by name.")
    methods: Annotated[dict[Name, Method], Field(min_length=1)] = Field(
        description="Rows of the tables beside original and gold."
    )
    grid: Annotated[tuple[Block, ...], Field(min_length=1, strict=False)] = Field(
        description="What is run: each block is a full product; blocks that meet are united."
    )
    overrides: Annotated[tuple[Override, ...], Field(strict=False)] = Field(
        (), description="Hyper-parameters and recipes for parts of the grid."
    )
    tuning: Tuning | None = Field(
        None, description="How hyper-parameters are tuned; the chosen ones stand under `overrides`."
    )


@dataclass(frozen=True, order=True)
class Benchmark:
    """One cell of the grid: what is compared in one table.

    Attributes:
        protocol: name of the protocol, '' where it does not matter.
        study: the study that it belongs to, '' for none.

    """

    dataset: str
    architecture: str
    scenario: str
    protocol: str = "corrected"
    study: str = ""

    @property
    def name(self) -> str:
        """The benchmark in file names."""
        place = f"{self.dataset}-{self.architecture}-{self.scenario}-{self.protocol}"
        return f"{place}-{self.study}" if self.study else place

    @property
    def labels(self) -> dict[str, str]:
        """The same in a metrics file; only cells of a study name one."""
        labels = asdict(self)
        return labels if self.study else {k: v for k, v in labels.items() if k != "study"}

    @property
    def outside_study(self) -> "Benchmark":
        """The same cell without its study: models know of none."""
        return replace(self, study="")

    def under(self, name: str) -> "Benchmark":
        """The same cell under another protocol."""
        return replace(self, protocol=name)


@dataclass(frozen=True)
class Extent:
    """What is run of a cell.

    Attributes:
        seeds, rows: in the order of the file.
        gold: whether a gold model is retrained.

    """

    seeds: tuple[int, ...]
    rows: tuple[str, ...]
    gold: bool


def benchmarks(settings: Settings) -> dict[Benchmark, Extent]:
    """The grid, in the order of the file: each cell once, with what all blocks want of it.

    A gold model that one study wants is there for all.
    """
    wanted: dict[Benchmark, list[Block]] = {}
    for block in settings.grid:
        axes = (block.datasets, block.architectures, block.scenarios, block.protocols)
        for place in product(*axes):
            wanted.setdefault(Benchmark(*place, block.study or ""), []).append(block)
    retrained = {
        cell.outside_study for cell, blocks in wanted.items() if any(b.gold for b in blocks)
    }
    return {
        cell: Extent(
            tuple(
                s for s in settings.seeds if any(s in (b.seeds or settings.seeds) for b in blocks)
            ),
            tuple(
                row
                for row in settings.methods
                if any(row in (b.methods or settings.methods) for b in blocks)
            ),
            cell.outside_study in retrained,
        )
        for cell, blocks in wanted.items()
    }


def training_of(settings: Settings, dataset: str, architecture: str) -> Training:
    """The recipe of one data set and architecture, overrides applied."""
    recipe = settings.architectures[architecture].training.model_dump()
    for override in settings.overrides:
        if override.where.covers(dataset, architecture, None, None):
            recipe |= override.training
    return Training(**recipe)


def images_of(settings: Settings, dataset: str, architecture: str) -> Dataset:
    """How one architecture is shown a data set, overrides applied."""
    use = settings.datasets[dataset].model_dump()
    for override in settings.overrides:
        if override.where.covers(dataset, architecture, None, None):
            use |= override.images
    return Dataset(**use)


def hyperparameters_of(
    settings: Settings, cell: Benchmark, row: str, column: protocol.Base
) -> dict[str, Any]:
    """What the file says for one row of one benchmark, overrides applied, defaults not filled in.

    Args:
        column: whether the row stands as its own paper has it or as the published code has it.

    """
    values = settings.methods[row].hyperparameters
    for override in settings.overrides:
        where = override.where
        if where.covers(cell.dataset, cell.architecture, cell.scenario, column):
            values |= override.methods.get(row, {})
    return values


@dataclass(frozen=True)
class Origin:
    """One of the files (or the command line) that a configuration was merged from.

    Attributes:
        lines: place of a value → its line, where there are lines.

    """

    name: str
    content: Mapping[str, Any]
    lines: Mapping[Place, int] = field(default_factory=dict)


def read_origin(path: Path) -> Origin:
    """Reads one YAML file.

    Raises:
        LotusError: absent, not a mapping, or as `read_yaml` says.

    """
    text = read_yaml(path)
    if text.content is None:
        raise LotusError(f"{shown(path)}: is empty; must be a mapping of settings")
    if not isinstance(text.content, dict):
        what = type(text.content).__name__
        raise LotusError(f"{shown(path)}: must be a mapping of settings, not {what}")
    return Origin(shown(path), text.content, text.lines)


def typed(value: Any) -> Any:
    """A value of Snakemake's `--config`, which leaves what is inside lists and mappings as text.

    `seeds=[3407]` means a number; texts become what YAML reads in them.

    Raises:
        LotusError: a text is not YAML, or YAML reads it otherwise than it is meant.

    """
    if isinstance(value, Mapping):
        return {key: typed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [typed(part) for part in value]
    return parse(value, "--config").content if isinstance(value, str) and value else value


def load(content: Mapping[str, Any], origins: Sequence[Origin]) -> Settings:
    """Validates a merged configuration.

    Args:
        content: the configuration as the workflow sees it.
        origins: where its parts came from, later ones win; for the messages only.

    Raises:
        LotusError: one line per mistake, each with file, key path, value and what is accepted.

    """
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        lines = [
            _explain(details, content, origins)
            for details in error.errors()
            # Also raised for a list whose items are all refused.
            if details["type"] != "too_short" or not details["input"]
        ]
        raise LotusError("\n".join(lines)) from None
    problems = [complain(origins, *problem) for problem in _inconsistencies(settings)]
    if problems:
        raise LotusError("\n".join(problems))
    return settings if settings.limit is None else _limited(settings, settings.limit)


def _limited(settings: Settings, limit: int) -> Settings:
    """The same experiment on the first images of each class, under names of its own."""

    def name(dataset: str) -> str:
        return f"{dataset}-limit{limit}"

    def cut(known: str, dataset: Dataset) -> Dataset:
        fewer = min(limit, dataset.store.limit or limit)
        source = dataset.store.source or known
        store = dataset.store.model_copy(update={"source": source, "limit": fewer})
        return dataset.model_copy(update={"store": store})

    def moved(override: Override) -> Override:
        if override.where.dataset is None:
            return override
        where = override.where.model_copy(update={"dataset": name(override.where.dataset)})
        return override.model_copy(update={"where": where})

    def calibrated(row: Method) -> Method:
        other = name(row.calibration) if row.calibration is not None else None
        return row.model_copy(update={"calibration": other})

    return settings.model_copy(
        update={
            # Applied; the result is a configuration of its own, which may be read again.
            "limit": None,
            "methods": {row: calibrated(it) for row, it in settings.methods.items()},
            "datasets": {name(known): cut(known, it) for known, it in settings.datasets.items()},
            "grid": tuple(
                block.model_copy(update={"datasets": tuple(map(name, block.datasets))})
                for block in settings.grid
            ),
            "overrides": tuple(map(moved, settings.overrides)),
        }
    )


T = TypeVar("T")


def check(kind: type[T] | TypeAdapter[T], content: Mapping[str, Any], place: str) -> T:
    """Validates one section that was given elsewhere than in a file, as in `--scenario '{…}'`.

    Raises:
        LotusError: one line per mistake, each with `place`, key, value and what is accepted.

    """
    try:
        adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
        return adapter.validate_python(dict(content))
    except ValidationError as error:
        lines = [_explain_section(details, place) for details in error.errors()]
        raise LotusError("\n".join(lines)) from None


def _explain_section(details: ErrorDetails, place: str) -> str:
    path = [part for part in details["loc"] if part not in _TAGGED]
    where = ".".join(str(part) for part in path)
    if details["type"] == "extra_forbidden":
        return f"{place}: {where}: unknown key"
    message = _worded(details["msg"])
    shown = "" if isinstance(details["input"], Mapping) else f" = {details['input']!r}"
    return f"{place}: {where or '(all)'}{shown}: {message}"


def complain(origins: Sequence[Origin], path: Sequence[str | int], value: Any, what: str) -> str:
    """`FILE: line N: key.path = value: what is wrong and what is accepted`."""
    place = ".".join(shown(str(part)) for part in path) or "(top level)"
    given = "" if value is None else f" = {value!r}"
    return f"{_place_of(origins, path)}: {place}{given}: {what}"


def _place_of(origins: Sequence[Origin], path: Sequence[str | int]) -> str:
    """The last origin that holds the longest part of `path`, and the line of that part."""

    def depth(origin: Origin) -> int:
        node: Any = origin.content
        for level, key in enumerate(path):
            if not _holds(node, key):
                return level
            node = node[key]
        return len(path)

    if not origins:
        return "configuration"
    origin = max(reversed(origins), key=depth)
    line = origin.lines.get(tuple(path[: depth(origin)]))
    return origin.name if line is None else f"{origin.name}: line {line}"


def _explain(details: ErrorDetails, content: Mapping[str, Any], origins: Sequence[Origin]) -> str:
    path, section = _locate(details["loc"], content)
    kind, value, message = details["type"], details["input"], details["msg"]
    if kind == "extra_forbidden":
        what, value = f"unknown key; {choices(str(path[-1]), section.model_fields)}", None
    elif kind == "missing":
        field = section.model_fields[str(path[-1])]
        what, value = f"is required: {field.description or 'see config/schema.json'}", None
    elif kind == "string_pattern_mismatch":
        what = (
            "accepted: 'any' or a sha256, 64 hexadecimal digits"
            if path[-1] == "content"
            else "accepted: lower-case letters, digits, '-' and '.'"
        )
    elif kind == "union_tag_not_found":
        what, value = f"needs the key 'model'; accepted: {', '.join(map(str, _MODELS))}", None
    elif kind in ("string_type", "invalid_key") and not isinstance(value, Mapping | list):
        what = f"must be a text; YAML reads {_kind_in_words(value)} here: write it in quotes"
        value = None if details["loc"][-1:] == ("[key]",) else value
    else:
        what = _worded(message)
        value = None if isinstance(value, Mapping) else value
    return complain(origins, path, value, what)


def _worded(message: str) -> str:
    """What pydantic says, in the words of a configuration file."""
    words = {
        "Value error, ": "",
        "Input should be": "must be",
        "a valid tuple": "a list",
        "a valid list": "a list",
        "a valid dictionary": "a mapping",
        "String should have at least 1 character": "must not be empty",
        "Tuple should have": "must have",
        "List should have": "must have",
        "Dictionary should have": "must have",
        " after validation, not 0": "",
    }
    for said, plain in words.items():
        message = message.replace(said, plain)
    return message


def _kind_in_words(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", date: "a date"}
    kinds |= {datetime: "a date", type(None): "nothing"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def _locate(
    loc: Sequence[str | int], content: Mapping[str, Any]
) -> tuple[list[str | int], type[BaseModel]]:
    """The path in the file (pydantic adds union tags and `[key]`) and the section it ends in."""
    path: list[str | int] = []
    section: type[BaseModel] = Settings
    node: Any = content
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        if part == "[key]":
            continue
        if not _holds(node, part) and (not last or part in _TAGGED):
            section = _TAGGED.get(part, section)
            continue
        path.append(part)
        if last:
            break
        section = _section_below(section, str(part))
        node = node[part]
    return path, section


def _holds(node: Any, part: str | int) -> bool:
    if isinstance(node, Mapping):
        return part in node
    return isinstance(node, list | tuple) and isinstance(part, int) and part < len(node)


_MODELS: dict[str | int, type[BaseModel]] = {
    "resnet18": ResNet18,
    "vit": ViT,
    "vit-b16": ViTB16,
    "torchvision-vit-b16": TorchvisionViTB16,
}
# Parts of pydantic's paths that are no keys of the file.
_TAGGED: dict[str | int, type[BaseModel]] = {
    **_MODELS,
    "weights-file": WeightsFile,
    "weights-name": Section,
}
_BELOW: dict[str, type[BaseModel]] = {
    "data": Data,
    "datasets": Dataset,
    "store": StoreOptions,
    "augmentation": Augmentation,
    "affine": Affine,
    "colour_jitter": ColourJitter,
    "scenarios": Scenario,
    "grid": Block,
    "overrides": Override,
    "where": Where,
    "training": Training,
    "tuning": Tuning,
}


def _section_below(section: type[BaseModel], key: str) -> type[BaseModel]:
    return _BELOW.get(key, section) if key in section.model_fields else section


Problem = tuple[list[str | int], Any, str]


def _inconsistencies(settings: Settings) -> Iterator[Problem]:
    """Mistakes that concern several keys at once."""
    for position, seed in enumerate(settings.seeds):
        if seed in settings.seeds[:position]:
            yield ["seeds", position], seed, "duplicate seed; each seed may be given once"
    for name, scenario in settings.scenarios.items():
        if not scenario.is_called(name):
            what = f"these values are the scenario '{scenario.canonical_name}'; name it so"
            yield ["scenarios", name], None, what
    declared: dict[str, Mapping[str, Any]] = {
        "datasets": settings.datasets,
        "architectures": settings.architectures,
        "scenarios": settings.scenarios,
        "methods": settings.methods,
    }
    for row, entry in settings.methods.items():
        if entry.calibration is not None and entry.calibration not in settings.datasets:
            what = f"not declared under 'datasets'; {choices(entry.calibration, settings.datasets)}"
            yield ["methods", row, "calibration"], entry.calibration, what
    for position, block in enumerate(settings.grid):
        if (block.study or "").split("-")[0] in (
            *protocol.BASES,
            *map(str.lower, protocol.REGISTER),
        ):
            what = "begins like a protocol or one of its switches; call the study otherwise"
            yield ["grid", position, "study"], block.study, what
        for axis, names in declared.items():
            for place, name in enumerate(getattr(block, axis) or ()):
                if name not in names:
                    what = f"not declared under '{axis}'; {choices(name, names)}"
                    yield ["grid", position, axis, place], name, what
        for place, seed in enumerate(block.seeds or ()):
            if seed not in settings.seeds:
                what = (
                    f"not among the file's seeds; accepted: {', '.join(map(str, settings.seeds))}"
                )
                yield ["grid", position, "seeds", place], seed, what
    yield from _taken_names(settings)
    for position, override in enumerate(settings.overrides):
        yield from _override_problems(settings, position, override)
    if settings.tuning is not None:
        yield from _tuning_problems(settings, settings.tuning)


TAKEN: Mapping[str, frozenset[str]] = {
    "datasets": frozenset(
        ("figures", "metrics", "paper", "records", "report", "tables", "timings", "tuning")
    ),
    "architectures": frozenset(("audit", "splits")),
    "tables": frozenset(("all", "audit", "claims", "evaluate", "publish", "tune", "unlearn")),
}
"""Names that stand for something else where these have theirs: folders of results, targets."""
ENDINGS = (".json", ".npz", ".csv", ".tex", ".svg", ".pdf", ".png", ".yaml", ".dvc", ".safetensors")


def _taken_names(settings: Settings) -> Iterator[Problem]:
    """Names that would share a file or a target with something else."""
    for axis in ("datasets", "architectures", "scenarios", "methods"):
        for name in getattr(settings, axis):
            if name in TAKEN.get(axis, ()) or name.endswith(ENDINGS):
                yield (
                    [axis, name],
                    None,
                    "this name is taken by files of the results; choose another",
                )
    for position, block in enumerate(settings.grid):
        for place, table in enumerate(block.tables):
            if table in TAKEN["tables"]:
                taken = ", ".join(sorted(TAKEN["tables"]))
                what = f"is a target of its own; accepted: any name but {taken}"
                yield ["grid", position, "tables", place], table, what
    owners: dict[str, Benchmark] = {}
    for cell in benchmarks(settings):
        other = owners.setdefault(cell.name, cell)
        if other != cell:
            parts = (" / ".join(filter(None, asdict(it).values())) for it in (other, cell))
            what = f"{' and '.join(parts)} would share the files {cell.name}; rename one of their parts"
            yield ["grid"], None, what


def _tuning_problems(settings: Settings, tuning: Tuning) -> Iterator[Problem]:
    for position, seed in enumerate(tuning.seeds):
        if seed in settings.seeds:
            what = "is one of the report's own seeds; tune on others"
            yield ["tuning", "seeds", position], seed, what
    for row in tuning.spaces:
        if row not in settings.methods:
            what = f"not declared under 'methods'; {choices(row, settings.methods)}"
            yield ["tuning", "spaces", row], None, what
        elif settings.methods[row].calibration is not None:
            what = "tuning knows no calibration set; tune a row without 'calibration'"
            yield ["tuning", "spaces", row], None, what


def _override_problems(settings: Settings, position: int, override: Override) -> Iterator[Problem]:
    root: list[str | int] = ["overrides", position]
    axes: list[tuple[str, Mapping[str, Any]]] = [
        ("dataset", settings.datasets),
        ("architecture", settings.architectures),
        ("scenario", settings.scenarios),
    ]
    for axis, names in axes:
        name = getattr(override.where, axis)
        if name is not None and name not in names:
            what = f"not declared under '{axis}s'; {choices(name, names)}"
            yield [*root, "where", axis], name, what
    for row in override.methods:
        if row not in settings.methods:
            what = f"not declared under 'methods'; {choices(row, settings.methods)}"
            yield [*root, "methods", row], None, what
    for section in ("training", "images"):
        for key in ("scenario", "protocol"):
            if getattr(override, section) and getattr(override.where, key) is not None:
                what = f"the original model serves every {key}; remove '{section}' or 'where.{key}'"
                yield [*root, section], None, what
    if "store" in override.images:
        what = "a store serves every architecture; declare a data set of its own"
        yield [*root, "images", "store"], None, what
    places: list[tuple[str, Mapping[str, Any], Any]] = [
        ("architecture", settings.architectures, lambda it: (it.training, override.training)),
        ("dataset", settings.datasets, lambda it: (it, override.images)),
    ]
    for section, (axis, declared, parts) in zip(("training", "images"), places, strict=True):
        for name, it in declared.items():
            if getattr(override.where, axis) in (None, name):
                base, given = parts(it)
                yield from _refused([*root, section], base, given)
    for name, architecture in settings.architectures.items():
        here = override.where.architecture in (None, name)
        if here and override.training.get("epochs") == 0 and architecture.weights is None:
            what = f"needs pretrained `weights`; architecture '{name}' has none"
            yield [*root, "training", "epochs"], 0, what
            return


def _refused(root: list[str | int], base: Section, given: dict[str, Any]) -> Iterator[Problem]:
    """What a section refuses of the keys given over its own."""
    fields = type(base).model_fields
    try:
        type(base)(**(base.model_dump() | given))
    except ValidationError as error:
        for details in error.errors():
            path = [part for part in details["loc"] if isinstance(part, str)]
            if details["type"] == "extra_forbidden" and len(path) == 1:
                what, value = f"unknown key; {choices(path[0], fields)}", None
            else:
                what = _worded(details["msg"])
                value = given.get(path[0]) if path else None
            yield [*root, *path], value, what
