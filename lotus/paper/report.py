"""The report: one page that holds everything, and says of every number where it comes from."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lotus import layout
from lotus.layout import GOLD, ORIGINAL
from lotus.lineage import RunRecord, distinct, read_record, read_runs
from lotus.paper.results import (
    KEYS,
    TITLES,
    benchmark_title,
    best_rows,
    jsd_agreement,
    load_metrics,
    row_title,
    summarise,
)
from lotus.paper.tables import load_times, plus_minus
from lotus.provenance import write_text
from lotus.settings import Benchmark


@dataclass(frozen=True)
class Cell:
    """One cell of a printed table."""

    text: str
    best: bool = False
    title: str = ""


@dataclass(frozen=True)
class Item:
    """A table or figure with the way back to its sources.

    Attributes:
        picture: the SVG as a data address, empty for a table.
        files: (name, path relative to the page) of its other forms.
        inputs: (path, sha256) of what it was made from.
        outputs: (path, sha256) of what was made.

    """

    anchor: str
    picture: str
    alt: str
    files: Sequence[tuple[str, str]]
    command: str
    code: str
    inputs: Sequence[tuple[str, str]]
    outputs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """One benchmark on the page."""

    anchor: str
    title: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    n: int
    sentences: Sequence[str]
    table: Item
    streisand: Item
    rule: str
    class_forgetting: bool


def write_report(experiment: Path, template: Path, out: Path) -> None:
    """Writes the page.

    Args:
        experiment: what `lotus describe` wrote; says which results belong to the report.
        template: Jinja template.
        out: the HTML file; links to other files are relative to its folder.

    Raises:
        LotusError: a result that the experiment names is absent or damaged.

    """
    described = read_record(experiment)
    cells = [
        Benchmark(part["dataset"], part["architecture"], part["scenario"])
        for part in described["benchmarks"]
    ]
    seeds, rows = described["settings"]["seeds"], described["rows"]
    folders = {
        layout.run_folder(cell, seed, row) for cell in cells for row in rows for seed in seeds
    }
    runs = read_runs(sorted(folders))
    metrics = [layout.metrics_file(cell, seed) for cell in cells for seed in seeds]
    frame = load_metrics(metrics)
    times = load_times([run.path for run in runs])
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template.name).render(
        title=described["settings"]["title"],
        protocol=described["settings"]["protocol"],
        seeds=seeds,
        row_titles=[row_title(row) for row in rows],
        sections=[_section(cell, frame, runs, times) for cell in cells],
        memorisation=_memorisation(frame),
        correlations=_correlations(frame),
        summary_table=_table_item("tables", "summary"),
        per_seed_table=_table_item("tables", "per-seed"),
        times_table=_table_item("timings", "times"),
        avg_gap=_figure_item("figures", "avg-gap", "Avg Gap of every method in every benchmark"),
        times=_figure_item("timings", "times", "Seconds of unlearning beside those of retraining"),
        rf_jsd=_figure_item("figures", "rf-jsd", "RF-JSD against JSD, a point for each model")
        if frame["rf_jsd"].notna().any()
        else None,
        runs=runs,
        stores=[
            read_record(layout.store_record(d)) for d in dict.fromkeys(c.dataset for c in cells)
        ],
        settings_rows=_settings_rows(described["benchmarks"], runs),
        training_rows=_training_rows(runs),
        hardware=distinct(runs, "hardware"),
        versions=distinct(runs, "versions"),
        code=distinct(runs, "code"),
        compute_seconds=sum(run.content["time"]["total"] for run in runs),
    )
    write_text(out, page)


def _section(
    cell: Benchmark, frame: pd.DataFrame, runs: Sequence[RunRecord], times: pd.DataFrame
) -> Section:
    part = _part(frame, cell)
    numbers = summarise(part)
    shown = [metric for metric in TITLES if numbers[metric].notna().any()]
    best = {metric: best_rows(numbers, metric) for metric in shown}
    rows = [
        (
            row_title(str(row)),
            [
                Cell(
                    plus_minus(line[metric], line[f"{metric}_std"]),
                    row in best[metric],
                    _why_empty(str(row), metric),
                )
                for metric in shown
            ]
            + [Cell(_seconds(times, cell, str(row)))],
        )
        for row, line in numbers.iterrows()
    ]
    rules = {
        run.content["notes"]["forget_set"]["rule"]
        for run in runs
        if _is_of(run, cell) and "forget_set" in run.content["notes"]
    }
    title = benchmark_title(cell.dataset, cell.architecture, cell.scenario)
    alt = f"Histograms of prediction entropy on forget, retain and test images: {title}"
    return Section(
        anchor=cell.name,
        title=title,
        heads=[TITLES[metric] for metric in shown] + ["Time (s)"],
        rows=rows,
        n=int(numbers["n"].max()),
        sentences=_sentences(part, numbers),
        table=_table_item("tables", cell.name),
        streisand=_figure_item("figures", f"streisand-{cell.name}", alt),
        rule="; ".join(sorted(rules)),
        class_forgetting=bool(part["rf_jsd"].isna().all()),
    )


def _part(frame: pd.DataFrame, cell: Benchmark) -> pd.DataFrame:
    here = (frame[KEYS] == [cell.dataset, cell.architecture, cell.scenario]).all(axis=1)
    return frame[here]


def _is_of(run: RunRecord, cell: Benchmark) -> bool:
    names = (run.about["dataset"], run.about["architecture"], run.about.get("scenario"))
    return names == (cell.dataset, cell.architecture, cell.scenario)


def _why_empty(row: str, metric: str) -> str:
    return "gold is what this is measured against" if row == GOLD and metric != "rf_jsd" else ""


def _seconds(times: pd.DataFrame, cell: Benchmark, row: str) -> str:
    scenario = "" if row == ORIGINAL else cell.scenario
    here = (times[[*KEYS, "row"]] == [cell.dataset, cell.architecture, scenario, row]).all(axis=1)
    values = times.loc[here, "seconds"]
    return plus_minus(values.mean(), values.std(), 2)


def _sentences(part: pd.DataFrame, numbers: pd.DataFrame) -> list[str]:
    """What the table says, in words that the numbers choose."""
    methods = numbers.drop(index=[ORIGINAL, GOLD])
    if methods["avg_gap"].isna().all():
        return ["The membership attack is undefined for these models, and so is Avg Gap."]
    winner = str(methods["avg_gap"].idxmin())
    nothing = numbers.loc[ORIGINAL, "avg_gap"]
    said = [
        f"Smallest Avg Gap: {row_title(winner)} ({methods.loc[winner, 'avg_gap']:.3f}; "
        f"doing nothing: {nothing:.3f})."
    ]
    if "lotus" in methods.index:
        gaps = part.pivot(index="seed", columns="row", values="avg_gap")
        won = int((gaps["lotus"] < gaps[ORIGINAL]).sum())
        divergence = methods.loc["lotus", "jsd"]
        said.append(
            f"LoTUS: Avg Gap {methods.loc['lotus', 'avg_gap']:.3f}, smaller than doing nothing in "
            f"{won} of {len(gaps)} seeds; JSD to gold {divergence:.3f} "
            f"(doing nothing: {numbers.loc[ORIGINAL, 'jsd']:.3f})."
        )
    return said


def _memorisation(frame: pd.DataFrame) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Original against gold on the forget set: forget accuracy and MIA, per benchmark."""
    found = []
    for key, part in frame.groupby(KEYS, sort=False):
        numbers = summarise(part)
        lines = [
            (
                TITLES[metric],
                plus_minus(numbers.loc[ORIGINAL, metric], numbers.loc[ORIGINAL, f"{metric}_std"]),
                plus_minus(numbers.loc[GOLD, metric], numbers.loc[GOLD, f"{metric}_std"]),
            )
            for metric in ("accuracy_forget", "mia")
        ]
        found.append((benchmark_title(*key), lines))
    return found


