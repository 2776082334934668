"""The report's first minute: what ran on what, and how LoTUS did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from typing import Any

from lotus import layout
from lotus.data import sources
from lotus.engine.runtime import DEFAULT, said_in
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL, REFERENCES
from lotus.page import chain
from lotus.page.formulas import RANK
from lotus.page.sections import MeasuredCell
from lotus.page.ways import Cell, Way
from lotus.records.reading import Record, distinct
from lotus.results.conventions import Form
from lotus.results.floor import best_rows, floor_in
from lotus.results.metrics_file import KEYS
from lotus.results.stores import StoreRow
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.cell_texts import stated
from lotus.tables.trace import row_anchor
from lotus.wording import all_of, counted

SIZE_KEYS = ("width", "patch_size", "embed_dim", "depth", "num_heads")
"""Keys of an architecture that say how large it is."""
PUBLISHED_SIZES = {"resnet18": "width 64", "vit": "ViT-B/16"}
"""Model → what the paper has; other models are the paper's."""
MINUTE = 60


@dataclass(frozen=True)
class LotusRank:
    """The rank of LoTUS in one benchmark under one protocol; lower is better.

    Attributes:
        anchor: of its row's entry on the page.
        metric: Avg Gap, or RF-JSD where there is no gold model.
        rank: among methods with a number, ties and all inside the floor sharing the better one.
        methods: their number.
        best: methods that print the lowest value, and all inside the floor, which have no rank.
        floor: how far another gold is from gold, as it is printed; '' where that is not known.
        is_inside: whether LoTUS is not farther, and so has no rank among those that are not.
        ways: back from the value of LoTUS, its rank, the best value and that of doing nothing.
        floor_way: back from the floor; None where that is not known.

    """

    anchor: str
    benchmark: str
    protocol: str
    metric: str
    lotus: str
    value: float
    rank: int
    methods: int
    best: Sequence[str]
    best_value: str
    original: str
    beats_original: bool
    floor: str
    is_inside: bool
    ways: tuple[Way, Way, Way, Way]
    floor_way: Way | None


@dataclass(frozen=True)
class Overview:
    """The summary's facts.

    Attributes:
        ran: what ran, in one sentence.
        datasets: what is in each store, in words.
        machines: device, processor, number of runs, and their runtime if it is not the default one.
        when: first start and last end, UTC.
        spent: time of all jobs.
        is_embedded: whether no data set had to be obtained: then none is one of the paper's.

    """

    ran: str
    datasets: Sequence[str]
    architectures: Sequence[str]
    methods: Sequence[str]
    machines: Sequence[str]
    when: str
    spent: str
    standings: Sequence[LotusRank]
    is_embedded: bool


def overview(
    measured: Sequence[MeasuredCell],
    architectures: Mapping[str, Mapping[str, Any]],
    stores: Sequence[StoreRow],
    runs: Sequence[Record],
) -> Overview:
    """The summary of an experiment.

    Args:
        measured: its cells under whole protocols.
        architectures: their sections of the configuration.
        stores: data sets that were used.
        runs: records of all runs.

    """
    used = dict.fromkeys(each.cell.architecture for each in measured)
    methods = dict.fromkeys(
        row["method"] for each in measured for row in each.described["methods"].values()
    )
    return Overview(
        ran=_in_one_sentence(measured, len(methods), runs),
        datasets=[_store_in_words(store) for store in stores],
        architectures=[size(name, architectures[name]) for name in used],
        methods=[row_title(method) for method in methods],
        machines=machines(runs),
        when=_time_span(runs),
        spent=_duration(_seconds(runs)),
        standings=[found for each in measured if (found := rank_of_lotus(each))],
        is_embedded=all(_is_embedded(store) for store in stores),
    )


def _in_one_sentence(measured: Sequence[MeasuredCell], methods: int, runs: Sequence[Record]) -> str:
    cells = [each.cell for each in measured]
    networks = dict.fromkeys(benchmark_title("", cell.architecture) for cell in cells)
    datasets = dict.fromkeys(benchmark_title(cell.dataset) for cell in cells)
    protocols = [*dict.fromkeys(cell.protocol for cell in cells)]
    seeds = {seed for each in measured for seed in each.frame["seed"]}
    return (
        f"{counted(len(runs), 'model')} ({all_of([*networks])}) on {all_of([*datasets])}: "
        f"{counted(methods, 'method')}, {counted(len(seeds), 'seed')}, "
        f"{all_of(protocols)} {'protocol' if len(protocols) == 1 else 'protocols'}, "
        f"{_duration(_seconds(runs))} of job time."
    )


