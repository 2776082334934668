"""Under which conventions a metric is stated, and the name that says so.

Under `corrected` a metric stands as itself: `jsd`. Under a protocol with released conventions its name
lists the switches that are on and concern it: `jsd_released_e3_e4`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from lotus.config.protocol import SWITCHES, Protocol, parse
from lotus.layout import GOLD, GOLD_AGAIN
from lotus.metrics.avg_gap import GAP_TERMS
from lotus.metrics.base import MetricSpec, registry
from lotus.metrics.base.released import round_share
from lotus.metrics.membership import SYNTHETIC
from lotus.results.further_golds import beside_gold, further_golds, golds_of_every_seed

Numbers = TypeVar("Numbers", pd.Series, pd.DataFrame)

DISTANCE = "_distance"
"""Ending of columns with the mean distance of a metric to gold."""
SCALE = 1e4
"""Published tables print divergences × 10⁴."""


@dataclass(frozen=True)
class Form:
    """How one metric is stated.

    Attributes:
        spec: what it is.
        name: the name that carries the convention; its plain name in textbook form.
        source: field of a metrics file that it is made of.
        rounded: what is done to each run's value; None for nothing.
        of_means: whether it is the published Avg Gap, of means instead of seeds.

    """

    spec: MetricSpec
    name: str
    source: str
    rounded: Callable[[float], float] | None
    of_means: bool

    @property
    def metric(self) -> str:
        """Its plain name."""
        return self.spec.name

    @property
    def is_released(self) -> bool:
        """Whether any published convention is in it."""
        return self.name != self.metric

    @property
    def _is_scaled(self) -> bool:
        return "_e4" in self.name

    @property
    def scale(self) -> float:
        """The factor of a value in print."""
        return SCALE if self._is_scaled else 1.0

    @property
    def decimals(self) -> int:
        """Decimals in print."""
        if self.of_means:
            return 4
        return 2 if self._is_scaled or self.rounded is round_share else 3

    @property
    def resolution(self) -> int:
        """Decimals of the value itself that print shows."""
        return self.decimals + (4 if self._is_scaled else 0)

    @property
    def title(self) -> str:
        """Head of a column."""
        if not self.is_released:
            return self.spec.label
        return f"{self.spec.label} (as released{', ×10⁴' if self._is_scaled else ''})"


def protocol_of(frame: pd.DataFrame) -> Protocol:
    """The one protocol of a frame.

    Raises:
        ValueError: the frame is empty or mixes protocols.

    """
    (name,) = frame["protocol"].unique()
    return parse(str(name))


def form_of(metric: str, protocol: Protocol, frame: pd.DataFrame) -> Form:
    """The form that a protocol gives a metric.

    Args:
        frame: where values come from; E5 counts only if they hold what it is made of, which needs
            E6 and a synthetic calibration set.

    """
    spec = registry.specs()[metric]
    concerned = [s for s in SWITCHES if s in spec.released.switches and protocol.has(s)]
    if "E5" in concerned and not ("E6" in concerned and frame[SYNTHETIC].notna().any()):
        concerned.remove("E5")
    on = [switch.lower() for switch in concerned]
    return Form(
        spec=spec,
        name=_named(metric, on),
        source=_source(spec, [switch for switch in on if switch != "e3"]),
        rounded=spec.released.rounded if "e3" in on else None,
        of_means=bool(spec.terms) and "e3" in on,
    )


def _named(metric: str, switches: list[str]) -> str:
    return "_".join([metric, "released", *switches]) if switches else metric


def _source(spec: MetricSpec, switches: list[str]) -> str:
    name = _named(spec.name, switches)
    # No file has a gap by the attack of E5: it is made of its terms.
    has = name in (spec.name, *spec.forms)
    return name if has else _named(spec.name, [switch for switch in switches if switch != "e5"])


@dataclass(frozen=True, eq=False)
class StatedRuns:
    """Runs with their metrics as a protocol states them, each of which is worked out once.

    Under E3 accuracies and MIA are rounded to 2 decimals, JSD and RF-JSD to 6. The published Avg Gap
    is one of means (`released_gaps`); of single runs it is the gap between rounded terms. E5 concerns
    models with a calibration set; beside them others, gold too, are stated without it.

    Attributes:
        frame: of one protocol, as `load_metrics` gives it; runs of several seeds.
        protocol: in whose conventions.

    """

    frame: pd.DataFrame
    protocol: Protocol

    @cached_property
    def golds(self) -> pd.DataFrame:
        """The single golds behind the row `gold-again`, as `further_golds` gives them."""
        return further_golds(self.frame)

    @cached_property
    def golds_as_runs(self) -> "StatedRuns":
        """The runs of gold, and after them the single golds, stated as a method is."""
        return StatedRuns(beside_gold(self.frame, self.golds), self.protocol)

    @cached_property
    def golds_of_every_seed(self) -> "StatedRuns":
        """The same, of those single golds that each seed has one of."""
        return StatedRuns(golds_of_every_seed(self.frame), self.protocol)

    @cached_property
    def values(self) -> Callable[[str], pd.Series]:
        """Metric → its value of every run; the name of the values carries the convention."""
        return cache(self._values)

    @cached_property
    def distances(self) -> Callable[[str], pd.Series]:
        """Metric → each run's distance to gold of the same seed; NaN for gold itself.

        For `gold-again` this is the mean over its golds, which is not the distance of their mean.
        """
        return cache(self._distances)

    def form(self, metric: str) -> Form:
        """Returns how a metric is stated here."""
        return form_of(metric, self.protocol, self.frame)

    def released_gaps(self) -> pd.Series:
        """Returns the published Avg Gap (E3), by row; NaN for gold and where a term is undefined.

        Per term: mean over seeds of the rounded values, rounded to 2 decimals, and its distance to gold's;
        the mean of the four distances is rounded to 4 decimals. A difference of means: it has no deviation.
        Of `gold-again` it is the mean over the golds that each seed has one of. Golds of other seeds are
        none: over all seeds they are the same models as gold, and means of the same models do not differ.
        """
        gaps = self._gaps_of_means()
        if GOLD_AGAIN in gaps.index:
            of_golds = self.golds_of_every_seed._gaps_of_means().drop(index=GOLD, errors="ignore")
            gaps[GOLD_AGAIN] = of_golds.mean(skipna=False)
        return gaps

    def _values(self, metric: str) -> pd.Series:
        form = self.form(metric)
        found = self._in_form(form)
        if len(self.golds):
            # Each gold is rounded as a method is, before their mean is taken.
            found = self._with_means(found, self.golds_as_runs._in_form(form))
        return found.rename(form.name)

    def _distances(self, metric: str) -> pd.Series:
        found = self.values(metric)
        gold = self._of_gold(found)
        apart = (found - gold.reindex(self.frame["seed"]).to_numpy()).abs()
        if len(self.golds):
            apart = self._with_means(apart, self.golds_as_runs.distances(metric))
        return apart.where(~self._is_gold).rename(f"{found.name}{DISTANCE}")

    def _in_form(self, form: Form) -> pd.Series:
        """A metric of every run in a form; of `gold-again` not the mean over its golds."""
        if form.spec.terms and ("_e3" in form.name or "_e5" in form.name):
            return self._gaps(form.spec.terms)
        found = self.frame[form.source]
        if "_e5" in form.name:
            found = found.fillna(self.frame[form.source.replace("_e5", "")])
        if form.rounded is not None:
            found = found.map(form.rounded, na_action="ignore")
        return found

    def _gaps(self, names: Sequence[str]) -> pd.Series:
        """Per run: mean distance of the terms to gold of the same seed."""
        terms = pd.DataFrame({term: self.values(term) for term in names})
        expected = self._of_gold(terms).reindex(self.frame["seed"]).to_numpy()
        gaps = (terms - expected).abs().mean(axis=1, skipna=False)
        return gaps.where(~self._is_gold)

    def _gaps_of_means(self) -> pd.Series:
        rows = self.frame["row"]
        means = pd.DataFrame(
            {
                term: self.values(term)
                .groupby(rows, sort=False)
                .agg(lambda of_seeds: of_seeds.mean(skipna=False))
                .map(lambda mean: round(mean, 2), na_action="ignore")
                for term in GAP_TERMS
            }
        )
        if GOLD not in means.index:
            return pd.Series(np.nan, index=means.index)
        gaps = (means - means.loc[GOLD]).abs().mean(axis=1, skipna=False)
        gaps[GOLD] = np.nan
        return gaps.map(lambda gap: round(gap, 4), na_action="ignore")

    @cached_property
    def _is_gold(self) -> np.ndarray:
        is_gold: np.ndarray = (self.frame["row"] == GOLD).to_numpy(dtype=bool)
        return is_gold

    def _of_gold(self, numbers: Numbers) -> Numbers:
        """The numbers of gold by seed, of numbers that lie along the frame."""
        return numbers[self._is_gold].set_axis(self.frame["seed"][self._is_gold])

    def _with_means(self, found: pd.Series, of_golds: pd.Series) -> pd.Series:
        """The same numbers; in the place of each that has single golds, and is one, the mean over these.

        Args:
            of_golds: numbers that lie along the frame of `golds_as_runs`.

        """
        numbers = found.to_numpy(dtype=float, copy=True)
        single = of_golds.to_numpy(dtype=float)[-len(self.golds) :]
        for place, behind in self._golds_behind:
            if not np.isnan(numbers[place]):
                numbers[place] = single[behind].mean()
        return pd.Series(numbers, index=found.index)

    @cached_property
    def _golds_behind(self) -> list[tuple[int, np.ndarray]]:
        """The place of each run that stands for single golds, and the places of these among all golds."""
        behind = self.golds.groupby(level=0).indices
        return [*zip(self.frame.index.get_indexer([*behind]), behind.values(), strict=True)]
