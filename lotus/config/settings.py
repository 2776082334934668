"""The experiment that a configuration file declares: typed, documented, checked before any job starts.

Each field's description is the manual; `config/schema.json` is generated from these classes
(`lotus schema`). Science only: cores, GPUs and partitions belong into the profiles.
"""

from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
)

from lotus.config.architectures import AnyArchitecture
from lotus.config.counts import MOST_MODELS
from lotus.config.fields import Name, Section, Seed, as_list
from lotus.config.grid import Block
from lotus.config.images import Dataset
from lotus.config.methods import MethodEntry
from lotus.config.overrides import Override
from lotus.config.power import Power
from lotus.config.privacy import Privacy
from lotus.config.scenarios import Scenario
from lotus.config.seeds import SeedApart
from lotus.config.tuning import Tuning


class Data(Section):
    """Where raw files are looked for."""

    mirror: Annotated[tuple[str, ...], BeforeValidator(as_list), Field(strict=False)] = Field(
        (),
        description="Folders or URLs that hold archives or unpacked folders; looked at, in this order, "
        "before anything is downloaded.",
    )


class Settings(Section):
    """An experiment."""

    based_on: str | None = Field(
        None,
        description="Another configuration in the same folder, over which this one is merged: mappings key "
        "by key, lists as a whole.",
    )
    title: str = Field("LoTUS", description="Heading of the report.")
    further: str | None = Field(
        None,
        description="What other configurations measure, and how they are run; the report says it in its "
        "overview.",
    )
    data: Data = Field(default_factory=Data, description="Where raw files are looked for.")
    limit: PositiveInt | None = Field(
        None,
        description="A small version of everything: `store.limit` of all data sets, whose names then "
        "end in `-limitN`, so that other results stay.",
    )
    plugins: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (),
        description="Python files or modules that register methods of your own; packages with an "
        "entry point need not be named.",
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] = Field(
        description="One original, gold and unlearned model per seed; each given once."
    )
    gold_seeds: int = Field(
        0,
        ge=0,
        le=MOST_MODELS,
        description="So many more gold models for each seed and cell that has one: the same images, other "
        "first weights and batches. How far they are from gold is the floor under every distance to gold "
        "(docs/floor.md); golds of other seeds count too where the forget set is the same.",
    )
    seeds_apart: Annotated[tuple[SeedApart, ...], Field(strict=False)] = Field(
        (),
        description="Seeds whose kinds of randomness (split, initialisation, batches, noise) have seeds of "
        "their own, so that one can be varied and the others kept: what each contributes is then told by "
        "`results/tables/components.csv` (config/fashion-variance.yaml).",
    )
    datasets: dict[Name, Dataset] = Field(description="Data sets (`lotus datasets`) and their use.")
    architectures: dict[Name, AnyArchitecture] = Field(description="Models and training recipes.")
    scenarios: dict[Name, Scenario] = Field(description="What is forgotten, by name.")
    methods: Annotated[dict[Name, MethodEntry], Field(min_length=1)] = Field(
        description="Rows of the tables beside original and gold."
    )
    grid: Annotated[tuple[Block, ...], Field(min_length=1, strict=False)] = Field(
        description="What is run: each block is a full product; blocks that meet are united."
    )
    overrides: Annotated[tuple[Override, ...], Field(strict=False)] = Field(
        (), description="Hyper-parameters and recipes for parts of the grid."
    )
    privacy: Privacy | None = Field(
        None,
        description="Shadow models for membership attacks with more power (docs/attacks.md); their "
        "number and time are said before they start.",
    )
    tuning: Tuning | None = Field(
        None, description="How hyper-parameters are tuned; the chosen ones stand under `overrides`."
    )
    power: Power | None = Field(
        None,
        description="On which benchmark measures and attacks are tried themselves: how often they raise "
        "alarm on golds, on doing nothing, and on faked forgetting (`snakemake power`, docs/power.md).",
    )

    @property
    def own_code(self) -> tuple[str, ...]:
        """Plug-ins, and the files that build networks of one's own, which no plan imports."""
        networks = (it.file for it in self.architectures.values() if it.model == "plugin")
        return (*self.plugins, *networks)

    def apart(self, seed: int) -> dict[str, int]:
        """Returns the seeds of the kinds of randomness that have their own under a seed; mostly none."""
        return next((each.given() for each in self.seeds_apart if each.seed == seed), {})
