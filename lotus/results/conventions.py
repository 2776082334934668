"""Under which conventions a metric is stated, and the name that says so.

Under `corrected` a metric stands as itself: `jsd`. Under a protocol with released conventions its name
lists the switches that are on and concern it: `jsd_released_e3_e4`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lotus.config.protocol import SWITCHES, Protocol, parse
from lotus.layout import GOLD, GOLD_AGAIN
from lotus.metrics.avg_gap import GAP_TERMS
from lotus.metrics.base import MetricSpec, registry
from lotus.metrics.base.released import round_share
from lotus.metrics.membership import SYNTHETIC
from lotus.results.further_golds import FURTHER, beside_gold, further_golds, golds_of_every_seed

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


def values(frame: pd.DataFrame, metric: str, protocol: Protocol) -> tuple[str, pd.Series]:
    """A metric of every run in a protocol's convention: the name that carries it, and the values.

    Under E3 accuracies and MIA are rounded to 2 decimals, JSD and RF-JSD to 6. The published Avg Gap
    is one of means (`released_gaps`); here, for single runs, it is the gap between rounded terms. E5
    concerns models with a calibration set; beside them others, gold too, are stated without it.

    Args:
        frame: of one protocol, as `load_metrics` gives it; runs of several seeds.

    """
    frame = _about(frame, metric)
    form = form_of(metric, protocol, frame)
    found = _in_form(frame, form, protocol)
    golds = further_golds(frame)
    if len(golds):
        # Each gold is rounded as a method is, before their mean is taken.
        every = beside_gold(frame, golds)
        of_golds = _in_form(every, form, protocol)[-len(golds) :].groupby(golds.index.to_numpy())
        means = of_golds.agg(lambda of_seed: of_seed.mean(skipna=False))
        found = found.where(found.isna() | ~found.index.isin(means.index), means)
    return form.name, found.rename(form.name)


def distances(frame: pd.DataFrame, metric: str, protocol: Protocol) -> pd.Series:
    """Returns each line's distance of a metric to that of gold of the same seed; NaN for gold itself.

    For `gold-again` this is the mean over its golds, which is not the distance of their mean.
    """
    frame = _about(frame, metric)
    name, found = values(frame, metric, protocol)
    golds = further_golds(frame)
    gold = found[frame["row"] == GOLD].set_axis(frame.loc[frame["row"] == GOLD, "seed"])
    apart = (found - gold.reindex(frame["seed"]).to_numpy()).abs()
    if len(golds):
        every = beside_gold(frame, golds)
        single = values(every, metric, protocol)[1][-len(golds) :].set_axis(golds.index)
        single = (single - gold.reindex(golds["seed"]).to_numpy()).abs()
        means = single.groupby(level=0).agg(lambda of_seed: of_seed.mean(skipna=False))
        apart = apart.where(apart.isna() | ~apart.index.isin(means.index), means)
    return apart.where(frame["row"] != GOLD).rename(f"{name}{DISTANCE}")


def _about(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The columns that a metric is made of: to take lines of a narrow frame is what a page has time for."""
    spec = registry.specs()[metric]
    specs = [spec, *(registry.specs()[term] for term in spec.terms)]
    wanted = {name for one in specs for name in (one.name, *one.forms)}
    wanted |= {"row", "seed", SYNTHETIC, FURTHER}
    return frame[[name for name in frame.columns if name in wanted]]


def _in_form(frame: pd.DataFrame, form: Form, protocol: Protocol) -> pd.Series:
    """A metric of every line but those of several golds, in a form: see `values`."""
    if form.spec.terms and ("_e3" in form.name or "_e5" in form.name):
        return _gaps(frame, form.spec.terms, protocol)
    found = frame[form.source]
    if "_e5" in form.name:
        found = found.fillna(frame[form.source.replace("_e5", "")])
    if form.rounded is not None:
        found = found.map(form.rounded, na_action="ignore")
    return found


def _gaps(frame: pd.DataFrame, names: Sequence[str], protocol: Protocol) -> pd.Series:
    """Per run: mean distance of the terms, in the protocol's convention, to gold of the same seed."""
    terms = pd.DataFrame({term: values(frame, term, protocol)[1] for term in names})
    gold = terms[frame["row"] == GOLD].set_index(frame.loc[frame["row"] == GOLD, "seed"])
    expected = gold.reindex(frame["seed"]).to_numpy()
    gaps = (terms - expected).abs().mean(axis=1, skipna=False)
    return gaps.where(frame["row"] != GOLD)


def released_gaps(frame: pd.DataFrame, protocol: Protocol) -> pd.Series:
    """The published Avg Gap (E3), by row; NaN for gold and where a term is undefined.

    Per term: mean over seeds of the rounded values, rounded to 2 decimals, and its distance to gold's;
    the mean of the four distances is rounded to 4 decimals. A difference of means: it has no deviation.
    Of `gold-again` it is the mean over the golds that each seed has one of. Golds of other seeds are none:
    over all seeds they are the same models as gold, and means of the same models do not differ.

    Args:
        frame: of one protocol, several seeds.

    """
    gaps = _gaps_of_means(frame, protocol)
    if GOLD_AGAIN in gaps.index:
        every = golds_of_every_seed(frame)
        of_golds = _gaps_of_means(every, protocol).drop(index=GOLD, errors="ignore")
        gaps[GOLD_AGAIN] = of_golds.mean(skipna=False)
    return gaps


def _gaps_of_means(frame: pd.DataFrame, protocol: Protocol) -> pd.Series:
    rows = frame["row"]
    means = pd.DataFrame(
        {
            term: values(frame, term, protocol)[1]
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
