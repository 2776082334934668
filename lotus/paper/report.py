"""The report: one page that holds everything, and says of every number where it comes from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lotus import layout
from lotus.layout import GOLD, ORIGINAL
from lotus.lineage import RunRecord, distinct, read_record, read_runs
from lotus.paper.audits import AuditTable, audit_table
from lotus.paper.conventions import TITLES
from lotus.paper.costs import costs, register
from lotus.paper.items import Item, figure_item, table_item
from lotus.paper.overview import Overview, overview
from lotus.paper.results import (
    KEYS,
    MODELS,
    PLACE,
    benchmark_title,
    jsd_agreement,
    load_metrics,
    row_title,
    summarise,
    with_gold,
)
from lotus.paper.sections import Cell, Measured, Section, number, section
from lotus.paper.stores import StoreRow, store_row
from lotus.paper.tables import plus_minus
from lotus.paper.trace import row_anchor, trace
from lotus.protocol import CORRECTED, parse
from lotus.provenance import write_text
from lotus.settings import Benchmark


@dataclass(frozen=True)
class Experiment:
    """What `lotus describe` wrote, with the results that it names."""

    described: Mapping[str, Any]

    @property
    def seeds(self) -> list[int]:
        """Seeds of all models."""
        return list(self.described["settings"]["seeds"])

    @property
    def cells(self) -> list[Mapping[str, Any]]:
        """Cells under whole protocols."""
        return list(self.described["benchmarks"])

    @cached_property
    def runs(self) -> dict[Path, RunRecord]:
        """Records of all runs by folder, each once."""
        folders = {
            Path(folder)
            for cell in [*self.cells, *self.described["ablations"]]
            for rows in cell["runs"].values()
            for folder in rows.values()
        }
        runs = read_runs(sorted(folders))
        return {run.path.parent: run for run in runs}

    def metrics(self, cell: Mapping[str, Any], protocol: str | None = None) -> list[Path]:
        """Metrics files that serve a cell.

        Args:
            protocol: of another protocol's cell at the same place.

        """
        place = _place(cell).under(protocol or cell["measured"])
        return [layout.metrics_file(place, seed) for seed in self._measured_seeds[place]]

    @cached_property
    def _measured_seeds(self) -> dict[Benchmark, list[int]]:
        """Seeds of each metrics file's cell."""
        return {
            _place(cell).under(cell["measured"]): [int(seed) for seed in cell["runs"]]
            for cell in [*self.cells, *self.described["ablations"]]
        }

    @cached_property
    def ablated(self) -> list[Path]:
        """Metrics files of single switches and of what they are compared with."""
        files = [
            path
            for cell in self.described["ablations"]
            for protocol in (parse(cell["protocol"]).base, cell["measured"])
            for path in self.metrics(cell, protocol)
        ]
        return list(dict.fromkeys(files))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Metrics of the cells."""
        return load_metrics([path for cell in self.cells for path in self.metrics(cell)])

    @cached_property
    def measured(self) -> list[Measured]:
        """The cells with their metrics."""
        return [Measured(cell, load_metrics(self.metrics(cell))) for cell in self.cells]

    @cached_property
    def ablations(self) -> list[Measured]:
        """Cells of single switches that have runs of their own, with their metrics."""
        return [
            Measured(cell, load_metrics(self.metrics(cell)))
            for cell in self.described["ablations"]
            if cell["measured"] == cell["protocol"]
        ]

    @cached_property
    def sections(self) -> list[Section]:
        """One for each place."""
        places: dict[tuple[str, ...], list[Measured]] = {}
        for measured in self.measured:
            place = tuple(measured.described[key] for key in PLACE)
            places.setdefault(place, []).append(measured)
        return [section(measured, self.runs) for measured in places.values()]

    @cached_property
    def audits(self) -> dict[str, list[AuditTable]]:
        """By data set, one for each scenario."""
        found: dict[str, list[AuditTable]] = {}
        for dataset, scenario in dict.fromkeys(
            (cell["dataset"], cell["scenario"]) for cell in self.cells
        ):
            audited = audit_table(layout.audit_file(dataset, scenario))
            found.setdefault(dataset, []).append(audited)
        return found

    @cached_property
    def stores(self) -> list[StoreRow]:
        """Data sets of the cells, then those for calibration."""
        datasets = [*(cell["dataset"] for cell in self.cells), *self.calibrations]
        return [
            store_row(read_record(layout.store_record(dataset)))
            for dataset in dict.fromkeys(datasets)
        ]

    @property
    def studies(self) -> list[str]:
        """Studies in the order of the cells; '' for cells of none."""
        return list(dict.fromkeys(str(cell["study"]) for cell in self.cells))

    @property
    def calibrations(self) -> list[str]:
        """Data sets that rows get in place of validation images."""
        methods = (row for cell in self.cells for row in cell["methods"].values())
        return list(dict.fromkeys(row["calibration"] for row in methods if row["calibration"]))


def _place(cell: Mapping[str, Any]) -> Benchmark:
    return Benchmark(**{key: cell[key] for key in PLACE})


@dataclass(frozen=True)
class Across:
    """What stands the benchmarks of one study ('': of none) side by side; None for what there is not."""

    study: str
    has_gold_everywhere: bool
    summary_table: Item
    times_table: Item
    times: Item
    avg_gap: Item | None
    correlation_table: Item | None
    rf_jsd: Item | None
    correlations: Sequence[str]

    @property
    def anchor(self) -> str:
        """Name on the page."""
        return layout.in_study("across", self.study)

    @property
    def title(self) -> str:
        """Head of the section."""
        return "Across benchmarks" + (f", study {self.study}" if self.study else "")


def write_report(experiment: Path, template: Path, out: Path) -> None:
    """Writes the page.

    Args:
        experiment: what `lotus describe` wrote; says which results belong to the report.
        template: Jinja template; its folder holds those that it includes.
        out: the HTML file; links to other files are relative to its folder.

    Raises:
        LotusError: a result that the experiment names is absent or damaged.

    """
    read = Experiment(read_record(experiment))
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template.name).render(
        **_results(read), **_settings(read), **_machine(read)
    )
    write_text(out, page)


def _results(read: Experiment) -> dict[str, Any]:
    settings = read.described["settings"]
    return {
        "title": settings["title"],
        "protocols": list(dict.fromkeys(parse(cell["protocol"]).base for cell in read.cells)),
        "seeds": read.seeds,
        "overview": _overview(read),
        "sections": read.sections,
        "ablation_traces": [
            trace(each.described, each.frame, each.forms, read.runs) for each in read.ablations
        ],
        "memorisation": _memorisation(read.frame),
        "across": [_across(read, study) for study in read.studies],
        "costs": costs(read.ablated) if read.ablated else None,
        "register": register(read.described, read.frame),
        **_data(read),
        "per_seed_table": table_item("tables", "per-seed"),
        "ablation_table": table_item("tables", "ablation") if read.ablated else None,
    }


def _data(read: Experiment) -> dict[str, Any]:
    """What is known of the images: audits and figures by data set, and one figure of all."""
    figures = {
        dataset: {
            "classes": figure_item(
                "figures", f"data-classes-{dataset}", f"Images of each class and part: {dataset}"
            ),
            "duplicates": figure_item(
                "figures", f"data-duplicates-{dataset}", f"Images that look alike: {dataset}"
            ),
        }
        for dataset in read.audits
    }
    return {
        "audits": read.audits,
        "data_figures": figures,
        "similarity": figure_item(
            "figures", "data-similarity", "Distances between forget and retain images"
        ),
    }


def _across(read: Experiment, study: str) -> Across:
    frame = read.frame[read.frame["study"] == study]
    measured = with_gold(frame)
    corrected = measured[measured["protocol"] == CORRECTED.name]
    instance = corrected["rf_jsd"].notna().any()
    name = partial(layout.in_study, study=study)
    gaps = "Avg Gap of every method in every benchmark"
    seconds = "Seconds of unlearning beside those of retraining"
    points = "RF-JSD against JSD, a point for each model"
    return Across(
        study=study,
        has_gold_everywhere=len(measured) == len(frame),
        summary_table=table_item("tables", name("summary")),
        times_table=table_item("timings", name("times")),
        times=figure_item("timings", name("times"), seconds),
        avg_gap=figure_item("figures", name("avg-gap"), gaps) if len(measured) else None,
        correlation_table=table_item("tables", name("correlation")) if instance else None,
        rf_jsd=figure_item("figures", name("rf-jsd"), points) if instance else None,
        correlations=_correlations(corrected),
    )


def _settings(read: Experiment) -> dict[str, Any]:
    return {
        "tuning": _tuning(read.described["settings"]["tuning"]),
        "settings_rows": _settings_rows(read),
        "calibrations": read.calibrations,
        "training_rows": _training_rows(list(read.runs.values())),
    }


def _overview(read: Experiment) -> Overview:
    architectures = read.described["settings"]["architectures"]
    return overview(read.measured, architectures, read.stores, list(read.runs.values()))


def _machine(read: Experiment) -> dict[str, Any]:
    runs = list(read.runs.values())
    return {
        "runs": runs,
        "stores": read.stores,
        "hardware": distinct(runs, "hardware"),
        "versions": distinct(runs, "versions"),
        "code": distinct(runs, "code"),
        "compute_seconds": sum(run.content["time"]["total"] for run in runs),
    }


def _memorisation(frame: pd.DataFrame) -> list[tuple[str, str, list[tuple[str, Cell, Cell]]]]:
    """Original against gold on the forget set: forget accuracy and MIA, textbook, wherever gold is.

    With the benchmark in words, and the anchor of the original's runs.
    """
    found = []
    for place, part in with_gold(frame).groupby(MODELS, sort=False):
        first = part[KEYS].iloc[0]
        part = part[(part[KEYS] == first).all(axis=1)]
        numbers = summarise(part, CORRECTED)
        lines = [
            (
                TITLES[metric],
                _stated(numbers, ORIGINAL, metric),
                _stated(numbers, GOLD, metric),
            )
            for metric in ("accuracy_forget", "mia")
        ]
        anchor = row_anchor(Benchmark(**first), ORIGINAL)
        found.append((benchmark_title(*place), anchor, lines))
    return found


def _stated(numbers: pd.DataFrame, row: str, metric: str) -> Cell:
    value, spread = numbers.loc[row, [metric, f"{metric}_std"]]
    return Cell(plus_minus(value, spread), value=number(value))


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
                f"{benchmark_title(*key)}: Pearson r = {r.pearson:.2f} (95 % bootstrap interval "
                f"{r.low:.2f} to {r.high:.2f}), Spearman {r.spearman:.2f}, {r.points} models."
            )
    return found


def _tuning(tuning: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """How hyper-parameters were chosen: budget, seeds, and (row, space) in words."""
    if tuning is None:
        return None
    spaces = [(row_title(row), _joined(space)) for row, space in tuning["spaces"].items()]
    return {"budget": tuning["budget"], "seeds": list(tuning["seeds"]), "spaces": spaces}


def _settings_rows(read: Experiment) -> list[tuple[str, str, str]]:
    """(row, hyper-parameters, where), as the records of the runs have them; equal ones together."""
    found: dict[tuple[str, str], dict[Benchmark, None]] = {}
    for cell in read.cells:
        where = _place(cell).under(cell["protocol"])
        for rows in cell["runs"].values():
            for row, folder in rows.items():
                recorded = read.runs[Path(folder)].content["settings"]
                if row not in (ORIGINAL, GOLD):
                    key = row, _recorded(recorded)
                    found.setdefault(key, {})[where] = None
    order = {row: place for place, row in enumerate(dict.fromkeys(row for row, _ in found))}
    every = [_place(cell).under(cell["protocol"]) for cell in read.cells]
    return [
        (row_title(row), text, _where(list(where), every))
        for (row, text), where in sorted(found.items(), key=lambda entry: order[entry[0][0]])
    ]


def _recorded(settings: Mapping[str, Any]) -> str:
    """Hyper-parameters of a run, and its calibration set if it has one."""
    synthetic = {key: settings[key] for key in ("calibration",) if key in settings}
    return _joined({**settings["hyperparameters"], **synthetic})


def _where(cells: Sequence[Benchmark], every: Sequence[Benchmark]) -> str:
    """Cells in words, study by study."""
    found = []
    for study in dict.fromkeys(cell.study for cell in cells):
        here, all_here = ([cell for cell in some if cell.study == study] for some in (cells, every))
        named = f"study {study}: " if study else ""
        found.append(named + _where_in_study(here, all_here))
    return "; ".join(found)


def _where_in_study(cells: Sequence[Benchmark], every: Sequence[Benchmark]) -> str:
    """A place is named alone if all its protocols are meant, and so is a protocol."""
    if set(cells) == set(every):
        return "everywhere"
    protocols = {cell.protocol for cell in cells}
    if set(cells) == {cell for cell in every if cell.protocol in protocols}:
        return f"everywhere, {' and '.join(sorted(protocols))}"
    found = []
    for place in dict.fromkeys(cell.under("") for cell in cells):
        meant = [cell.protocol for cell in cells if cell.under("") == place]
        whole = len(meant) == sum(cell.under("") == place for cell in every)
        named = "" if whole else " and ".join(meant)
        found.append(
            benchmark_title(place.dataset, place.architecture, place.scenario, protocol=named)
        )
    return "; ".join(found)


def _joined(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_written(value)}" for name, value in values.items())


def _written(value: Any) -> str:
    """As a configuration has it; alternatives with slashes."""
    if isinstance(value, list):
        return " / ".join(_written(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value)


def _training_rows(runs: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """(data set and architecture, recipe) of the original models, as recorded."""
    found: dict[str, str] = {}
    for run in runs:
        if run.content["kind"] == "original":
            section = dict(run.content["settings"]["architecture"])
            recipe = section.pop("training")
            text = _joined({**section, **recipe})
            found[f"{run.about['dataset']}, {run.about['architecture']}"] = text
    return list(found.items())
