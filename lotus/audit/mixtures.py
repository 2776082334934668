"""Tables and figures whose numbers should not stand beside each other, or lack some."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from lotus.engine.runtime import said_in
from lotus.records.forms import MODELS
from lotus.records.index import Index
from lotus.records.reading import Record

MADE = ("table", "figure", "report")


def problems(index: Index) -> Iterator[tuple[str, str]]:
    """(path, reason) for every table and figure made of models of several code versions, devices or
    runtimes, or with means that lack a seed.
    """
    # Most models are behind many items.
    told = cache(lambda path: _computed_on(index.records[path]))
    for record in index.records.values():
        if record.kind in MADE and not record.problem:
            metrics, runs = _sources(index, record)
            for reason in (*_codes(runs), *_computing(runs, told), *_seeds(metrics)):
                for path in record.outputs:
                    yield path, reason


def _sources(index: Index, made: Record) -> tuple[list[Record], list[Record]]:
    """Records of the metrics files and of the models behind an item."""
    direct = _sound(index.producer(path) for path in made.inputs)
    metrics = [record for record in direct if record.kind == "metrics"]
    behind = _sound(index.producer(path) for record in metrics for path in record.inputs)
    runs = [record for record in [*direct, *behind] if record.kind in MODELS]
    return metrics, list({record.path: record for record in runs}.values())


def _sound(records: Iterable[Record | None]) -> list[Record]:
    return [record for record in records if record is not None and not record.problem]


def _codes(runs: Sequence[Record]) -> Iterator[str]:
    """Methods and networks of which some models were made by other code than others."""
    by_step: dict[str, dict[str, list[str]]] = {}
    for run in runs:
        code = run.content["code"]
        versions = by_step.setdefault(", ".join(code["entry"]), {})
        versions.setdefault(code["step"], []).append(run.path)
    for step, versions in by_step.items():
        if len(versions) > 1:
            yield f"mixes code versions of {step}: {_counted(versions)}"


def _computed_on(run: Record) -> tuple[str, str]:
    """Device and runtime of a model, in words."""
    return device_of(run), said_in(run.content["hardware"])


def _computing(runs: Sequence[Record], told: Callable[[str], tuple[str, str]]) -> Iterator[str]:
    """Devices and runtimes of which some models were made by others than the rest.

    Args:
        told: see `_computed_on`; by the record's path.

    """
    devices: dict[str, list[str]] = {}
    runtimes: dict[str, list[str]] = {}
    for run in runs:
        device, runtime = told(run.path)
        devices.setdefault(device, []).append(run.path)
        runtimes.setdefault(runtime, []).append(run.path)
    for what, found in (("devices", devices), ("runtimes", runtimes)):
        if len(found) > 1:
            yield f"mixes {what}: {_counted(found)}"


def device_of(run: Record) -> str:
    """Returns the name of the GPU, or of the processor, on which a model was computed."""
    hardware = run.content["hardware"]
    return str(hardware.get("device_name") or hardware.get("processor", "unknown"))


def _counted(groups: dict[str, list[str]]) -> str:
    """Each with the number of its models, the rarest with one of them."""
    rarest = min(groups, key=lambda name: len(groups[name]))
    said = ", ".join(f"{name} ({len(paths)})" for name, paths in groups.items())
    return f"{said}; for example {groups[rarest][0]}"


def _seeds(metrics: Sequence[Record]) -> Iterator[str]:
    """Rows of a benchmark that not every seed has."""
    cells: dict[str, dict[int, list[str]]] = {}
    for record in metrics:
        about = dict(record.about)
        seed = about.pop("seed")
        cells.setdefault("-".join(map(str, about.values())), {})[seed] = record.settings["rows"]
    for cell, rows_of in cells.items():
        for row in dict.fromkeys(row for rows in rows_of.values() for row in rows):
            absent = [seed for seed, rows in rows_of.items() if row not in rows]
            if absent:
                yield f"{cell}: the mean of {row} lacks seed {', '.join(map(str, absent))}"
