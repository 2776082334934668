"""The settings of an experiment, as rows of the report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.errors import LotusError
from lotus.layout import REFERENCES, is_further_gold
from lotus.records.reading import Record
from lotus.results.experiment import Experiment, place_of
from lotus.results.titles import benchmark_title, legible, row_title
from lotus.tables.tuning import SPEC as TUNING_TABLE
from lotus.wording import counted

TUNING = TUNING_TABLE.name


def tuning_in_words(tuning: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns how hyper-parameters are chosen: budget, seeds, and (row, space) in words."""
    if tuning is None:
        return None
    spaces = [(row_title(row), _joined(space)) for row, space in tuning["spaces"].items()]
    return {"budget": tuning["budget"], "seeds": list(tuning["seeds"]), "spaces": spaces}


def tuning_outcome(read: Experiment) -> str:
    """Returns in a sentence how many tuned rows come out worse on the report's models; '' without any.

    Raises:
        LotusError: the table of tuning is absent.

    """
    made = next((made for made in read.tables if made["kind"] == TUNING), None)
    if made is None:
        return ""
    path = layout.item_file(made["folder"], made["name"], "csv")
    try:
        numbers = pd.read_csv(path)
        worse, fallen = numbers["above_twice"].astype(bool), int((numbers["collapsed"] > 0).sum())
    except (OSError, ValueError, KeyError) as error:
        said = legible(" ".join(str(error).split()))
        raise LotusError(f"{path}: is not the table of tuning: {said}") from error
    return (
        f"On the models of this report {worse.sum()} of {counted(len(worse), 'tuned row')} come out with "
        "more than twice the objective that tuning found on its own."
        + (
            f" {counted(fallen, 'row')} with a collapsed model cannot be compared."
            if fallen
            else ""
        )
    )


def settings_rows(read: Experiment) -> list[tuple[str, str, str, str]]:
    """(row, hyper-parameters, where these are from, in which benchmarks); equal ones together.

    Hyper-parameters are as the records of the runs have them, their origins as the configuration has them.
    """
    found: dict[tuple[str, str, str], dict[Benchmark, None]] = {}
    for cell in read.cells:
        where = place_of(cell).under(cell["protocol"])
        for rows in cell["runs"].values():
            for row, folder in rows.items():
                recorded = read.runs[Path(folder)].content["settings"]
                if row not in REFERENCES and not is_further_gold(row):
                    origin = origins_in_words(cell["methods"][row].get("origins", {}))
                    found.setdefault((row, _recorded(recorded), origin), {})[where] = None
    order = {row: place for place, row in enumerate(dict.fromkeys(row for row, *_ in found))}
    every = [place_of(cell).under(cell["protocol"]) for cell in read.cells]
    return [
        (row_title(row), text, origin, _where(list(where), every))
        for (row, text, origin), where in sorted(
            found.items(), key=lambda entry: order[entry[0][0]]
        )
    ]


def origins_in_words(origins: Mapping[str, Sequence[str]]) -> str:
    """Returns which hyper-parameters are from where; those of the most common origin are 'the rest'."""
    if len(origins) < 2:
        return next(iter(origins), "")
    most = max(origins, key=lambda origin: len(origins[origin]))
    parts = [f"{', '.join(keys)}: {origin}" for origin, keys in origins.items() if origin != most]
    return "; ".join([*parts, f"the rest: {most}"])


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
