"""Means over the seeds, a small JSON file for each row of each benchmark: a line each in `dvc metrics`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from lotus.config.cells import Benchmark
from lotus.config.protocol import CORRECTED
from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.names import path_part, shown
from lotus.records.files import write_json
from lotus.records.record import write_record
from lotus.results.metrics import load_metrics, summarise
from lotus.results.metrics_file import KEYS, read_metrics

DIGITS = 6
"""Significant digits."""


def write_means(sources: Sequence[Path], out: Path, records: Path) -> None:
    """Writes `out`/benchmark/row.json, metric → mean, textbook metrics; what is not a number is left out.

    Each benchmark has a record of its own, `records`/benchmark.json. Rows that it has no more are removed.

    Raises:
        LotusError: a source is not a metrics file, or a name in it cannot be that of a file.

    """
    benchmarks: dict[Benchmark, list[Path]] = {}
    for path in sources:
        content = read_metrics(path)
        try:
            for name in (*(content[key] for key in KEYS), *content["rows"]):
                path_part(name)
        except ValueError as error:
            raise LotusError(f"{shown(path)}: {error}") from error
        benchmarks.setdefault(Benchmark(**{key: content[key] for key in KEYS}), []).append(path)
    for benchmark, files in benchmarks.items():
        means = dict(_means(load_metrics(files)))
        written = {out / benchmark.name / f"{row}.json": of_row for row, of_row in means.items()}
        for path, of_row in written.items():
            write_json(path, of_row)
        for path in set((out / benchmark.name).glob("*.json")) - set(written):
            path.unlink()
        write_record(
            records / f"{benchmark.name}.json",
            kind="table",
            modules=[__name__],
            about={"table": "means", **benchmark.labels},
            settings={},
            inputs=files,
            outputs=list(written),
        )


def _means(part: pd.DataFrame) -> Iterator[tuple[str, dict[str, float]]]:
    """Row, and metric → mean over the seeds; without a mean where a model has collapsed."""
    for row, numbers in summarise(part, CORRECTED).iterrows():
        yield (
            str(row),
            {
                metric: float(f"{numbers[metric]:.{DIGITS}g}")
                for metric in registry.labels()
                if metric in numbers and pd.notna(numbers[metric])
            },
        )
