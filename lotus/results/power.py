"""How measures and attacks fare on models whose truth is known: how often each raises alarm.

A measure gives a model a number; the higher, the less it looks like a gold. It raises alarm where this
number is so high that at most the stated share of golds would have one as high.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def of_shadows(kind: str) -> str:
    """Names the group of shadow models of a kind: of golds, or of what is tried."""
    return f"shadow-{kind}"


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
        p: measure → group → for each model the probability, at most, of a number as high if it were a gold;
            of a measure that judges sets of models, for each set.

    """

    about: Mapping[str, str]
    level: float
    labels: Mapping[str, str]
    p: Mapping[str, Mapping[str, Sequence[float]]]

    def rate(self, measure: str, group: str) -> Rate:
        """The share of a group's models on which a measure raises alarm."""
        found = self.p[measure][group]
        return rate_of(sum(p <= self.level for p in found), len(found))

    def notices(self, measure: str, group: str = "nothing") -> bool:
        """Whether a measure raises alarm on a group oftener than on golds: the intervals are apart."""
        return self.rate(measure, group).low > self.rate(measure, FRESH).high

    def measures(self) -> Iterator[str]:
        """Measures, then attacks, in their order."""
        yield from self.p


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
        p = {
            name: {group: [float(value) for value in of["p"][group]] for group in GROUPS}
            for name, of in content["measures"].items()
        }
        found = Tried(about, float(content["level"]), labels, p)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LotusError(f"{shown(path)}: is not what `lotus power` writes: {error!r}") from error
    probabilities = [value for of in p.values() for values in of.values() for value in values]
    # NaN is in no order, so it is refused as well.
    if not all(0 < value <= 1 for value in (found.level, *probabilities)) or found.level == 1:
        raise LotusError(f"{shown(path)}: has a level or a p-value that is no probability")
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
