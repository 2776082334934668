"""`tuning`: how hyper-parameters are chosen."""

from typing import Annotated, Any

from pydantic import (
    Field,
    PositiveInt,
)

from lotus.config.fields import Name, Section, Seed

FEWEST_SEEDS = 3
"""With fewer, the spread of the objective is not known."""


class Tuning(Section):
    """The one procedure by which hyper-parameters are chosen (`snakemake tune`).

    For each row and benchmark, `budget` candidates are drawn from the row's space, tried on models of
    `seeds`, and the one with the lowest mean objective wins. The objective reads forget, retain and
    validation images; never test images or the gold model. Candidates that differ only in what plays no
    part in a benchmark are one, and a space with fewer than `budget` is refused: rows get equally many.
    """

    budget: PositiveInt = Field(
        8, description="Distinct candidates of each row in each benchmark; no space may have fewer."
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] = Field(
        description="Models that candidates are tried on, three at least, so that the spread of the "
        "objective is known; none of the report's own seeds."
    )
    spaces: dict[Name, dict[str, Annotated[list[Any], Field(min_length=1)]]] = Field(
        description="By row: hyper-parameter → values to try."
    )
