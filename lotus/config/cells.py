"""A cell of the grid: what is compared in one table."""

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True, order=True)
class Benchmark:
    """One cell of the grid: what is compared in one table.

    Attributes:
        protocol: name of the protocol, '' where it does not matter.
        study: the study that it belongs to, '' for none.

    """

    dataset: str
    architecture: str
    scenario: str
    protocol: str = "corrected"
    study: str = ""

    @property
    def name(self) -> str:
        """The benchmark in file names."""
        place = f"{self.dataset}-{self.architecture}-{self.scenario}-{self.protocol}"
        return f"{place}-{self.study}" if self.study else place

    @property
    def labels(self) -> dict[str, str]:
        """The same in a metrics file; only cells of a study name one."""
        labels = asdict(self)
        return labels if self.study else {k: v for k, v in labels.items() if k != "study"}

    @property
    def outside_study(self) -> "Benchmark":
        """The same cell without its study: models know of none."""
        return replace(self, study="")

    def under(self, name: str) -> "Benchmark":
        """The same cell under another protocol."""
        return replace(self, protocol=name)
