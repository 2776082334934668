"""How far the measures that verdicts rest on can be trusted to notice that nothing was done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lotus import layout
from lotus.config.protocol import CORRECTED
from lotus.figures.registry import FIGURES
from lotus.metrics.base import registry
from lotus.page.items import Item, figure_item
from lotus.results.experiment import Experiment
from lotus.results.metrics import benchmark_title
from lotus.results.power import Tried, read_power
from lotus.wording import all_of, counted

UNKNOWN = "not known"


@dataclass(frozen=True)
class PowerPart:
    """Findings of `snakemake power`, as far as it was asked.

    Attributes:
        tried: None where it was not run.
        figure: the figure of it, if it is there.

    """

    tried: Tried | None = None
    figure: Item | None = None

    @property
    def where(self) -> str:
        """The benchmark on which measures were tried, in words."""
        return benchmark_title(**self.tried.about) if self.tried is not None else ""

    def note(self, finding: Mapping[str, Any], protocol: str) -> str:
        """Returns what is to be known beside a verdict on one benchmark; '' of measures that tell.

        Args:
            finding: as the verdicts have it.
            protocol: in whose conventions it was judged.

        """
        metrics = [name for name in finding["measures"] if name in registry.specs()]
        known = self._tried_on(finding, protocol)
        said = [self._alarms(name) for name in metrics if name in known]
        if unknown := [name for name in metrics if name not in known]:
            said.append(
                f"Whether {_named(unknown)} would notice here that nothing was done is {UNKNOWN}."
            )
        return " ".join(filter(None, said))

    def in_short(self, ruling: Mapping[str, Any]) -> str:
        """Returns which measures of a verdict cannot tell doing nothing from gold; '' where none is known.

        Args:
            ruling: as the verdicts have it, on one benchmark or several.

        """
        blind = [
            name
            for finding in ruling["findings"]
            for name in finding["measures"]
            if name in self._tried_on(finding, ruling["protocol"]) and self._alarms(name)
        ]
        if not blind:
            return ""
        where = f" on {self.where}" if len(ruling["findings"]) > 1 else ""
        return f"{_named(dict.fromkeys(blind))} cannot tell doing nothing from gold{where}."

    def _tried_on(self, finding: Mapping[str, Any], protocol: str) -> list[str]:
        """Returns the measures that were tried where a finding was made."""
        is_here = finding["benchmark"] == self.where and protocol == CORRECTED.name
        return [*self.tried.measures()] if self.tried is not None and is_here else []

    def _alarms(self, metric: str) -> str:
        """Returns how seldom a measure notices doing nothing; '' where it does."""
        tried = self.tried
        assert tried is not None
        if tried.notices(metric):
            return ""
        rate = tried.rate(metric, "nothing")
        alarms = round(rate.value * rate.n)
        return (
            f"{registry.specs()[metric].label} cannot tell doing nothing from gold here: it raises alarm "
            f"on {alarms} of {counted(rate.n, 'model')} to which nothing was done."
        )


def power_part(read: Experiment) -> PowerPart:
    """Returns what was found on the benchmark that the configuration names, if it was asked for.

    Raises:
        LotusError: what lies there is not what `lotus power` writes.

    """
    if not read.described["settings"].get("power") or not layout.POWER.is_file():
        return PowerPart()
    drawn = layout.item_record("figures", "power", "figure").is_file()
    alt = FIGURES.spec("power").alt
    return PowerPart(
        read_power(layout.POWER), figure_item("figures", "power", alt) if drawn else None
    )


def _named(metrics: Iterable[str]) -> str:
    return all_of([registry.specs()[name].label for name in metrics])
