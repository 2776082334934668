"""Means over the seeds as one JSON file, for `dvc metrics show` and `dvc metrics diff`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lotus.paper.conventions import TITLES
from lotus.paper.results import KEYS, load_metrics, summarise
from lotus.protocol import CORRECTED
from lotus.provenance import write_json, write_record
from lotus.settings import Benchmark

DIGITS = 6
"""Significant digits."""


def write_means(sources: Sequence[Path], out: Path, record: Path) -> None:
    """Writes benchmark → row → metric → mean, textbook metrics; what is not a number is left out.

    Raises:
        LotusError: a source is not a metrics file.

    """
    frame = load_metrics(sources)
    means = {
        Benchmark(**dict(zip(KEYS, key, strict=True))).name: _means(part)
        for key, part in frame.groupby(KEYS, sort=False)
    }
    write_json(out, means)
    write_record(
        record,
        kind="table",
        modules=[__name__],
        about={"table": "means"},
        settings={},
        inputs=list(sources),
        outputs=[out],
    )


def _means(part: pd.DataFrame) -> dict[str, Any]:
    """Row → metric → mean over the seeds that have not collapsed."""
    return {
        row: {
            metric: float(f"{numbers[metric]:.{DIGITS}g}")
            for metric in TITLES
            if metric in numbers and pd.notna(numbers[metric])
        }
        for row, numbers in summarise(part, CORRECTED).iterrows()
    }
