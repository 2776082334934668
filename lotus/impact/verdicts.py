"""The verdicts of claims that rest on a start, benchmark by benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.claims.stated import TIME
from lotus.claims.verdicts import read_verdicts
from lotus.config.protocol import RELEASED, parse
from lotus.impact.numbers import images_of
from lotus.impact.reach import ForwardReach
from lotus.results.experiment import Experiment, read_experiment
from lotus.results.metrics_file import PLACE
from lotus.results.needed_rows import predictions_read, rows_needed
from lotus.results.titles import benchmark_title, dataset_title


@dataclass(frozen=True)
class TouchedVerdict:
    """The verdict on a claim under a protocol, with a benchmark in which it rests on the start.

    Attributes:
        scope: `paper` or `other`: the paper's own benchmarks, or others.
        benchmarks: in words; () where it rests on the start whatever the benchmark is.

    """

    claim: str
    scope: str
    protocol: str
    verdict: str
    benchmarks: Sequence[str]


def touched_verdicts(reach: ForwardReach) -> list[TouchedVerdict]:
    """Returns the verdicts that rest on the start; none where no claims were judged.

    Raises:
        LotusError: the verdicts or the description of the experiment are damaged.

    """
    path = layout.CLAIMS.as_posix()
    record = reach.index.producer(path)
    if record is None or path not in reach.files or not layout.CLAIMS.is_file():
        return []
    read = read_experiment(layout.EXPERIMENT)
    # What the claims and the printed numbers say concerns all verdicts alike.
    concerns_all = (
        record.path in reach.start.records
        or path in reach.start.files
        or any(
            name in reach.start.files and reach.index.producer(name) is None
            for name in record.inputs
        )
    )
    found = []
    for claim in read_verdicts(layout.CLAIMS)["claims"]:
        for ruling in claim["rulings"]:
            here = [
                finding["benchmark"]
                for finding in ruling["findings"]
                if not concerns_all and _is_touched(reach, read, ruling["protocol"], finding)
            ]
            if here or concerns_all:
                said = (claim["id"], ruling["scope"], ruling["protocol"], ruling["verdict"])
                found.append(TouchedVerdict(*said, here))
    return found


def _is_touched(
    reach: ForwardReach, read: Experiment, protocol: str, finding: Mapping[str, Any]
) -> bool:
    cells = [cell for cell in read.cells if _title(cell) == finding["benchmark"]]
    cells = [cell for cell in cells if parse(str(cell["protocol"])).base == protocol]
    if not cells:
        # A claim about data, which is decided by the audits of their images.
        return any(
            layout.audit_file(dataset, scenario).as_posix() in reach.files
            for dataset, scenario in read.audited
            if _names(finding["benchmark"], dataset_title(dataset))
        )
    return any(
        _is_number_touched(reach, read, cell, row, metric)
        for cell in cells
        for row, metric in _compared(finding)
    )


def _names(benchmark: str, title: str) -> bool:
    """Whether a data set is one of those that a claim about data compares, which ` and ` joins."""
    return f" and {title} and " in f" and {benchmark} and "


def _title(cell: Mapping[str, Any]) -> str:
    """The benchmark as findings name it: a protocol is named if it deviates from its base."""
    name = str(cell["protocol"])
    dataset, architecture, scenario, study = (str(cell[key]) for key in PLACE)
    deviating = name if parse(name).deviations else ""
    return benchmark_title(dataset, architecture, scenario, study, deviating)


def _compared(finding: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(row, metric) of what decided; of a finding without comparisons all rows."""
    for each in finding["comparisons"]:
        yield each["row"], each["metric"]
        yield each["other"], each["metric"]
    if not finding["comparisons"]:
        yield "", ""


def _is_number_touched(
    reach: ForwardReach, read: Experiment, cell: Mapping[str, Any], row: str, metric: str
) -> bool:
    files = reach.files
    if metric == TIME:
        runs = (folders.get(row) for folders in cell["runs"].values())
        return any(
            (Path(folder) / layout.RUN_RECORD).as_posix() in files for folder in runs if folder
        )
    for path in read.metrics(cell):
        made = reach.index.producer(path.as_posix())
        if path.as_posix() not in files or made is None:
            continue
        rows = predictions_read(made.settings, made.inputs)
        golds = made.settings.get("golds", [])
        names = rows_needed(metric, row, list(rows), golds)
        needed = [rows[name] for name in names if name in rows]
        if path.as_posix() in reach.start.files or reach.is_touched(
            made,
            {made.path: needed},
            images_of(metric, parse(str(cell["protocol"])).base == RELEASED.base),
        ):
            return True
    return False
