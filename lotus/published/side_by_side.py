"""Sets what was measured beside what the paper prints, number by number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lotus.config.protocol import RELEASED, parse
from lotus.errors import LotusError
from lotus.names import shown
from lotus.published.numbers import DECIMALS
from lotus.results.experiment import Experiment
from lotus.results.metrics import load_metrics
from lotus.results.metrics_file import MODELS, PLACE
from lotus.results.quantities import NOT_RUN, Quantity, measure
from lotus.results.resolution import fewest_images
from lotus.results.run_records import load_times
from lotus.results.titles import ROW_TITLES

PROTOCOLS = ("released", "corrected")


@dataclass(frozen=True)
class Wanted:
    """The rows and columns that an item of the paper shows.

    Attributes:
        label: of the cells that it is made of, as `tables` in the configuration.
        printed_in: items of the published reference that hold its numbers.
        metrics: by their names in the published reference, in order.
        only, without: rows; () for no restriction.

    """

    label: str
    printed_in: Sequence[str]
    metrics: Sequence[str]
    only: Sequence[str] = ()
    without: Sequence[str] = ()

    def shows(self, row: str) -> bool:
        """Whether a row belongs to it."""
        return row not in self.without and (not self.only or row in self.only)


def compare(wanted: Wanted, read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """One line for each benchmark, row and metric that is printed or was measured.

    Columns: `PLACE`; of_paper (whether the paper prints this benchmark), row, metric; published,
    published_std, source, note; and for each P of `PROTOCOLS`, the models of which are measured: P (value),
    P_metric (whose metric that is: both columns are measured as the paper prints it, but for the minutes of
    `corrected`, which are those that passed), P_std, P_n, P_low, P_high (see `Quantity`), P_status (why
    there is none), P_difference (to the published), P_inside (whether the published value, give or take its
    rounding, lies in the interval; None where one is missing).

    Args:
        wanted: which numbers.
        read: the experiment.
        published: as `load_published` gives it.

    """
    printed = _printed(wanted, published)
    lines = [
        {
            **place,
            "row": row,
            "metric": metric,
            **_line(theirs.get((row, metric)), measured, row, metric),
        }
        for place, theirs, measured in _benchmarks(wanted, read, printed)
        for row in _rows(wanted, theirs, measured)
        for metric in wanted.metrics
        if (row, metric) in theirs or any((row, metric) in of for of in measured.values())
    ]
    columns = [*PLACE, "of_paper", "row", "metric", "published", "published_std", "source", "note"]
    columns += [f"{name}{part}" for name in PROTOCOLS for part in PARTS]
    return pd.DataFrame(lines, columns=columns)


def read_comparison(path: Path) -> pd.DataFrame:
    """Reads what `compare` gave, from its CSV.

    Raises:
        LotusError: absent or something else.

    """
    try:
        said = (f"{name}{part}" for name in PROTOCOLS for part in ("_metric", "_status"))
        texts = ["study", "source", "note", *said]
        numbers = pd.read_csv(path, dtype=dict.fromkeys(texts, str))
        return numbers.assign(**{name: numbers[name].fillna("") for name in texts})
    except (OSError, ValueError, KeyError) as error:
        what = shown(" ".join(str(error).split()))
        raise LotusError(f"{shown(path)}: is not a table of `lotus exhibit`: {what}") from error


PARTS = ("", "_metric", "_std", "_n", "_low", "_high", "_status", "_difference", "_inside")
Printed = Mapping[tuple[str, str], Mapping[str, Any]]
"""(row, metric) → line of the published reference."""
Measured = Mapping[str, Mapping[tuple[str, str], Quantity]]
"""Base protocol → (row, metric) → what was measured."""
PlaceOfPaper = tuple[str, ...]


def _printed(wanted: Wanted, published: pd.DataFrame) -> Mapping[PlaceOfPaper, Printed]:
    """Preferred lines of the items, by benchmark."""
    here = published[
        published["item"].isin(wanted.printed_in)
        & published["metric"].isin(wanted.metrics)
        & published["preferred"]
        & (published["dataset"] != "all")
    ]
    found: dict[PlaceOfPaper, dict[tuple[str, str], Mapping[str, Any]]] = {}
    for line in here.to_dict("records"):
        if wanted.shows(line["row"]):
            place = tuple(line[axis] for axis in MODELS)
            found.setdefault(place, {})[line["row"], line["metric"]] = line
    return found


def _benchmarks(
    wanted: Wanted, read: Experiment, printed: Mapping[PlaceOfPaper, Printed]
) -> Iterator[tuple[dict[str, Any], Printed, Measured]]:
    """The experiment's benchmarks, then what else the paper prints."""
    cells: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for cell in read.labelled(wanted.label):
        cells.setdefault(tuple(str(cell[key]) for key in PLACE), []).append(cell)
    reproduced = set()
    for key, here in cells.items():
        theirs = tuple((here[0]["published"] or {}).values())
        reproduced.add(theirs)
        place = {**dict(zip(PLACE, key, strict=True)), "of_paper": theirs in printed}
        measured: Measured = {
            parse(str(cell["protocol"])).base: _quantities(read, cell, wanted.metrics)
            for cell in here
        }
        yield place, printed.get(theirs, {}), measured
    for theirs, numbers in printed.items():
        if theirs not in reproduced:
            place = {**dict(zip(PLACE, (*theirs, ""), strict=True)), "of_paper": True}
            yield place, numbers, {}


def _quantities(
    read: Experiment, cell: Mapping[str, Any], metrics: Sequence[str]
) -> dict[tuple[str, str], Quantity]:
    is_released = parse(str(cell["protocol"])).base == RELEASED.base
    files = read.metrics(cell)
    times = load_times(read.records(cell))
    return measure(load_metrics(files), times, is_released, metrics, fewest_images(files))


def _rows(wanted: Wanted, theirs: Printed, measured: Measured) -> list[str]:
    """Rows of either, in the project's order; a user's own come last."""
    ours = (row for quantities in measured.values() for row, _ in quantities)
    every = dict.fromkeys([*(row for row, _ in theirs), *ours])
    order = {row: place for place, row in enumerate(ROW_TITLES)}
    shown = (row for row in every if wanted.shows(row))
    return sorted(shown, key=lambda row: order.get(row, len(order)))


def _line(
    printed: Mapping[str, Any] | None, measured: Measured, row: str, metric: str
) -> dict[str, Any]:
    """Columns after the names."""
    line: dict[str, Any] = {}
    if printed is not None:
        line = {"published": printed["mean"], "published_std": printed["std"]}
        line |= {key: printed[key] for key in ("source", "note")}
    for name in PROTOCOLS:
        found = measured.get(name, {}).get((row, metric), NOT_RUN)
        line |= {name: found.value, f"{name}_metric": found.metric}
        line |= {f"{name}_std": found.std, f"{name}_n": found.n}
        line |= {f"{name}_low": found.low, f"{name}_high": found.high}
        line[f"{name}_status"] = found.status
        if printed is not None and not found.status:
            line[f"{name}_difference"] = found.value - printed["mean"]
            line[f"{name}_inside"] = _is_inside(printed["mean"], found, metric)
    return line


def _is_inside(published: float, found: Quantity, metric: str) -> bool | None:
    if pd.isna(found.low):
        return None
    rounding = 0.5 * 10.0 ** -DECIMALS.get(metric, 2)
    return bool(found.low - rounding <= published <= found.high + rounding)
