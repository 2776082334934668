"""From the predictions of one scenario and seed to its metrics file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lotus import predictions
from lotus.metrics.summary import as_json, score_all
from lotus.provenance import relative, sha256, write_json


def evaluate_runs(
    original: Path,
    gold: Path,
    methods: Mapping[str, Path],
    seed: int,
    labels: Mapping[str, Any],
    out: Path,
) -> None:
    """Scores all models of a scenario and seed and writes `metrics.json`.

    The file names the predictions it was computed from, with their digests.

    Args:
        original, gold, methods: prediction files, the methods' by row name.
        seed: of the attack's subsampling.
        labels: data set, architecture and scenario.

    """
    scores = score_all(
        predictions.load(original),
        predictions.load(gold),
        {row: predictions.load(path) for row, path in methods.items()},
        seed,
    )
    files = {"original": original, "gold": gold, **methods}
    content = {
        **labels,
        "seed": seed,
        "rows": as_json(scores),
        "predictions": {
            row: {"path": relative(path), "sha256": sha256(path)} for row, path in files.items()
        },
    }
    write_json(out, content)
