"""From the predictions of one scenario and seed to its metrics file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.base.scoring import SPLITS, score_all
from lotus.names import shown
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Predictions
from lotus.records.files import relative, sha256, write_json
from lotus.records.reading import read_record
from lotus.records.record import write_record

LABELS = ("dataset", "architecture", "scenario", "study", "protocol")
"""Names that a metrics file can have of what it is of."""


def rows_of(pairs: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Row → predictions, of rows as they were given.

    Raises:
        LotusError: a row is there twice, or has no name.

    """
    found: dict[str, Path] = {}
    for row, path in pairs:
        if not row or row in found:
            said = (
                f"row '{shown(row)}' is given twice"
                if row
                else f"{path} is given without the name of its row"
            )
            raise LotusError(f"--of: {said}")
        found[row] = path
    return found


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
            images; nothing is written then.

    """
    if ORIGINAL not in files or len(files) == 1:
        missing = "gold or of a method" if ORIGINAL in files else ORIGINAL
        raise LotusError(f"metrics need the predictions of {missing} (--of)")
    _check_places(files, out, record)
    for key, label in labels.items():
        if key not in LABELS or not isinstance(label, str):
            raise LotusError(
                f"--labels: {key}: {label!r}; accepted: text under {', '.join(LABELS)}"
            )
    loaded = {row: predictions_file.load(path) for row, path in files.items()}
    original, gold = loaded.pop(ORIGINAL), loaded.pop(GOLD, None)
    scores = score_all(
        original,
        gold,
        loaded,
        seed,
        {row: predictions_file.why_collapsed(path) for row, path in files.items()},
    )
    content = {
        **labels,
        "seed": seed,
        "images": images_of(gold or next(iter(loaded.values()))),
        "rows": scores,
        "predictions": {
            row: {"path": relative(path), "sha256": sha256(path)} for row, path in files.items()
        },
    }
    try:
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
    except OSError as error:
        place = shown(error.filename or out)
        raise LotusError(f"{place}: cannot be written: {error.strerror}") from error


def images_of(said: Predictions) -> dict[str, int]:
    """Returns how many images each split has of which a model of a scenario was asked."""
    return {name: len(said[name].labels) for name in SPLITS}


def _check_places(files: Mapping[str, Path], out: Path, record: Path) -> None:
    """Refuses outputs that are also inputs, and inputs without records that can be read."""
    written = {"--out": out.absolute(), "--record": record.absolute()}
    for option, given in {"--out": out, "--record": record}.items():
        if not given.name:
            raise LotusError(f"{option}: '{given}' does not name a file")
    if written["--out"] == written["--record"]:
        raise LotusError(f"--record: {shown(record)} is the output itself")
    for row, path in files.items():
        if not path.is_file():
            raise LotusError(
                f"{shown(path)}: is not a file that can be read; it should hold the predictions of {row}"
            )
        for option, place in written.items():
            if path.absolute() == place:
                raise LotusError(
                    f"{option}: {shown(place)} holds the predictions of {row}, which would be overwritten"
                )
        above = layout.record_of(Path(relative(path)))
        if above is not None and above.exists():
            read_record(above)
