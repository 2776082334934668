"""Audits of the images as the figures and the report read them."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from lotus.data.alike_pairs import pairs_between
from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.names import shown
from lotus.results.titles import benchmark_title

KEYS = ("dataset", "pictures", "distance", "classes", "parts", "across", "similarity", "groups")


@dataclass(frozen=True)
class AuditRow:
    """One part in the report's table; `pairs` with each part in order, itself included."""

    name: str
    images: int
    pairs: Sequence[int]
    dropped: int


@dataclass(frozen=True)
class AuditTable:
    """One audit as the report shows it."""

    title: str
    rows: Sequence[AuditRow]

    @property
    def images(self) -> int:
        """In all parts."""
        return sum(row.images for row in self.rows)

    @property
    def is_clean(self) -> bool:
        """Whether no two images are alike."""
        return not any(any(row.pairs) for row in self.rows)


class _LookalikesForm(BaseModel):
    model_config = ConfigDict(strict=True)


class _Picture(_LookalikesForm):
    shape: Annotated[list[PositiveInt], Field(min_length=3, max_length=3)]
    pixels: str

    @model_validator(mode="after")
    def _has_its_pixels(self) -> "_Picture":
        # Four letters for three bytes; the length first, since shapes can state any size.
        if len(self.pixels) != 4 * -(-prod(self.shape) // 3):
            raise ValueError("pixels are not those of an image of this shape")
        if len(b64decode(self.pixels, validate=True)) != prod(self.shape):
            raise ValueError("pixels are not those of an image of this shape")
        return self


class _AuditedPart(_LookalikesForm):
    images: NonNegativeInt
    pairs: NonNegativeInt
    dropped: NonNegativeInt
    class_counts: list[NonNegativeInt]


class _Similarity(_LookalikesForm):
    histogram: list[NonNegativeInt]


class _Group(_LookalikesForm):
    indices: list[NonNegativeInt]
    parts: list[str]
    labels: list[NonNegativeInt]
    hashes: list[str]


class _Audit(_LookalikesForm):
    """The part of an audit (`lotus.data.lookalikes.Audit`) that figures, the report and claims read."""

    dataset: str
    scenario: str = ""
    pictures: dict[str, _Picture]
    distance: NonNegativeInt
    classes: list[str]
    parts: dict[str, _AuditedPart]
    across: dict[str, NonNegativeInt]
    similarity: _Similarity | None
    groups: list[_Group]

    @model_validator(mode="after")
    def _fits_together(self) -> "_Audit":
        names = list(self.parts)
        for place, first in enumerate(names):
            if len(self.parts[first].class_counts) != len(self.classes):
                raise ValueError(f"parts.{first}.class_counts has not one number for each class")
            for other in names[place + 1 :]:
                if not {f"{first}-{other}", f"{other}-{first}"} & self.across.keys():
                    raise ValueError(f"across lacks {first}-{other}")
        return self


def read_audit(path: Path) -> dict[str, Any]:
    """Reads what `lotus duplicates` wrote.

    Raises:
        LotusError: absent or something else; names the part.

    """
    content = read_mapping(path)
    missing = [key for key in KEYS if key not in content]
    if missing:
        raise LotusError(
            f"{path}: is not an audit of `lotus duplicates`: it lacks {', '.join(missing)}"
        )
    try:
        _Audit.model_validate(content)
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"])) or "as a whole"
        raise LotusError(
            f"{shown(path)}: is not an audit of `lotus duplicates`: {shown(place)}: "
            f"{shown(found['msg'])}"
        ) from None
    return content


def audit_title(audit: Mapping[str, Any]) -> str:
    """Data set and scenario."""
    return benchmark_title(audit["dataset"], "", audit.get("scenario", ""))


def picture(audit: Mapping[str, Any], index: int) -> np.ndarray:
    """An image that the audit shows: uint8 `[H, W, C]`.

    Raises:
        LotusError: the audit does not hold it.

    """
    found = audit["pictures"].get(str(index))
    if found is None:
        raise LotusError(
            f"the audit of {shown(audit['dataset'])} holds no picture of image {index}; audit it again"
        )
    pixels = np.frombuffer(b64decode(found["pixels"]), np.uint8)
    shaped: np.ndarray = pixels.reshape(found["shape"])
    return shaped


def audit_table(path: Path) -> AuditTable:
    """The table of an audit.

    Raises:
        LotusError: it is absent or no audit.

    """
    audit = read_audit(path)
    rows = [
        AuditRow(
            name,
            part["images"],
            [pairs_between(audit, name, other) for other in audit["parts"]],
            part["dropped"],
        )
        for name, part in audit["parts"].items()
    ]
    return AuditTable(audit_title(audit), rows)