def _correlations(frame: pd.DataFrame) -> list[str]:
    """One sentence per benchmark of instance forgetting."""
    found = []
    for key, part in frame.groupby(KEYS, sort=False):
        if part["rf_jsd"].notna().any():
            r = jsd_agreement(part)[1]
            found.append(
                f"{benchmark_title(*key)}: Pearson r = {r.pearson:.2f} (95 % bootstrap interval "
                f"{r.low:.2f} to {r.high:.2f}), Spearman {r.spearman:.2f}, {r.points} models."
            )
    return found


def _settings_rows(
    benchmarks: Sequence[Mapping[str, Any]], runs: Sequence[RunRecord]
) -> list[tuple[str, str, str]]:
    """(benchmark, row, hyper-parameters), as the records of the runs have them."""
    found: dict[tuple[str, str], str] = {}
    order = [(b["dataset"], b["architecture"], b["scenario"]) for b in benchmarks]
    for key in order:
        for run in runs:
            if run.content["kind"] == "unlearned" and _is_of(run, Benchmark(*key)):
                values = run.content["settings"]["hyperparameters"]
                text = ", ".join(f"{name} {value}" for name, value in values.items())
                found[benchmark_title(*key), row_title(run.about["row"])] = text
    return [(where, row, text) for (where, row), text in found.items()]


def _training_rows(runs: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """(data set and architecture, recipe) of the original models, as recorded."""
    found: dict[str, str] = {}
    for run in runs:
        if run.content["kind"] == "original":
            section = dict(run.content["settings"]["architecture"])
            recipe = section.pop("training")
            text = ", ".join(f"{name} {value}" for name, value in {**section, **recipe}.items())
            found[f"{run.about['dataset']}, {run.about['architecture']}"] = text
    return list(found.items())


def _table_item(folder: str, name: str) -> Item:
    return _item(folder, name, "table", "", ("csv", "tex"))


def _figure_item(folder: str, name: str, alt: str) -> Item:
    return _item(folder, name, "figure", alt, ("svg", "pdf", "png"))


def _item(folder: str, name: str, kind: str, alt: str, endings: Sequence[str]) -> Item:
    stem = layout.RESULTS / folder / name
    record = read_record(layout.record_of(layout.RESULTS / folder / f"{name}.{kind}"))
    picture = ""
    if kind == "figure":
        encoded = base64.b64encode((stem.parent / f"{name}.svg").read_bytes()).decode()
        picture = f"data:image/svg+xml;base64,{encoded}"
    return Item(
        anchor=f"{kind}-{name}",
        picture=picture,
        alt=alt,
        files=[(ending.upper(), f"../{folder}/{name}.{ending}") for ending in endings],
        command=record["command"],
        code=record["code"]["step"],
        inputs=list(record["inputs"].items()),
        outputs=list(record["outputs"].items()),
    )
