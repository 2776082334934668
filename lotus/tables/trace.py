"""The way from each row of a table back to its runs, seed by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.layout import GOLD, GOLD_AGAIN, is_further_gold
from lotus.records.reading import Record
from lotus.results.conventions import Form, StatedRuns
from lotus.results.metrics import rows_in_order
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.cell_texts import plus_minus


@dataclass(frozen=True)
class SeedTrace:
    """One model behind a row.

    Attributes:
        run: path of its record.
        predictions: path and sha256 of what it says, of which the metrics are made.
        metrics: path of the metrics file that states it.
        texts: its numbers, as the columns of the table.
        collapsed: why it counts in no mean; else ''.

    """

    seed: int
    run: str
    predictions: tuple[str, str]
    metrics: str
    texts: Sequence[str]
    collapsed: str


@dataclass(frozen=True)
class RowTrace:
    """One row of a table."""

    anchor: str
    name: str
    seeds: Sequence[SeedTrace]


@dataclass(frozen=True)
class Trace:
    """All rows of a table.

    Attributes:
        protocol: under which the table states them.

    """

    anchor: str
    title: str
    protocol: str
    heads: Sequence[str]
    rows: Sequence[RowTrace]


def row_anchor(cell: Benchmark, row: str) -> str:
    """Name of a row's entry on the page."""
    return f"row-{cell.name}-{row}"


def trace(
    described: Mapping[str, Any],
    stated: StatedRuns,
    forms: Sequence[Form],
    runs: Mapping[Path, Record],
) -> Trace:
    """The runs behind a cell's table, with the numbers of each in the table's convention.

    Args:
        described: the cell as `lotus describe` has it.
        stated: its runs, all seeds.
        forms: columns of the table.
        runs: records by folder.

    """
    cell = Benchmark(**{key: str(described[key]) for key in KEYS})
    measured, frame = cell.under(described["measured"]), stated.frame
    models = list(zip(frame["row"], frame["seed"], strict=True))
    texts = dict(zip(models, _texts(stated, forms), strict=True))
    collapsed = dict(zip(models, frame["collapsed"], strict=True))
    rows: dict[str, list[SeedTrace]] = {}
    for seed, folders in described["runs"].items():
        metrics = layout.metrics_file(measured, int(seed)).as_posix()
        for row, folder in folders.items():
            if is_further_gold(row):
                continue
            record = runs[Path(folder)]
            rows.setdefault(row, []).append(
                SeedTrace(
                    seed=int(seed),
                    run=record.path,
                    predictions=_predictions(record),
                    metrics=metrics,
                    texts=texts[row, int(seed)],
                    collapsed=collapsed[row, int(seed)],
                )
            )
    if GOLD_AGAIN in rows_in_order(frame):
        rows = _with_floor(rows, _of_further_golds(described, measured, stated, forms, runs))
    return Trace(
        anchor=f"rows-{cell.name}",
        title=benchmark_title(*(described[key] for key in KEYS)),
        protocol=cell.protocol,
        heads=[form.title for form in forms],
        rows=[RowTrace(row_anchor(cell, row), row_title(row), of) for row, of in rows.items()],
    )


def _with_floor(
    rows: Mapping[str, list[SeedTrace]], golds: list[SeedTrace]
) -> dict[str, list[SeedTrace]]:
    """The rows with that of another gold behind gold."""
    found: dict[str, list[SeedTrace]] = {}
    for row, seeds in rows.items():
        found[row] = seeds
        if row == GOLD:
            found[GOLD_AGAIN] = golds
    return found


def _of_further_golds(
    described: Mapping[str, Any],
    measured: Benchmark,
    stated: StatedRuns,
    forms: Sequence[Form],
    runs: Mapping[Path, Record],
) -> list[SeedTrace]:
    """A line for each further gold of each seed, with the seed whose gold it is held against."""
    golds = stated.golds
    texts = _texts(stated.golds_as_runs, forms)[-len(golds) :]
    found = []
    for name, seed, collapsed, of_gold in zip(
        golds["row"], golds["seed"], golds["collapsed"], texts, strict=True
    ):
        other = layout.seed_of_gold(name)
        folders = described["runs"][str(seed if other is None else other)]
        record = runs[Path(folders[name if other is None else GOLD])]
        metrics = layout.metrics_file(measured, int(seed)).as_posix()
        predictions = _predictions(record)
        found.append(SeedTrace(int(seed), record.path, predictions, metrics, of_gold, collapsed))
    return found


def _texts(stated: StatedRuns, forms: Sequence[Form]) -> list[tuple[str, ...]]:
    """The printed numbers of each line."""
    columns = [
        [
            plus_minus(value, float("nan"), form.decimals)
            for value in stated.values(form.metric) * form.scale
        ]
        for form in forms
    ]
    return [tuple(column[line] for column in columns) for line in range(len(stated.frame))]


def _predictions(record: Record) -> tuple[str, str]:
    """Path and sha256 of a run's predictions."""
    outputs = record.outputs
    (path,) = (path for path in outputs if path.endswith(layout.PREDICTIONS_FILE))
    return path, outputs[path]
