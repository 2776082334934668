"""The spec of a table of the paper, and how each is made: the same way for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lotus.published.numbers import load_published
from lotus.published.side_by_side import Wanted, compare
from lotus.records.files import write_text
from lotus.results.experiment import Experiment, read_experiment
from lotus.results.metrics_file import MODELS
from lotus.tables.printed import latex
from lotus.tables.spec import LAST

BASIC = ("finetune", "neggrad-plus", "random-labeling")
"""The paper's basic methods."""
MAIN = ("avg_gap", "jsd_e4", "time_min")
"""What most tables of the paper print."""
TERMS = ("accuracy_forget", "accuracy_retain", "accuracy_test", "mia")
"""Metrics whose gaps Avg Gap is the mean of."""


@dataclass(frozen=True, kw_only=True)
class PaperTableSpec:
    """The spec of a table of the paper.

    Attributes:
        name: that of its file, with `-` for `_`; also what `tables` in the configuration calls it, and a
            target of the workflow.
        heading: its number and subject.
        submission: its number in the submission, whose tables the published reference was read from.
        shows: what it is about.
        printed_in: items of the published reference that hold its numbers.
        metrics: by their names in the published reference, in order.
        only, without: rows; () for no restriction.
        where: a row; benchmarks without it are left out. '': all benchmarks.
        alias: a second name, as a target of the workflow.
        order: place among the paper's tables.

    """

    name: str
    heading: str
    submission: str
    shows: str
    printed_in: Sequence[str]
    metrics: Sequence[str]
    only: Sequence[str] = ()
    without: Sequence[str] = ()
    where: str = ""
    alias: str = ""
    order: int = LAST

    @property
    def targets(self) -> Sequence[str]:
        """Returns its names as targets of the workflow."""
        return tuple(filter(None, (self.name, self.alias)))

    def numbers(self, read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
        """Returns what is printed beside what was measured, line by line as `compare` has it."""
        wanted = Wanted(self.name, self.printed_in, self.metrics, self.only, self.without)
        found = compare(wanted, read, published)
        if not self.where:
            return found
        places = found.loc[found["row"] == self.where, MODELS]
        return found.merge(places.drop_duplicates(), how="right")

    def write(self, experiment: Path, published: Path, out: Path) -> tuple[list[Path], list[Path]]:
        """Writes the table as `out`.csv and `out`.tex, and returns the files read and those written.

        Raises:
            LotusError: a published file that is not as it should be, or a result that is absent.

        """
        read = read_experiment(experiment)
        numbers = self.numbers(read, load_published(published))
        csv, tex = out.with_name(f"{out.name}.csv"), out.with_name(f"{out.name}.tex")
        write_text(csv, numbers.to_csv(index=False, lineterminator="\n"))
        write_text(tex, latex(self.heading, numbers))
        results = read.results_of(read.labelled(self.name))
        return [experiment, *sorted(published.glob("*.csv")), *results], [csv, tex]

    def mistakes(self) -> Iterator[str]:
        """Yields what is wrong with it, in words."""
        for key in ("name", "heading", "submission", "shows"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key):
                yield f"{key} = {getattr(self, key)!r} is not text"
        for key in ("printed_in", "metrics", "only", "without"):
            if isinstance(getattr(self, key), str) or not isinstance(getattr(self, key), Sequence):
                yield f"{key} = {getattr(self, key)!r} is not a list of names"
        if not isinstance(self.order, int):
            yield f"order = {self.order!r} is not a whole number"
