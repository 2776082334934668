"""`datasets`: how a data set's store is built, and how its images are shown to a network."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from lotus.config.fields import Level, Name, NonNegativeReal, PositiveReal, Real, Section

MOST_SIDE = 2**14
"""Pixels: as much as an image of `lotus.data.decode` may have, if it is a square."""


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
    held_out: Annotated[Real, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Share of each class that is held out, drawn once for all runs: for class folders that "
        "lie in no train, val and test, and for a CSV file without the column `split`.",
    )
    side: PositiveInt | None = Field(
        None,
        le=MOST_SIDE,
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
            raise ValueError("give both mean and std, each with one value for each channel")
        return self


class Dataset(Section):
    """How a data set is used; the data set itself is described in `lotus/data/sources/`."""

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
