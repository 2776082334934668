"""The report: one page that holds everything, and says of every number where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lotus import layout
from lotus.claims.verdicts import read_verdicts
from lotus.config.protocol import CORRECTED
from lotus.engine.runtime import said_in
from lotus.errors import LotusError
from lotus.figures.registry import FIGURES, spec_modules
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.base import registry
from lotus.names import shown
from lotus.page.ablation import ablation_part, register
from lotus.page.attacks import attacks_part
from lotus.page.attestations import shown_attestations, vouchers
from lotus.page.book import Book
from lotus.page.change_ways import ChangeWays
from lotus.page.data_part import data_part
from lotus.page.failed_runs import failed_runs
from lotus.page.forgotten import forget_set_files
from lotus.page.headline import count_floors, headline
from lotus.page.items import Item, PageFigure, figure_on_page, figures_of_section, table_item
from lotus.page.measured_ways import of_metric, of_one_run
from lotus.page.overview import Overview, overview
from lotus.page.own_tables import own_tables
from lotus.page.paper_part import paper_figures, paper_tables
from lotus.page.power_part import power_part
from lotus.page.sections import MeasuredCell, ReportSection, TableCell, number, section
from lotus.page.settings_rows import (
    settings_rows,
    training_rows,
    tuning_in_words,
    tuning_outcome,
)
from lotus.page.verdict_counts import verdict_counts
from lotus.page.vouched import vouched
from lotus.page.ways import Way
from lotus.published.numbers import load_misprints
from lotus.records.files import write_text
from lotus.records.reading import distinct, read_record
from lotus.records.record import write_record
from lotus.results.correlation import jsd_agreement
from lotus.results.experiment import Experiment, read_experiment
from lotus.results.metrics import load_metrics, with_gold
from lotus.results.metrics_file import KEYS, MODELS, PLACE
from lotus.results.power import power_file
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import plus_minus
from lotus.tables.registry import PAPER_TABLES
from lotus.tables.trace import Trace, row_anchor, trace
from lotus.wording import counted


@dataclass(frozen=True)
class AcrossBenchmarks:
    """The tables and figures across the benchmarks of one study ('': of none); None where there is none."""

    study: str
    has_gold_everywhere: bool
    summary_table: Item
    times_table: Item
    cost_table: Item
    correlation_table: Item | None
    figures: Sequence[PageFigure]
    correlations: Sequence[str]

    @property
    def anchor(self) -> str:
        """Name on the page."""
        return layout.in_study("across", self.study)

    @property
    def title(self) -> str:
        """Head of the section."""
        return "Across benchmarks" + (f", study {self.study}" if self.study else "")


MAIN_FIGURE = "avg-gap"
"""The figure that the page begins with."""
PAGE_LIMIT = 9_000_000
"""Bytes up to which the page holds its pictures; a larger one takes them from the files beside it."""


def write_report(
    experiment: Path,
    published: Path,
    template: Path,
    out: Path,
    record: Path,
    limit: int = PAGE_LIMIT,
    shown_by: Path | None = None,
) -> None:
    """Writes the page, and its record.

    Args:
        experiment: what `lotus describe` wrote; says which results belong to the report.
        published: folder of the published reference.
        template: Jinja template; its folder holds those that it includes.
        out: the HTML file; links to other files are relative to its folder.
        limit: bytes up to which pictures are part of the page.
        shown_by: record of a page; of the attestations that lie here only those are shown that it lists.

    Raises:
        LotusError: a result that the experiment names, or `shown_by`, is absent or damaged.

    """
    read = read_experiment(experiment, for_page=True)
    content = {**_paper(read, published), **_results(read), **_settings(read), **_machine(read)}
    content["headline"] = headline(content["floors"], content["counts"])
    used = _results_shown(read)
    beside = _attestation_files(shown_by)
    chosen = [path for path in beside if path.suffix != layout.SIGNED]
    attestations = shown_attestations(read.runs.values(), used, chosen)
    content["attestations"] = attestations
    pictures = [path for path in used if path.suffix == ".svg"]
    fits = sum(path.stat().st_size for path in pictures) <= limit
    vouching = vouched(used, vouchers(attestations))
    page = _rendered(template, content, Book(vouching, with_pictures=fits))
    if fits and len(page.encode()) > limit:
        page = _rendered(template, content, Book(vouching, with_pictures=False))
    write_text(out, page)
    write_record(
        record,
        kind="report",
        modules=[__name__, *spec_modules()],
        about={"title": content["title"]},
        settings={"limit": limit},
        inputs=[
            experiment,
            *sorted(published.glob("*.csv")),
            *sorted(path for path in template.parent.iterdir() if path.is_file()),
            *used,
            *beside,
        ],
        outputs=[out],
    )


def _attestation_files(shown_by: Path | None) -> list[Path]:
    files = layout.attestation_files()
    if shown_by is None:
        return files
    listed = read_record(shown_by).inputs
    return [path for path in files if path.as_posix() in listed]


def _results_shown(read: Experiment) -> list[Path]:
    """Results that the page is made from, each once."""
    made = [
        layout.item_file(made["folder"], made["name"], ending)
        for form, ending in (("tables", "csv"), ("figures", "svg"))
        for made in read.described[form]
    ]
    files = [
        *read.results_of([*read.cells, *read.described["ablations"]]),
        *(read.attacks(cell) for cell in read.cells),
        *(read.shadows(cell) for cell in read.cells if read.has_shadows(cell)),
        *(layout.audit_file(*place) for place in read.audited),
        *(layout.store_record(store.name) for store in read.stores),
        *forget_set_files(read),
        *made,
        *_of_power(read),
        *(layout.item_file(layout.PAPER, name, "csv") for name in PAPER_TABLES.specs),
        layout.CLAIMS,
    ]
    return list(dict.fromkeys(files))


def _of_power(read: Experiment) -> list[Path]:
    """Returns the files that `snakemake power` wrote and their figures, as far as they are shown."""
    part = power_part(read)
    drawn = [layout.item_file("figures", name, "svg") for name in part.figures]
    return [*map(power_file, part.tried), *drawn]


def _rendered(template: Path, content: Mapping[str, Any], book: Book) -> str:
    # A template can come from anybody; in a sandbox it reaches what it is given, and nothing of Python.
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Macros see what is global, and not what a page is rendered with.
    environment.globals["with_pictures"] = book.with_pictures
    environment.globals["book"] = book
    environment.globals["counted"] = counted
    try:
        return environment.get_template(template.name).render(**content)
    except SecurityError as error:
        raise LotusError(
            f"{shown(template)}: reaches for more than a page is made of: {error}"
        ) from error


def _paper(read: Experiment, published: Path) -> dict[str, Any]:
    claims, power = read_verdicts(layout.CLAIMS), power_part(read)
    return {
        "paper_tables": paper_tables(read, published),
        "paper_figures": paper_figures(read, is_ours=False),
        "our_figures": paper_figures(read, is_ours=True),
        "our_tables": own_tables(read),
        "misprints": load_misprints(published).to_dict("records"),
        "claims": claims,
        "counts": verdict_counts(claims, power),
        "claims_table": table_item(*layout.CLAIMS_TABLE),
        "failed_runs": failed_runs(read.frame, claims),
        "power": power,
        "power_caption": FIGURES.spec("power").caption,
    }


def _results(read: Experiment) -> dict[str, Any]:
    settings = read.described["settings"]
    measured = [_measured(read, cell) for cell in read.cells]
    across = [_across(read, study) for study in read.studies]
    return {
        "title": settings["title"],
        "further": settings.get("further"),
        "is_own_model": any(it.get("checkpoint") for it in settings["architectures"].values()),
        "protocols": read.base_protocols,
        "seeds": read.seeds,
        "overview": _overview(read, measured),
        "floors": count_floors(measured),
        "sections": _sections(read, measured),
        "ablation_traces": _ablation_traces(read),
        "attacks": attacks_part(read),
        "memorisation": _memorisation(measured),
        "main_figure": _main_figure(across),
        "across": across,
        "ablation": ablation_part(ChangeWays(read, read.ablated)) if read.ablated else None,
        "register": register(read.described, read.frame),
        **data_part(read),
        "per_seed_table": table_item("tables", "per-seed"),
        "ablation_table": table_item("tables", "ablation") if read.ablated else None,
        "behaviour_figures": [
            figure_on_page(read, made) for made in figures_of_section(read, "behaviours")
        ],
    }


def _measured(read: Experiment, cell: Mapping[str, Any]) -> MeasuredCell:
    has_table = any(cell is each for each in read.cells)
    return MeasuredCell(read, cell, load_metrics(read.metrics(cell)), has_table)


def _sections(read: Experiment, measured: Sequence[MeasuredCell]) -> list[ReportSection]:
    """One for each place."""
    places: dict[tuple[str, ...], list[MeasuredCell]] = {}
    for each in measured:
        places.setdefault(tuple(each.described[key] for key in PLACE), []).append(each)
    return [section(read, here) for here in places.values()]


def _ablation_traces(read: Experiment) -> list[tuple[Trace, Mapping[str, Sequence[Way]]]]:
    """The models of single switches that have runs of their own, with the ways of their numbers."""
    own = [cell for cell in read.described["ablations"] if cell["measured"] == cell["protocol"]]
    measured = (_measured(read, cell) for cell in own)
    return [
        (trace(each.described, each.stated, each.forms, read.runs), each.ways_by_anchor)
        for each in measured
    ]


def _across(read: Experiment, study: str) -> AcrossBenchmarks:
    frame = read.frame[read.frame["study"] == study]
    measured = with_gold(frame)
    corrected = measured[measured["protocol"] == CORRECTED.name]
    places = {*corrected[KEYS].itertuples(index=False, name=None)}
    has_correlation = any(
        not read.forgets_a_class(cell)
        for cell in read.cells
        if tuple(cell[key] for key in KEYS) in places
    )
    name = partial(layout.in_study, study=study)
    where = f", study {study}" if study else ""
    return AcrossBenchmarks(
        study=study,
        has_gold_everywhere=len(measured) == len(frame),
        summary_table=table_item("tables", name("summary")),
        times_table=table_item("timings", name("times")),
        cost_table=table_item("timings", name("cost")),
        correlation_table=table_item("tables", name("correlation")) if has_correlation else None,
        figures=[
            figure_on_page(read, made, where)
            for made in figures_of_section(read, "across")
            if made["about"].get("study", "") == study
        ],
        correlations=_correlations(corrected),
    )


def _main_figure(across: Sequence[AcrossBenchmarks]) -> PageFigure | None:
    """Returns the figure that the page begins with, Avg Gap of every row; None where there is no gold.

    Benchmarks of no study come before those of one.
    """
    by_study = sorted(across, key=lambda each: each.study != "")
    found = (each for study in by_study for each in study.figures if each.spec.name == MAIN_FIGURE)
    return next(found, None)


def _settings(read: Experiment) -> dict[str, Any]:
    return {
        "tuning": tuning_in_words(read.described["settings"]["tuning"]),
        "tuning_outcome": tuning_outcome(read),
        "settings_rows": settings_rows(read),
        "calibrations": read.calibrations,
        "training_rows": training_rows(list(read.runs.values())),
    }


def _overview(read: Experiment, measured: Sequence[MeasuredCell]) -> Overview:
    architectures = read.described["settings"]["architectures"]
    return overview(measured, architectures, read.stores, list(read.runs.values()))


def _machine(read: Experiment) -> dict[str, Any]:
    runs = list(read.runs.values())
    return {
        "runs": runs,
        "run_ways": {
            run.path: of_one_run(run.path, run.about, run.content["time"]["total"]) for run in runs
        },
        "stores": read.stores,
        "hardware": distinct(runs, "hardware"),
        "runtimes": {run.path: said_in(run.content["hardware"]) for run in runs},
        "versions": distinct(runs, "versions"),
        "code": distinct(runs, "code"),
        "compute_seconds": sum(run.content["time"]["total"] for run in runs),
    }


def _memorisation(
    measured: Sequence[MeasuredCell],
) -> list[tuple[str, str, list[tuple[str, TableCell, TableCell]]]]:
    """Original against gold on the forget set: forget accuracy and MIA, textbook, wherever gold is.

    With the benchmark in words, and the anchor of the original's runs.
    """
    first = {
        tuple(str(each.described[key]) for key in MODELS): each
        for each in reversed(measured)
        if GOLD in each.numbers.index
    }
    found = []
    for each in reversed(first.values()):
        is_textbook = each.stated.protocol == CORRECTED
        textbook = each if is_textbook else replace(each, conventions=CORRECTED)
        lines = []
        for metric in ("accuracy_forget", "mia"):
            ways = of_metric(textbook.asked, metric)
            original, gold = (
                _stated(textbook.numbers, row, metric, ways) for row in (ORIGINAL, GOLD)
            )
            lines.append((registry.labels()[metric], original, gold))
        place = benchmark_title(*(str(each.described[key]) for key in MODELS))
        found.append((place, row_anchor(each.cell, ORIGINAL), lines))
    return found


def _stated(numbers: pd.DataFrame, row: str, metric: str, ways: Mapping[str, Way]) -> TableCell:
    value, spread = numbers.loc[row, [metric, f"{metric}_std"]]
    return TableCell(plus_minus(value, spread), value=number(value), way=ways[row])


def _correlations(frame: pd.DataFrame) -> list[str]:
    """One sentence per benchmark of instance forgetting."""
    found = []
    for key, part in frame.groupby(KEYS, sort=False):
        if part["rf_jsd"].notna().any():
            r = jsd_agreement(part)[1]
            if not isfinite(r.pearson):
                found.append(f"{benchmark_title(*key)}: too few models to compare ({r.points}).")
                continue
            found.append(
                f"{benchmark_title(*key)}: Pearson r = {r.pearson:.2f} (95 % interval "
                f"over whole rows: {r.interval}), Spearman {r.spearman:.2f}, "
                f"{r.points} models of {r.groups} rows."
            )
    return found