def rank_of_lotus(measured: MeasuredCell) -> LotusRank | None:
    """Returns the rank of LoTUS; None where it has no number to be judged by."""
    metric = "avg_gap" if GOLD in measured.numbers.index else "rf_jsd"
    form = next((form for form in measured.forms if form.metric == metric), None)
    if form is None or "lotus" not in measured.numbers.index:
        return None
    column = measured.numbers[form.name]
    methods = column.drop(index=[*REFERENCES], errors="ignore").dropna()
    if "lotus" not in methods.index:
        return None
    printed = methods.round(form.resolution)
    floor = floor_in(measured.numbers, metric)
    ways = measured.ways[form.name]
    first = best_rows(measured.numbers, metric, form.resolution)
    best = [str(row) for row in printed.index if row in first]
    ahead = int((printed < printed["lotus"]).sum())
    return LotusRank(
        anchor=row_anchor(measured.cell, "lotus"),
        benchmark=benchmark_title(*(measured.described[key] for key in KEYS[:-1])),
        protocol=measured.cell.protocol,
        metric=form.title,
        lotus=stated(measured.numbers, "lotus", form),
        value=float(column["lotus"] * form.scale),
        rank=1 if "lotus" in first else 1 + ahead,
        methods=len(methods),
        best=[row_title(row) for row in best],
        best_value=stated(measured.numbers, str(printed.idxmin()), form),
        original=stated(measured.numbers, ORIGINAL, form),
        beats_original=bool(column["lotus"] < column[ORIGINAL]),
        floor="" if isnan(floor) else f"{floor * form.scale:.{form.decimals}f}",
        is_inside=bool(column["lotus"] <= floor),
        floor_way=None if isnan(floor) else ways[GOLD_AGAIN],
        ways=(
            ways["lotus"],
            _way_of_rank(measured, form),
            ways[str(printed.idxmin())],
            ways[ORIGINAL],
        ),
    )


def _way_of_rank(measured: MeasuredCell, form: Form) -> Way:
    """It rests on what all methods rest on, seed by seed on no single value."""
    item = ("tables", measured.cell.name)
    return Way(
        formula=RANK,
        row=f"LoTUS, by {form.title}",
        where=measured.asked.title,
        basis=chain.of_metric(
            measured.read, [measured.described], form.name, "", layout.item_record(*item, "table")
        ),
        stated="Made of the printed means.",
        cell=Cell(layout.item_file(*item, "csv").as_posix()),
    )


def _store_in_words(store: StoreRow) -> str:
    """A data set in one sentence."""
    images = ", ".join(f"{count:,} {part}" for part, count in store.images.items())
    text = f"{store.title}: {images} images, {store.classes} classes, {store.pixels}."
    if _is_embedded(store):
        text += " Small, at hand without a download; not one of the paper's data sets."
    return text


def _is_embedded(store: StoreRow) -> bool:
    return sources.source(store.source).in_repository


def size(name: str, architecture: Mapping[str, Any]) -> str:
    """An architecture with its size, and the paper's where that differs."""
    sized = ", ".join(
        f"{key.replace('_', ' ')} {architecture[key]}" for key in SIZE_KEYS if key in architecture
    )
    published = PUBLISHED_SIZES.get(architecture["model"], sized)
    compared = "" if published == sized else f"; the paper's: {published}"
    return benchmark_title("", name, "") + (f" ({sized}{compared})" if sized else "")


def machines(runs: Sequence[Record]) -> list[str]:
    """Returns the machines of runs in words, each with the number of its models if there are several."""
    found: dict[str, int] = {}
    for hardware, count in distinct(runs, "hardware"):
        device = hardware["device_name"] or hardware["device"].upper()
        text = f"{device}, {hardware['processor']}, {hardware['cores']} cores"
        if (runtime := said_in(hardware)) != DEFAULT:
            text += f", {runtime}"
        found[text] = found.get(text, 0) + count
    if len(found) == 1:
        return [*found]
    return [f"{text} ({counted(count, 'model')})" for text, count in found.items()]


def _time_span(runs: Sequence[Record]) -> str:
    """Returns the time from the first start to the last end."""
    times = [run.content["time"] for run in runs]
    starts = [datetime.fromisoformat(time["started"]) for time in times]
    ends = [
        start + timedelta(seconds=time["total"]) for start, time in zip(starts, times, strict=True)
    ]
    first, last = min(starts), max(ends)
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} to {end} UTC"


def _seconds(runs: Sequence[Record]) -> float:
    return sum(float(run.content["time"]["total"]) for run in runs)


def _duration(seconds: float) -> str:
    minutes, hours = seconds / MINUTE, seconds / MINUTE**2
    return f"{hours:.1f} hours" if hours >= 1 else counted(round(minutes), "minute")
