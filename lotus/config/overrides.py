"""`overrides`: hyper-parameters and recipes for parts of the grid."""

from typing import Any, Literal

from pydantic import (
    Field,
)

from lotus.config.fields import Name, Section


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
