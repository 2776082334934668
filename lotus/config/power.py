"""`power`: what the auditors are audited by."""

from math import ceil
from typing import Annotated

from pydantic import Field, model_validator

from lotus.config.counts import MOST_MODELS, SomeModels
from lotus.config.fields import Name, Real, Section, Seed
from lotus.config.grid import ProtocolName
from lotus.config.privacy import seeds_of_shadows


def golds_needed(level: float) -> int:
    """How many golds have to calibrate, so that the share of them that an alarm is to have can be told."""
    return ceil(round(1 / level, 9)) - 1


def calibrating_shadows(shadows: int) -> int:
    """How many gold shadows calibrate: those of half of the pairs, since a pair has all images together."""
    return 2 * ceil(shadows / 4)


class Power(Section):
    """How measures and attacks are tried (`snakemake power`), on one benchmark of the grid.

    Models whose truth is known are trained: golds, models that kept half of the forget set or all of it.
    """

    dataset: Name = Field(description="Data set of the benchmark.")
    architecture: Name = Field(description="Its architecture.")
    scenario: Name = Field(description="What is forgotten there.")
    protocols: Annotated[tuple[ProtocolName, ...], Field(min_length=1, strict=False)] | None = (
        Field(
            None,
            description="In whose conventions they are tried; default: corrected and released, as far as "
            "the benchmark is run so. Models are shared where these do not tell them apart.",
        )
    )
    seed: Seed | None = Field(
        None,
        description="Whose splits, original and gold are taken; default: the first of the seeds.",
    )
    golds: SomeModels = Field(
        20, description="Golds that alarms are calibrated by; at least 1 / level − 1."
    )
    fresh: SomeModels = Field(20, description="Other golds, which are to raise no alarm.")
    references: Annotated[SomeModels, Field(ge=2)] = Field(
        8, description="Golds and originals that attacks compare with; beside all others."
    )
    models: SomeModels = Field(
        10,
        description="Models that kept half of the forget set, and as many that kept all of it, to which "
        "nothing is done. Of these the fakes are made.",
    )
    shadows: Annotated[int, Field(ge=0, le=MOST_MODELS, multiple_of=2)] = Field(
        0,
        description="Shadow models by which U-LiRA is tried, even; 0: it is not. Of each are trained, on a "
        "random half of the training images, a gold, one that kept half of its part of the forget set, and "
        "one that kept all of it. Half of their pairs calibrate.",
    )
    level: Annotated[Real, Field(gt=0, lt=1)] = Field(
        0.05, description="Share of golds that may raise an alarm."
    )

    @model_validator(mode="after")
    def _can_reach_its_level(self) -> "Power":
        needed = golds_needed(self.level)
        if self.golds < needed:
            raise ValueError(
                f"golds = {self.golds} cannot reach level {self.level:g}: it takes at least {needed}"
            )
        if self.shadows and calibrating_shadows(self.shadows) < needed:
            raise ValueError(
                f"shadows = {self.shadows} cannot reach level {self.level:g}: half of their pairs "
                f"calibrate, and it takes {needed} models for that"
            )
        protocols = self.protocols or ()
        if len({*protocols}) < len(protocols):
            raise ValueError(f"protocols = {', '.join(protocols)}: one is named twice")
        return self

    @property
    def shadow_seeds(self) -> tuple[int, ...]:
        """Seeds of the shadows."""
        return seeds_of_shadows(self.shadows)
