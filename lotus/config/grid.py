"""`grid`: what is run."""

from typing import Annotated

from pydantic import AfterValidator, Field

from lotus.config import protocol
from lotus.config.fields import Name, Section, Seed
from lotus.errors import LotusError


def _known_protocol(name: str) -> str:
    try:
        return protocol.parse(name).name
    except LotusError as error:
        raise ValueError(str(error)) from None


ProtocolName = Annotated[str, AfterValidator(_known_protocol)]


class Block(Section):
    """A full product of data sets, architectures and scenarios."""

    datasets: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    architectures: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    scenarios: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    protocols: Annotated[tuple[ProtocolName, ...], Field(min_length=1, strict=False)] = Field(
        ("corrected",),
        description="`corrected`: every method as its own paper defines it, textbook metrics; "
        "`released`: as the published code behaves; `corrected+m1`, `released-e1`: with single "
        "switches the other way (`lotus protocols`).",
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] | None = Field(
        None, description="Some of the file's seeds, for parts of less weight; default: all."
    )
    tables: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        (), description="What it is for, as `table1`: `snakemake table1` makes these parts alone."
    )
    methods: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] | None = Field(
        None, description="Some of the rows under `methods`; default: all."
    )
    gold: bool = Field(
        True,
        description="Retrain a gold model; false where that is too costly: metrics that need it are "
        "left out. Where blocks meet, in whichever studies, one that wants it is enough; single "
        "switches follow their base.",
    )
    study: Name | None = Field(
        None,
        description="Name for a question of its own: metrics, tables and figures of this block are "
        "kept apart from all others; models are shared.",
    )
