"""The case that a metric's function is given, and `measures`, which ties the function to its specs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lotus.metrics.base.spec import LAST, MetricSpec, Needs
from lotus.predictions.predictions_file import Split

Values = Mapping[str, float | None]
"""Column → value; None where it is undefined."""


@dataclass(frozen=True)
class Case:
    """One model and what it is measured against, all of the same images.

    Attributes:
        model: its predictions on the splits `forget`, `retain`, `val` and `test`. Beside them there may be
            `calibration` (synthetic images) and `mia.…` (what the attack sees instead).
        seed: of what is drawn at random.
        class_forgetting: the forget set is all there is of its classes.
        original: predictions of the original model; empty for a metric that does not say it needs them.
        gold: those of the gold model; empty likewise.
        scores, gold_scores: column → value, of the model and of gold, of each metric that does not need
            gold; empty as `gold`.

    """

    model: Mapping[str, Split]
    seed: int
    class_forgetting: bool
    original: Mapping[str, Split] = field(default_factory=dict)
    gold: Mapping[str, Split] = field(default_factory=dict)
    scores: Values = field(default_factory=dict)
    gold_scores: Values = field(default_factory=dict)


Function = Callable[[Case], float | Values | None]


@dataclass(frozen=True)
class Family:
    """Metrics that one function computes.

    Attributes:
        function: gives the value of a single metric, or the values of several by column. None, NaN and a
            column that is left out mean undefined.
        column: place of its columns among those of other families.

    """

    function: Function
    specs: tuple[MetricSpec, ...]
    column: int

    def __call__(self, case: Case) -> float | Values | None:
        """The metrics of one model."""
        return self.function(case)

    @property
    def columns(self) -> tuple[str, ...]:
        """The metrics, then their forms by the published code."""
        forms = (form for spec in self.specs for form in spec.forms)
        return (*(spec.name for spec in self.specs), *forms)

    @property
    def is_of_instances(self) -> bool:
        """Whether nothing of it is defined where a whole class is forgotten."""
        return all("instances" in spec.needs and not spec.forms for spec in self.specs)

    def seen(self, case: Case) -> Case:
        """The case with what these metrics say they need of the other models, and no more."""
        unseen: dict[str, Any] = {}
        if not self.needs("original"):
            unseen |= {"original": {}}
        if not self.needs("gold"):
            unseen |= {"gold": {}, "scores": {}, "gold_scores": {}}
        return replace(case, **unseen)

    def needs(self, what: Needs) -> bool:
        """Whether any of its metrics needs it."""
        return any(what in spec.needs for spec in self.specs)


def measures(*specs: MetricSpec, column: int = LAST) -> Callable[[Function], Family]:
    """Makes a function of a `Case` the one that computes these metrics; `column` as in `Family`."""
    return lambda function: Family(function, specs, column)
