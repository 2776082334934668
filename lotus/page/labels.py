"""Names of tables and figures in the reader's words, as `snakemake --report` lists them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lotus.figures.registry import FIGURES
from lotus.results.titles import benchmark_title
from lotus.tables.discovery import Registry
from lotus.tables.registry import TABLES
from lotus.tables.spec import ACROSS, CATEGORIES, IMAGES, Spec

REGISTRIES: Mapping[str, Registry[Spec]] = {"table": TABLES, "figure": FIGURES}


@dataclass(frozen=True)
class ReportListing:
    """Where a table or figure stands in the list, and what it is called there.

    Attributes:
        summary: what it shows, below its name.

    """

    category: str
    subcategory: str | None
    labels: dict[str, str]
    summary: str


def report_listing(kind: str, about: Mapping[str, str], form: str) -> ReportListing:
    """Returns how a table or figure is listed.

    Args:
        kind: name of its spec.
        about: data set, architecture, scenario, protocol and study, as far as it is about one.
        form: `table` or `figure`.

    """
    spec = REGISTRIES[form].spec(kind)
    category = spec.category or CATEGORIES[spec.each]
    labels, subcategory = {"Shown": spec.label}, None
    if "protocol" in about:
        subcategory = benchmark_title(**{k: name for k, name in about.items() if k != "protocol"})
        labels |= {"Benchmark": subcategory, "Protocol": about["protocol"]}
    elif category == IMAGES:
        labels["Data set"] = benchmark_title(**about) or "all"
    elif category == ACROSS:
        subcategory = f"study {about['study']}" if "study" in about else "all methods"
        labels["Rows"] = subcategory
    return ReportListing(category, subcategory, {**labels, "Form": form}, spec.summary)
