"""Names of tables and figures in the reader's words, as `snakemake --report` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass

from lotus.paper.results import PLACE, benchmark_title, dataset_title
from lotus.settings import Benchmark

SUBJECTS = {
    "benchmark": "All metrics of every model",
    "summary": "Avg Gap and JSD of every method",
    "per-seed": "Every metric, seed by seed",
    "correlation": "Correlation of RF-JSD with JSD",
    "times": "Seconds of unlearning and of retraining",
    "cost": "Time and memory of unlearning",
    "ablation": "What each published behaviour changes",
    "streisand": "Does the forget set stand out? Entropies of predictions",
    "avg-gap": "Avg Gap to the gold model",
    "rf-jsd": "RF-JSD against JSD",
    "jsd-bars": "JSD to the gold model",
    "time-bars": "Seconds of unlearning, as bars",
    "temperature": "Temperature of LoTUS by epoch",
    "pareto": "Seconds of unlearning against Avg Gap",
    "gradcam": "Where models see the class of forget images",
    "classes": "Images of each class and part",
    "duplicates": "Images that look alike",
    "similarity": "Distances between forget and retain images",
}
"""Kind of table or figure → what it shows."""
DATA = ("classes", "duplicates", "similarity")
BEHAVIOURS, BENCHMARKS, ACROSS, IMAGES = (
    "Published behaviours",
    "Benchmarks",
    "Across benchmarks",
    "Data",
)


@dataclass(frozen=True)
class Listed:
    """Where a table or figure stands in the list, and what it is called there."""

    category: str
    subcategory: str | None
    labels: dict[str, str]


def listed(name: str, kind: str, study: str, cells: Sequence[Benchmark], form: str) -> Listed:
    """How a table or figure is listed.

    Args:
        name: of its file, without folder and ending.
        kind: name of its function.
        study: that it belongs to, '' for none.
        cells: among which is the one that it is of, if it is of a single one.
        form: `table` or `figure`.

    """
    subject = SUBJECTS.get(kind, kind)
    cell = _cell_of(name, cells)
    if cell is not None:
        where = benchmark_title(*(getattr(cell, key) for key in PLACE))
        shown = {"Benchmark": where, "Protocol": cell.protocol}
        return Listed(BENCHMARKS, where, {"Shown": subject, **shown, "Form": form})
    if kind in DATA:
        dataset = (
            dataset_title(name.removeprefix(f"data-{kind}-")) if kind != "similarity" else "all"
        )
        return Listed(IMAGES, None, {"Shown": subject, "Data set": dataset, "Form": form})
    if kind == "ablation":
        return Listed(BEHAVIOURS, None, {"Shown": subject, "Form": form})
    named = f"study {study}" if study else "all methods"
    return Listed(ACROSS, named, {"Shown": subject, "Rows": named, "Form": form})


def _cell_of(name: str, cells: Sequence[Benchmark]) -> Benchmark | None:
    """The cell whose name a file's name is or ends in; the longest, as one may end in another."""
    found = [cell for cell in cells if name == cell.name or name.endswith(f"-{cell.name}")]
    return max(found, key=lambda cell: len(cell.name), default=None)
