"""`privacy`: models that are trained for nothing but membership attacks."""

from pydantic import Field

from lotus.config.counts import MOST_MODELS
from lotus.config.fields import Section

FIRST_SHADOW = 1_000_000
"""Seed of the first shadow; an even one and the next have halves with no image in common."""


def seeds_of_shadows(count: int) -> tuple[int, ...]:
    """Seeds of so many shadows: the same for whoever wants some, so that their halves are shared."""
    return tuple(range(FIRST_SHADOW, FIRST_SHADOW + count))


class Privacy(Section):
    """Shadow models for U-LiRA, in each benchmark under `corrected` that is of no study.

    Each shadow has an original that is trained on a random half of the training images, which every method
    of the benchmark then makes forget those forget images that it has.
    """

    shadows: int = Field(
        16,
        ge=4,
        le=MOST_MODELS,
        multiple_of=2,
        description="Number of shadow models, even: each image is in half of them. Each takes an "
        "original on half of the training images, and one run of every method.",
    )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the shadows."""
        return seeds_of_shadows(self.shadows)
