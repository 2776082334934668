"""`methods`: the rows of the tables."""

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from lotus.config.fields import Name


class MethodEntry(BaseModel):
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
