"""`seeds_apart`: seeds of which the kinds of randomness are seeded each for itself."""

from collections.abc import Mapping

from pydantic import Field

from lotus.config.fields import Section, Seed

AXES = ("split", "initialisation", "batches", "noise")
"""The kinds of randomness that a seed decides."""
AXIS_OF = {
    "kept": "split",
    "weights": "initialisation",
    "batches": "batches",
    "unlearn": "noise",
    "untrained": "noise",
    "evaluation": "noise",
}
"""What a run draws randomness for → the kind that it is of."""


class Axes(Section):
    """A seed for each kind of randomness; what is not given follows from the seed itself."""

    split: Seed | None = Field(
        None,
        description="Which images are validated and tested on, and with `forget_rule: random` forgotten.",
    )
    initialisation: Seed | None = Field(
        None, description="First weights of the original and of gold, which start alike."
    )
    batches: Seed | None = Field(
        None,
        description="Order and augmentation of the batches that original and gold are trained on.",
    )
    noise: Seed | None = Field(
        None, description="All that a method draws, the order of its batches included."
    )

    def given(self) -> dict[str, int]:
        """Returns the kinds with a seed of their own, and these."""
        return {axis: getattr(self, axis) for axis in AXES if getattr(self, axis) is not None}


class SeedApart(Axes):
    """One of `seeds`, and the seeds of its kinds of randomness."""

    seed: Seed = Field(description="One of `seeds`: models are filed and tables named by it.")


def seed_of(seed: int, apart: Mapping[str, int], axis: str) -> int:
    """Returns the seed of a kind of randomness: its own if it has one."""
    return apart.get(axis, seed)


SPLIT_SEED = "split_seed"
"""Under which a record has the seed that images were drawn by, where it is not that of the runs."""


def drawn_by(split_seed: int | None) -> dict[str, int]:
    """Returns what the record of a split says of its own seed: nothing where it has none."""
    return {} if split_seed is None else {SPLIT_SEED: split_seed}
