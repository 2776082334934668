"""How measures and attacks fare on models whose truth is known: how often each raises alarm.

A measure gives a model a number; the higher, the less it looks like a gold. It raises alarm where this
number is so high that at most the stated share of golds would have one as high.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.config.protocol import CORRECTED, Protocol
from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.names import shown

CALIBRATING, FRESH = "calibrating", "fresh"
TRIED = ("nothing", "half", "lookup", "temperature", "train_mode")
"""What is to be noticed: nothing done; half of the forget set kept; three faked forgettings."""
GROUPS = (FRESH, *TRIED)
CONFIDENCE = 0.95
"""Of the intervals of rates."""
ABOUT = ("dataset", "architecture", "scenario", "protocol")


def power_name(protocol: str) -> str:
    """Names the findings under a protocol: their file, their table and their figure."""
    return layout.POWER.stem if protocol == CORRECTED.name else f"{layout.POWER.stem}-{protocol}"


def has_train_mode(protocol: Protocol) -> bool:
    """Whether the fake of BatchNorm in train mode is tried under a protocol.

    Under E1 the published attack comes before all other questions, and changes a model in that mode.
    """
    return not protocol.has("E1")


def power_file(protocol: str) -> Path:
    """The findings under a protocol."""
    return layout.POWER.with_stem(power_name(protocol))


@dataclass(frozen=True)
class Rate:
    """A share of models that raise alarm.

    Attributes:
        value: NaN of no models.
        low, high: exact 95 % interval (Clopper and Pearson 1934).
        n: models.

    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Tried:
    """Findings on measures and attacks on one benchmark.

    Attributes:
        about: data set, architecture, scenario and protocol.
        level: the share of golds that may raise an alarm.
        labels: measure → its name for readers.
        values: measure → group → the number of each model.

    """

    about: Mapping[str, str]
    level: float
    labels: Mapping[str, str]
    values: Mapping[str, Mapping[str, Sequence[float]]]

    def rate(self, measure: str, group: str) -> Rate:
        """The share of a group's models on which a measure raises alarm."""
        of_groups = self.values[measure]
        calibrating = np.asarray(of_groups[CALIBRATING], dtype=float)
        values = np.asarray(of_groups[group], dtype=float)
        return rate_of(int((p_values(calibrating, values) <= self.level).sum()), len(values))

    def notices(self, measure: str, group: str = "nothing") -> bool:
        """Whether a measure raises alarm on a group oftener than on golds: the intervals are apart."""
        return self.rate(measure, group).low > self.rate(measure, FRESH).high

    def measures(self) -> Iterator[str]:
        """Measures, then attacks, in their order."""
        yield from self.values


def p_values(calibrating: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of the golds, the model counted as one of them, whose number is as high or higher; `[m]`.

    Of a further gold this share is at most a with a probability of at most a, however the numbers are
    distributed, since it is as likely to be at any rank (conformal p-value; Vovk, Gammerman and Shafer
    2005).

    Args:
        calibrating: numbers of n golds; `[n]`.
        values: of the models that are judged; `[m]`.

    """
    as_high = (calibrating[None] >= values[:, None]).sum(axis=1)
    found: np.ndarray = (1 + as_high) / (1 + len(calibrating))
    return found


def rate_of(alarms: int, n: int) -> Rate:
    """The share of alarms among n models, with its interval."""
    from scipy.stats import binomtest

    if not n:
        return Rate(float("nan"), float("nan"), float("nan"), 0)
    interval = binomtest(alarms, n).proportion_ci(CONFIDENCE, method="exact")
    return Rate(alarms / n, float(interval.low), float(interval.high), n)


def read_power(path: Path) -> Tried:
    """Reads what `lotus power` wrote.

    Raises:
        LotusError: absent, or it is something else; names the place.

    """
    try:
        content = read_mapping(path)
        about = {key: _text(content["about"][key]) for key in ABOUT}
        labels = {name: _text(of["label"]) for name, of in content["measures"].items()}
        values = {
            name: {
                group: [float(value) for value in of["values"][group]]
                for group in (CALIBRATING, *GROUPS)
            }
            for name, of in content["measures"].items()
        }
        found = Tried(about, float(content["level"]), labels, values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LotusError(f"{shown(path)}: is not what `lotus power` writes: {error!r}") from error
    if not 0 < found.level < 1 or any(
        not np.isfinite(v).all() for of in values.values() for v in of.values()
    ):
        raise LotusError(f"{shown(path)}: has a level that is none, or a number that is not finite")
    return found


def read_tried(protocol: str) -> Tried | None:
    """Reads what `snakemake power` found under a protocol; None where it found nothing.

    Raises:
        LotusError: as `read_power`, or it is of another protocol.

    """
    path = power_file(protocol)
    if not path.is_file():
        return None
    found = read_power(path)
    if found.about["protocol"] != protocol:
        raise LotusError(
            f"{shown(path)}: was found under protocol {shown(found.about['protocol'])}, not {protocol}"
        )
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:60]!r} is not a text")
    return value
