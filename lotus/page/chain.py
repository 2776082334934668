"""What the numbers of the page rest on: from a cell of the grid to the records of the steps behind it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.attacks.base.needed_rows import rows_attacked
from lotus.attacks.base.spec import AttackSpec
from lotus.layout import is_further_gold
from lotus.page.ways import Basis, ForgetSetKey
from lotus.results.experiment import Experiment
from lotus.results.needed_rows import rows_needed

Described = Mapping[str, Any]
"""A cell of the grid as `lotus describe` has it."""


def of_metric(
    read: Experiment, cells: Sequence[Described], metric: str, row: str, item: Path | None = None
) -> Basis:
    """Returns what a metric of a row rests on.

    Args:
        cells: one, or those that are compared, of one place.
        metric: in whichever convention.
        item: record of the table that states it.

    """
    metrics = [_record(path) for cell in cells for path in read.metrics(cell)]
    models: list[str] = []
    for folders in (folders for cell in cells for folders in cell["runs"].values()):
        needed = rows_needed(metric, row, list(folders), [*filter(is_further_gold, folders)])
        models += [folder for name, folder in folders.items() if name in needed]
    return _basis(cells, [*_texts(item), *metrics], models)


def of_runs(cells: Sequence[Described], row: str, item: Path | None = None) -> Basis:
    """Returns what is read from the records of a row's runs alone rests on: its seconds."""
    models = [folders[row] for cell in cells for folders in cell["runs"].values() if row in folders]
    return _basis(cells, _texts(item), models)


def of_attack(read: Experiment, cell: Described, row: str, spec: AttackSpec, item: Path) -> Basis:
    """Returns what an attack on a row rests on: its models, and those that it compares with.

    Args:
        item: record of the table that states it.

    """
    if "shadows" in spec.needs:
        return _basis([cell], [item.as_posix(), _record(read.shadows(cell))], [])
    models: list[str] = []
    for folders in cell["runs"].values():
        attacked = rows_attacked(row, spec, list(folders))
        models += [folder for name, folder in folders.items() if name in attacked]
    return _basis([cell], [item.as_posix(), _record(read.attacks(cell))], models)


def of_one_run(folder: str, about: Mapping[str, Any]) -> Basis:
    """Returns what the seconds of one run rest on; of an original there is no forget set."""
    forgotten = (
        [ForgetSetKey(about["dataset"], about["scenario"], about["seed"])]
        if "scenario" in about
        else []
    )
    return Basis((_run(folder), *_before(about["dataset"], forgotten)), forgotten=tuple(forgotten))


def of_images(read: Experiment, dataset: str, scenario: str = "") -> Basis:
    """Returns what a count of images rests on: of a store, or of look-alikes in a scenario."""
    if not scenario:
        return Basis((layout.store_record(dataset).as_posix(),))
    forgotten = [ForgetSetKey(dataset, scenario, read.seeds[0])]
    audit = _record(layout.audit_file(dataset, scenario))
    return Basis((audit, *_before(dataset, forgotten)), forgotten=tuple(forgotten))


def of_item(read: Experiment, item: Path, inputs: Iterable[str]) -> Basis:
    """Returns what a number of any other table rests on: all that the table was made of."""
    known = {path.as_posix() for path in map(Path, inputs)}
    cells = [
        cell
        for cell in [*read.cells, *read.described["ablations"]]
        if known & {path.as_posix() for path in (*read.metrics(cell), *read.records(cell))}
    ]
    metrics = [
        _record(path) for cell in cells for path in read.metrics(cell) if path.as_posix() in known
    ]
    models = [folder for cell in cells for of in cell["runs"].values() for folder in of.values()]
    return _basis(cells, [item.as_posix(), *metrics], models)


def forget_sets(cells: Iterable[Described]) -> list[ForgetSetKey]:
    """Returns the forget sets of cells, each once."""
    return list(
        dict.fromkeys(
            ForgetSetKey(cell["dataset"], cell["scenario"], int(seed))
            for cell in cells
            for seed in cell["runs"]
        )
    )


def _basis(cells: Sequence[Described], above: Iterable[str], models: Iterable[str]) -> Basis:
    forgotten = forget_sets(cells)
    stores = dict.fromkeys(cell["dataset"] for cell in cells)
    records = [
        *above,
        *map(_run, models),
        *(path for dataset in stores for path in _before(dataset, forgotten)),
    ]
    return Basis(tuple(dict.fromkeys(records)), forgotten=tuple(forgotten))


def _before(dataset: str, forgotten: Iterable[ForgetSetKey]) -> list[str]:
    """Records of the splits of a data set, and of its store."""
    here = [each for each in forgotten if each.dataset == dataset]
    splits = [
        layout.split_file(dataset, each.seed, name)
        for each in here
        for name in (each.scenario, layout.HELD_OUT)
    ]
    return [*dict.fromkeys(map(_record, splits)), layout.store_record(dataset).as_posix()]


@cache
def _run(folder: str) -> str:
    return (Path(folder) / layout.RUN_RECORD).as_posix()


@cache
def _record(path: Path) -> str:
    """The record of an artifact of this project, which all that the page reads have."""
    place = layout.record_of(path)
    assert place is not None
    return place.as_posix()


def _texts(item: Path | None) -> list[str]:
    return [] if item is None else [item.as_posix()]
