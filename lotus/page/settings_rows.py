"""The settings of an experiment, as rows of the report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lotus.config.cells import Benchmark
from lotus.layout import REFERENCES, is_further_gold
from lotus.records.reading import Record
from lotus.results.experiment import Experiment, place_of
from lotus.results.metrics import (
    benchmark_title,
    row_title,
)


def tuning_in_words(tuning: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns how hyper-parameters are chosen: budget, seeds, and (row, space) in words."""
    if tuning is None:
        return None
    spaces = [(row_title(row), _joined(space)) for row, space in tuning["spaces"].items()]
    return {"budget": tuning["budget"], "seeds": list(tuning["seeds"]), "spaces": spaces}


def settings_rows(read: Experiment) -> list[tuple[str, str, str]]:
    """(row, hyper-parameters, where), as the records of the runs have them; equal ones together."""
    found: dict[tuple[str, str], dict[Benchmark, None]] = {}
    for cell in read.cells:
        where = place_of(cell).under(cell["protocol"])
        for rows in cell["runs"].values():
            for row, folder in rows.items():
                recorded = read.runs[Path(folder)].content["settings"]
                if row not in REFERENCES and not is_further_gold(row):
                    key = row, _recorded(recorded)
                    found.setdefault(key, {})[where] = None
    order = {row: place for place, row in enumerate(dict.fromkeys(row for row, _ in found))}
    every = [place_of(cell).under(cell["protocol"]) for cell in read.cells]
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
    """Returns a value as a configuration has it; alternatives with slashes."""
    if isinstance(value, list):
        return " / ".join(_written(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value)


def training_rows(runs: Sequence[Record]) -> list[tuple[str, str]]:
    """(data set and architecture, recipe) of the original models, as recorded."""
    found: dict[str, str] = {}
    for run in runs:
        if run.content["kind"] == "original":
            section = dict(run.content["settings"]["architecture"])
            recipe = section.pop("training")
            text = _joined({**section, **recipe})
            found[f"{run.about['dataset']}, {run.about['architecture']}"] = text
    return list(found.items())
