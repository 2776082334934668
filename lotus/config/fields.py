"""Kinds of values that the sections of a configuration are made of."""

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

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


def as_list(value: Any) -> Any:
    """A list of one where a text is given in place of a list."""
    return [value] if isinstance(value, str) else value


class Section(BaseModel):
    """Base of all sections: an unknown key is an error, `"3"` is not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
