"""`overrides`: hyper-parameters and recipes for parts of the grid."""

from typing import Any, Literal

from pydantic import (
    Field,
    PositiveInt,
)

from lotus.config.fields import Name, NonNegativeReal, Section


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


class Chosen(Section):
    """What `snakemake tune` found of the candidate that it chose for a row."""

    objective: NonNegativeReal = Field(description="Its mean objective over the tuning seeds.")
    spread: NonNegativeReal | None = Field(
        None, description="Standard deviation of the objective over these seeds."
    )
    seeds: PositiveInt = Field(description="Number of tuning seeds.")
    candidates: PositiveInt = Field(description="Number of candidates that it was chosen from.")


class Override(Section):
    """Other values for a part of the grid; later overrides win."""

    where: Where = Field(description="Which part.")
    methods: dict[Name, dict[str, Any]] = Field(
        default_factory=dict, description="Hyper-parameters by row name."
    )
    source: str = Field(
        "",
        description="Where these hyper-parameters are from, in words, as the report says it; nothing: they "
        "are chosen by hand. Not for rows that are `tuned`.",
    )
    tuned: dict[Name, Chosen] = Field(
        default_factory=dict,
        description="By row name, what tuning found of the values in `methods`; `snakemake tune` says it.",
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
