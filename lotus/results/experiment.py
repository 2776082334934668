"""Reads what `lotus describe` wrote, and the results that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.overrides import Chosen
from lotus.config.protocol import CORRECTED, parse
from lotus.config.scenarios import Scenario
from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.layout import GOLD
from lotus.names import path_part, shown
from lotus.records.places import is_named_outside, leads_out
from lotus.records.reading import Record, read_record, read_runs
from lotus.results.lookalikes import AuditTable, audit_table
from lotus.results.metrics import load_metrics
from lotus.results.metrics_file import KEYS, MODELS, PLACE
from lotus.results.stores import StoreRow, store_row
from lotus.results.titles import legible


class _Part(BaseModel):
    """The parts that are read of an entry; the others are carried along."""

    model_config = ConfigDict(extra="ignore", strict=True)


def _in_project(path: str) -> str:
    """Returns the path, if it lies in the project.

    Raises:
        ValueError: it does not.

    """
    if is_named_outside(path) or leads_out(path):
        raise ValueError(f"'{shown(path)}' lies outside the project")
    return path


Name = Annotated[str, AfterValidator(path_part)]
"""A name that becomes part of a path."""


class _Made(_Part):
    folder: Name
    name: Name
    kind: str
    about: dict[str, str]


class _Row(_Part):
    origins: dict[str, list[str]] = {}
    method: str
    calibration: Name | None


class _Cell(_Part):
    dataset: Name
    architecture: Name
    scenario: Name
    study: Name
    protocol: Name
    measured: Name
    items: list[str]
    published: dict[str, str] | None
    tuned: dict[Name, Chosen] = {}
    runs: dict[
        Annotated[str, Field(pattern=r"^[0-9]+$")],
        dict[Name, Annotated[str, AfterValidator(_in_project)]],
    ]


class _Settings(_Part):
    seeds: Annotated[list[int], Field(min_length=1)]


class _Described(_Part):
    settings: _Settings
    benchmarks: list[_Cell]
    ablations: list[_Cell]


class _CellOnPage(_Cell):
    methods: dict[str, _Row]


class _Power(_Part):
    protocols: list[Name] | None


class _SettingsOnPage(_Settings):
    title: str
    datasets: dict[str, Any]
    architectures: dict[str, dict[str, Any]]
    tuning: dict[str, Any] | None
    power: _Power | None = None


class _OnPage(_Described):
    settings: _SettingsOnPage
    benchmarks: list[_CellOnPage]  # type: ignore[assignment]
    ablations: list[_CellOnPage]  # type: ignore[assignment]
    tables: list[_Made]
    figures: list[_Made]


def read_experiment(path: Path, for_page: bool = False) -> "Experiment":
    """Reads what `lotus describe` wrote.

    Args:
        for_page: what the page alone shows is to be there too.

    Raises:
        LotusError: absent, damaged or something else; names the part.

    """
    content = read_mapping(path)
    try:
        (_OnPage if for_page else _Described).model_validate(content)
    except ValidationError as error:
        found = error.errors()[0]
        place = legible(".".join(map(str, found["loc"]))) or "as a whole"
        raise LotusError(
            f"{path}: is not an experiment of `lotus describe`: {place}: {found['msg']}"
        ) from None
    return Experiment(content)


@dataclass(frozen=True)
class Experiment:
    """An experiment as `lotus describe` wrote it, with the results that it names."""

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
    def runs(self) -> dict[Path, Record]:
        """Records of all runs by folder, each once."""
        folders = {
            Path(folder)
            for cell in [*self.cells, *self.described["ablations"]]
            for rows in cell["runs"].values()
            for folder in rows.values()
        }
        runs = read_runs(sorted(folders))
        return {Path(run.path).parent: run for run in runs}

    @property
    def tuned(self) -> dict[tuple[str, ...], Mapping[str, Mapping[str, Any]]]:
        """Data set, architecture, scenario → row → what tuning found of its values, under `corrected`."""
        return {
            tuple(str(cell[key]) for key in MODELS): cell["tuned"]
            for cell in self.cells
            if cell["protocol"] == CORRECTED.name and not cell["study"] and cell.get("tuned")
        }

    def labelled(self, label: str) -> list[Mapping[str, Any]]:
        """Cells that are for an item of the paper."""
        return [cell for cell in self.cells if label in cell["items"]]

    def forgets_a_class(self, cell: Mapping[str, Any]) -> bool:
        """Whether a whole class is forgotten in a cell.

        Raises:
            LotusError: the settings do not say what its scenario is.

        """
        name = cell["scenario"]
        try:
            return Scenario.model_validate(
                self.described["settings"]["scenarios"][name]
            ).forgets_a_class
        except (KeyError, TypeError, ValidationError) as error:
            raise LotusError(
                f"the experiment's settings do not say what the scenario '{legible(name)}' is"
            ) from error

    @staticmethod
    def records(cell: Mapping[str, Any]) -> list[Path]:
        """Records of a cell's runs."""
        return [
            Path(folder) / layout.RUN_RECORD
            for rows in cell["runs"].values()
            for folder in rows.values()
        ]

    def metrics(self, cell: Mapping[str, Any], protocol: str | None = None) -> list[Path]:
        """Metrics files that serve a cell.

        Args:
            protocol: of another protocol's cell at the same place.

        """
        place = place_of(cell).under(protocol or cell["measured"])
        return [layout.metrics_file(place, seed) for seed in self._measured_seeds[place]]

    @staticmethod
    def attacks(cell: Mapping[str, Any]) -> Path:
        """Returns the file with what membership attacks find in a cell."""
        return layout.attacks_file(place_of(cell).under(str(cell["protocol"])))

    @staticmethod
    def shadows(cell: Mapping[str, Any]) -> Path:
        """Returns the file with what attacks find by shadow models of a cell, if it has some."""
        return layout.shadows_file(place_of(cell).under(str(cell["protocol"])))

    def has_shadows(self, cell: Mapping[str, Any]) -> bool:
        """Whether a cell has shadow models (`privacy`)."""
        is_asked = self.described["settings"].get("privacy") is not None
        return is_asked and cell["protocol"] == CORRECTED.name and not cell["study"]

    def results_of(self, cells: Sequence[Mapping[str, Any]]) -> list[Path]:
        """Metrics files and run records of cells, each once."""
        files = (path for cell in cells for path in (*self.metrics(cell), *self.records(cell)))
        return list(dict.fromkeys(files))

    @cached_property
    def _measured_seeds(self) -> dict[Benchmark, list[int]]:
        """Seeds of each metrics file's cell."""
        return {
            place_of(cell).under(cell["measured"]): [int(seed) for seed in cell["runs"]]
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
    def has_gold(self) -> dict[tuple[str, ...], bool]:
        """Returns `KEYS` of each cell → whether it has a gold model."""
        rows_of_cells = self.frame.groupby(KEYS, sort=False)["row"]
        return {cell: bool((rows == GOLD).any()) for cell, rows in rows_of_cells}

    @property
    def base_protocols(self) -> list[str]:
        """Whole protocols of the cells, in their order."""
        return list(dict.fromkeys(parse(cell["protocol"]).base for cell in self.cells))

    @property
    def tables(self) -> list[Mapping[str, Any]]:
        """Tables but the paper's: folder and name, kind, and what each is about."""
        return list(self.described["tables"])

    @property
    def figures(self) -> list[Mapping[str, Any]]:
        """All of them: folder and name, kind, and what each is about."""
        return list(self.described["figures"])

    @property
    def audited(self) -> list[tuple[str, str]]:
        """Data set and scenario of each audit."""
        places = ((cell["dataset"], cell["scenario"]) for cell in self.cells)
        return list(dict.fromkeys(places))

    @cached_property
    def audits(self) -> dict[str, list[AuditTable]]:
        """By data set, one for each scenario."""
        found: dict[str, list[AuditTable]] = {}
        for dataset, scenario in self.audited:
            audited = audit_table(layout.audit_file(dataset, scenario))
            found.setdefault(dataset, []).append(audited)
        return found

    @cached_property
    def stores(self) -> list[StoreRow]:
        """Data sets of the cells, then those for calibration."""
        datasets = [*(cell["dataset"] for cell in self.cells), *self.calibrations]
        return [
            store_row(read_record(layout.store_record(dataset)).content)
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


def place_of(cell: Mapping[str, Any]) -> Benchmark:
    """Place of a described cell; no protocol."""
    return Benchmark(**{key: cell[key] for key in PLACE})
