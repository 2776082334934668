"""How far the measures that verdicts rest on can be trusted to notice that nothing was done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lotus import layout
from lotus.figures.registry import FIGURES
from lotus.metrics.base import registry
from lotus.page.items import Item, figure_item
from lotus.results.experiment import Experiment
from lotus.results.power import Tried, power_name, read_tried
from lotus.results.titles import benchmark_title
from lotus.wording import all_of, counted

UNKNOWN = "not known"


@dataclass(frozen=True)
class PowerPart:
    """Findings of `snakemake power`, as far as it was asked.

    Attributes:
        tried: protocol → what was found in its conventions; empty where it was not run.
        figures: name → figure of these, as far as they are there.

    """

    tried: Mapping[str, Tried] = field(default_factory=dict)
    figures: Mapping[str, Item] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The benchmark on which measures were tried, in words; it is one for all protocols."""
        for found in self.tried.values():
            return benchmark_title(**{**found.about, "protocol": ""})
        return ""

    @property
    def tables(self) -> list[str]:
        """Names of the tables of it."""
        return [power_name(protocol) for protocol in self.tried]

    def note(self, finding: Mapping[str, Any], protocol: str) -> str:
        """Returns what is to be known beside a verdict on one benchmark; '' of measures that tell.

        Args:
            finding: as the verdicts have it.
            protocol: in whose conventions it was judged.

        """
        metrics = [name for name in finding["measures"] if name in registry.specs()]
        tried = self._tried_on(finding, protocol)
        known = [name for name in metrics if tried is not None and name in tried.p]
        said = [_alarms(tried, name) for name in known if tried is not None]
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
            if (tried := self._tried_on(finding, ruling["protocol"])) is not None
            for name in finding["measures"]
            if name in tried.p and _alarms(tried, name)
        ]
        if not blind:
            return ""
        where = f" on {self.where}" if len(ruling["findings"]) > 1 else ""
        return f"{_named(dict.fromkeys(blind))} cannot tell doing nothing from gold{where}."

    def _tried_on(self, finding: Mapping[str, Any], protocol: str) -> Tried | None:
        """Returns what was found where a finding was made; None where nothing was tried there."""
        return self.tried.get(protocol) if finding["benchmark"] == self.where else None


def _alarms(tried: Tried, metric: str) -> str:
    """Returns how seldom a measure notices doing nothing; '' where it does."""
    if tried.notices(metric):
        return ""
    rate = tried.rate(metric, "nothing")
    alarms = round(rate.value * rate.n)
    return (
        f"{registry.specs()[metric].label} cannot tell doing nothing from gold here: it raises alarm "
        f"on {alarms} of {counted(rate.n, 'model')} to which nothing was done."
    )


def power_part(read: Experiment) -> PowerPart:
    """Returns what was found on the benchmark that the configuration names, as far as it was asked for.

    Raises:
        LotusError: what lies there is not what `lotus power` writes.

    """
    asked = read.described["settings"].get("power")
    run = dict.fromkeys(cell["protocol"] for cell in read.cells)
    protocols = (asked["protocols"] or run) if asked else ()
    found = {protocol: read_tried(protocol) for protocol in protocols}
    tried = {protocol: it for protocol, it in found.items() if it is not None}
    alt = FIGURES.spec("power").alt
    figures = {
        name: figure_item("figures", name, alt)
        for name in map(power_name, tried)
        if layout.item_record("figures", name, "figure").is_file()
    }
    return PowerPart(tried, figures)


def _named(metrics: Iterable[str]) -> str:
    return all_of([registry.specs()[name].label for name in metrics])
