"""The spec of a table or figure, stated beside its function: its cells, sources and words.

Each file of `lotus/tables`, `lotus/tables/paper` and `lotus/figures` states one as `SPEC`; the workflow,
the report and the commands read it there. Specs are read whenever a plan is made, so their files import
matplotlib and other slow libraries inside the functions that need them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import pandas as pd

from lotus.config.cells import Benchmark
from lotus.records.files import write_text

Cells = Sequence[Benchmark]
Each = Literal["cell", "study", "data set", "experiment"]
Folder = Literal["tables", "figures", "timings"]

BENCHMARKS, ACROSS, BEHAVIOURS, IMAGES = (
    "Benchmarks",
    "Across benchmarks",
    "Published behaviours",
    "Data",
)
"""Categories under which `snakemake --report` lists tables and figures."""
CATEGORIES: Mapping[str, str] = {
    "cell": BENCHMARKS,
    "study": ACROSS,
    "data set": IMAGES,
    "experiment": ACROSS,
}
"""What a table or figure is made for each of → its category."""

LAST = 1000
"""Place of what does not say where it stands: behind everything else."""


class Planned(Protocol):
    """The questions that a spec can ask of a plan: cells by what they have, and the files of cells."""

    @property
    def cells(self) -> Cells:
        """Returns the cells with tables and figures of their own."""

    @property
    def with_gold(self) -> Cells:
        """Returns those with a gold model."""

    @property
    def of_images(self) -> Cells:
        """Returns those with a gold model in which single images are forgotten, under `corrected`."""

    @property
    def explained(self) -> Cells:
        """Returns those with Grad-CAM maps."""

    @property
    def of_many_models(self) -> Cells:
        """Returns those with shadow models, or with many golds."""

    @property
    def apart(self) -> Cells:
        """Returns those with seeds whose kinds of randomness are seeded each for itself."""

    @property
    def of_several_rules(self) -> Cells:
        """Returns those in which as many images are forgotten as in others, by another rule."""

    @property
    def of_lotus(self) -> Cells:
        """Returns those with a row of LoTUS."""

    @property
    def tuned(self) -> Cells:
        """Returns those under `corrected` of whose rows the configuration states what tuning found."""

    @property
    def ablated(self) -> Cells:
        """Returns the cells of single switches, and what they are compared with."""

    @property
    def measured(self) -> Cells:
        """Returns all cells with metrics."""

    def metrics(self, cells: Cells) -> Sequence[str]:
        """Returns the metrics files of cells."""

    def entropies(self, cells: Cells) -> Sequence[str]:
        """Returns the entropies of what the models of cells said of each image."""

    def records(self, cells: Cells) -> Sequence[str]:
        """Returns the records of the runs of cells."""

    def forget_sets(self, cells: Cells) -> Sequence[str]:
        """Returns the forget sets of cells, of their first seeds."""

    def attacks(self, cells: Cells) -> Sequence[str]:
        """Returns the files of what membership attacks find in cells."""

    def lotus_records(self, cells: Cells) -> Sequence[str]:
        """Returns those of the runs of LoTUS alone."""

    def maps(self, cells: Cells) -> Sequence[str]:
        """Returns the Grad-CAM maps of cells, of their first seeds."""

    def audits(self, datasets: Iterable[str]) -> Sequence[str]:
        """Returns the audits of data sets."""


CellsOf = Callable[[Planned], Cells]
SourcesOf = Callable[[Planned, Cells], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The spec of a table or figure, whichever it is.

    Attributes:
        name: that of its file, with `-` for `_`; the commands take it.
        each: it is made once for each of these.
        cells: which cells of the plan it is for; it is not made where there are none.
        sources: the files that it is made from, of those of these cells that one is made for.
        folder: where it lies under `results`; `timings` for what differs from run to run.
        stem: what its file names begin with, before the cell, study or data set; None: its name.
        order: place in the list of what an experiment comes to; what has the same place stands side by
            side, data set by data set.
        label: its subject, as `snakemake --report` lists it.
        category: under which it is listed there; '' as follows from `each`.
        summary: what it shows, in a sentence or two.
        heading: of its entry on the page; '': the label.
        shows: text below the heading.
        absent: text of the entry where it could not be made.
        page_order: place of the entry among others.
        has_entry: whether it has such an entry; else the page shows it, or leads to it, elsewhere.

    """

    name: str
    each: Each = "study"
    cells: CellsOf = lambda planned: planned.cells
    sources: SourcesOf = lambda planned, cells: planned.metrics(cells)
    folder: Folder
    stem: str | None = None
    order: int = LAST
    label: str
    category: str = ""
    summary: str
    heading: str = ""
    shows: str = ""
    absent: str = "Not run here."
    page_order: int = LAST
    has_entry: bool = True

    @property
    def title(self) -> str:
        """Returns the heading of its entry."""
        return self.heading or self.label

    @property
    def targets(self) -> Sequence[str]:
        """Returns the targets of the workflow that it alone has."""
        return ()

    def file_name(self, subject: str) -> str:
        """Returns the file name, without ending, of the one for a cell, study or data set ('': for all)."""
        stem = self.name if self.stem is None else self.stem
        return "-".join(filter(None, (stem, subject)))

    def mistakes(self) -> Iterator[str]:
        """Yields what is wrong with it, in words."""
        texts = ("name", "label", "summary", "category", "heading", "shows", "absent")
        for key in texts:
            if not isinstance(getattr(self, key), str):
                yield f"{key} = {getattr(self, key)!r} is not text"
        for key in ("label", "summary"):
            if not getattr(self, key):
                yield f"{key} is empty: say what it shows"
        for key, accepted in (("each", get_args(Each)), ("folder", get_args(Folder))):
            if getattr(self, key) not in accepted:
                yield f"{key} = {getattr(self, key)!r}; accepted: {', '.join(accepted)}"
        for key in ("order", "page_order"):
            if not isinstance(getattr(self, key), int):
                yield f"{key} = {getattr(self, key)!r} is not a whole number"
        for key in ("cells", "sources"):
            if not callable(getattr(self, key)):
                yield f"{key} = {getattr(self, key)!r} is not a function of a plan"


Table = tuple[pd.DataFrame, str]
"""The numbers, and the LaTeX."""


@dataclass(frozen=True, kw_only=True)
class TableSpec(Spec):
    """The spec of a table.

    Attributes:
        make: its function, from the sources to the numbers and the LaTeX.

    """

    make: Callable[[Sequence[Path]], Table]
    folder: Folder = "tables"

    def write(self, sources: Sequence[Path], out: Path) -> list[Path]:
        """Writes the table as `out`.csv and `out`.tex, and returns these.

        Raises:
            LotusError: sources that are not what it is made of.

        """
        numbers, latex = self.make(sources)
        csv, tex = out.with_name(f"{out.name}.csv"), out.with_name(f"{out.name}.tex")
        if "study" in numbers and (numbers["study"] == "").all():
            numbers = numbers.drop(columns="study")
        write_text(csv, numbers.to_csv(index=False, lineterminator="\n"))
        write_text(tex, latex)
        return [csv, tex]

    def mistakes(self) -> Iterator[str]:
        """Yields what is wrong with it, in words."""
        yield from super().mistakes()
        if not callable(self.make):
            yield f"make = {self.make!r} is not a function"
