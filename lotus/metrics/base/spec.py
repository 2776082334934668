"""The spec of a metric: all that is to be known of it beside its numbers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from lotus.errors import LotusError

Needs = Literal["gold", "original", "instances"]
NEEDS = ("gold", "original", "instances")
Best = Literal["lowest", "highest", "gold"]
BEST = ("lowest", "highest", "gold")
Better = Literal["lower", "higher"]
BETTER = {"lowest": "lower", "highest": "higher"}
Images = Literal["forget", "retain", "val", "test"]
IMAGES = ("forget", "retain", "val", "test")
LAST = 100
"""Place of a metric that does not say where it stands."""
TAKEN = frozenset(
    {"dataset", "architecture", "scenario", "study", "protocol", "row", "seed", "n", "collapsed"}
    | {"why", "same_as_original", "switch", "metric", "scope", "published", "source", "note"}
    | {"of_paper", "released", "corrected", "time", "points", "rows", "pearson", "spearman"}
)
"""Names that columns of tables have beside the metrics."""


@dataclass(frozen=True)
class AsReleased:
    """How the published code states a metric.

    Attributes:
        switches: those of the register that change it.
        rounded: what E3 does to the value of each run; None: nothing.
        forms: endings of columns in which the metric's values by other switches stand: `e4` for a column
            `NAME_released_e4`, which the metric's function gives as well.
        words: switch → what is done otherwise under it, as a sentence of the page.

    """

    switches: tuple[str, ...] = ()
    rounded: Callable[[float], float] | None = None
    forms: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class MetricSpec:
    """A metric: what readers and other code know of it.

    Attributes:
        name: its column in tables and its key in metrics files.
        label: head of its column on the page and in LaTeX, as plain text.
        unit: `share`, `nats`, …; '' for a plain number.
        best: which row of a table is marked: the `lowest`, the `highest`, or the one nearest to `gold`.
        claimed: which values a claim calls better, `lower` or `higher`; by default as `best` has it, and
            none where that is nearness to gold.
        limits: the least and the largest value there can be.
        needs: `gold`: the gold model, so there is none where none was retrained, nor for gold itself;
            `original`: the original model's predictions; `instances`: a forget set that is no whole class.
        terms: metrics of which it is the mean distance to gold; only Avg Gap has some.
        place: its place in the tables of means, from the left.
        is_printed: whether it is in LaTeX, on the page and in `dvc metrics`; a CSV has all.
        words: its formula in words, a sentence or two; '' where none is stated.
        symbols: its formula in symbols, as text; `_{…}` stands for what is set lower.
        images: the splits whose predictions it is computed from; by default all.
        counts: the split whose images it counts: its values are multiples of 1 / their number; None of
            what is no such share.
        released: how the published code states it.

    Raises:
        LotusError: the name cannot be one of a column, there is no label, or a word is unknown.

    """

    name: str
    label: str
    unit: str = ""
    best: Best = "gold"
    claimed: Better | None = None
    limits: tuple[float, float] = (-inf, inf)
    needs: tuple[Needs, ...] = ()
    terms: tuple[str, ...] = ()
    place: int = LAST
    is_printed: bool = True
    words: str = ""
    symbols: str = ""
    images: tuple[Images, ...] = IMAGES  # type: ignore[assignment]
    counts: Images | None = None
    released: AsReleased = AsReleased()

    def __post_init__(self) -> None:
        if problem := _unfit(self.name):
            raise LotusError(f"metric {self.name!r}: {problem}; choose another name")
        if not isinstance(self.label, str) or not self.label.strip():
            raise LotusError(f"metric '{self.name}': needs a label, which heads its column")
        if self.best not in BEST:
            raise LotusError(
                f"metric '{self.name}': best = {self.best!r}; accepted: {', '.join(BEST)}"
            )
        if self.claimed not in (None, *BETTER.values()):
            raise LotusError(
                f"metric '{self.name}': claimed = {self.claimed!r}; accepted: lower, higher"
            )
        if isinstance(self.needs, str) or not {*self.needs} <= {*NEEDS}:
            raise LotusError(
                f"metric '{self.name}': needs = {self.needs!r}; accepted: a tuple of any of "
                f"{', '.join(NEEDS)}"
            )
        for key in ("words", "symbols"):
            if not isinstance(getattr(self, key), str):
                raise LotusError(
                    f"metric '{self.name}': {key} = {getattr(self, key)!r}; accepted: a text"
                )
        if isinstance(self.images, str) or not self.images or not {*self.images} <= {*IMAGES}:
            raise LotusError(
                f"metric '{self.name}': images = {self.images!r}; accepted: a tuple of some of "
                f"{', '.join(IMAGES)}"
            )
        if self.counts not in (None, *IMAGES):
            raise LotusError(
                f"metric '{self.name}': counts = {self.counts!r}; accepted: {', '.join(IMAGES)}"
            )

    @property
    def better(self) -> str:
        """Returns the values that a claim calls better; '' where it can call none so."""
        return self.claimed or BETTER.get(self.best, "")

    @property
    def forms(self) -> tuple[str, ...]:
        """Columns with its values as the published code computes them."""
        return tuple(f"{self.name}_released_{form}" for form in self.released.forms)


def _unfit(name: object) -> str:
    """Returns why a metric's name cannot be that of a column; '' if it can."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        return (
            "a column's name consists of lower-case letters, digits and single '_', and begins "
            "with a letter"
        )
    if name in TAKEN:
        return "tables already have a column of this name"
    if name.endswith(("_std", "_distance")) or "_released" in name:
        return (
            "names with '_std' at the end are for deviations, those with '_distance' for distances to "
            "gold, and those with '_released' for the published conventions"
        )
    return ""
