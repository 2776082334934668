"""Means over the seeds, a small JSON file for each row of each benchmark: a line each in `dvc metrics`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from lotus.paper.conventions import TITLES
from lotus.paper.results import KEYS, load_metrics, summarise
from lotus.protocol import CORRECTED
from lotus.provenance import write_json, write_record
from lotus.settings import Benchmark

DIGITS = 6
"""Significant digits."""


def write_means(sources: Sequence[Path], out: Path, record: Path) -> None:
    """Writes `out`/benchmark/row.json, metric → mean, textbook metrics; what is not a number is left out.

    Raises:
        LotusError: a source is not a metrics file.

    """
    frame = load_metrics(sources)
    written = []
    for key, part in frame.groupby(KEYS, sort=False):
        folder = out / Benchmark(**dict(zip(KEYS, key, strict=True))).name
        for row, means in _means(part):
            written.append(folder / f"{row}.json")
            write_json(written[-1], means)
    write_record(
        record,
        kind="table",
        modules=[__name__],
        about={"table": "means"},
        settings={},
        inputs=list(sources),
        outputs=written,
    )


def _means(part: pd.DataFrame) -> Iterator[tuple[str, dict[str, float]]]:
    """Row, and metric → mean over the seeds; without a mean where a model has collapsed."""
    for row, numbers in summarise(part, CORRECTED).iterrows():
        yield (
            str(row),
            {
                metric: float(f"{numbers[metric]:.{DIGITS}g}")
                for metric in TITLES
                if metric in numbers and pd.notna(numbers[metric])
            },
        )
