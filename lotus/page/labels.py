"""Names of tables and figures in the reader's words, as `snakemake --report` lists them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lotus.results.metrics import benchmark_title

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


def listed(kind: str, about: Mapping[str, str], form: str) -> Listed:
    """How a table or figure is listed.

    Args:
        kind: name of its function.
        about: data set, architecture, scenario, protocol and study, as far as it is about one.
        form: `table` or `figure`.

    """
    subject = SUBJECTS.get(kind, kind)
    if "scenario" in about:
        place = {key: name for key, name in about.items() if key != "protocol"}
        where = benchmark_title(**place)
        shown = {"Benchmark": where, "Protocol": about["protocol"]}
        return Listed(BENCHMARKS, where, {"Shown": subject, **shown, "Form": form})
    if kind in DATA:
        dataset = benchmark_title(**about) or "all"
        return Listed(IMAGES, None, {"Shown": subject, "Data set": dataset, "Form": form})
    if kind == "ablation":
        return Listed(BEHAVIOURS, None, {"Shown": subject, "Form": form})
    named = f"study {about['study']}" if "study" in about else "all methods"
    return Listed(ACROSS, named, {"Shown": subject, "Rows": named, "Form": form})
