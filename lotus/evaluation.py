"""From the predictions of one scenario and seed to its metrics file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lotus import predictions
from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.summary import as_json, score_all
from lotus.provenance import relative, sha256, write_json, write_record


def evaluate_runs(
    files: Mapping[str, Path], seed: int, labels: Mapping[str, Any], out: Path, record: Path
) -> None:
    """Scores all models of a scenario and seed and writes `metrics.json`, and its record.

    The file names the predictions it was computed from, with their digests.

    Args:
        files: prediction files by row: `original`, and `gold` or a method at least. Without `gold`,
            what is measured against it is null.
        seed: of the attack's subsampling.
        labels: data set, architecture, scenario and protocol, and the study if there is one.

    Raises:
        LotusError: the original or all others are missing, or a file is absent, damaged or of other
            images.

    """
    if ORIGINAL not in files or len(files) == 1:
        missing = "gold or of a method" if ORIGINAL in files else ORIGINAL
        raise LotusError(f"metrics need the predictions of {missing} (--of)")
    loaded = {row: predictions.load(path) for row, path in files.items()}
    scores = score_all(
        loaded.pop(ORIGINAL),
        loaded.pop(GOLD, None),
        loaded,
        seed,
        {row: predictions.why_collapsed(path) for row, path in files.items()},
    )
    content = {
        **labels,
        "seed": seed,
        "rows": as_json(scores),
        "predictions": {
            row: {"path": relative(path), "sha256": sha256(path)} for row, path in files.items()
        },
    }
    write_json(out, content)
    write_record(
        record,
        kind="metrics",
        modules=[__name__],
        about={**labels, "seed": seed},
        settings={"rows": list(files)},
        inputs=list(files.values()),
        outputs=[out],
    )
