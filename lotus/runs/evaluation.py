"""From the predictions of one scenario and seed to its metrics file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lotus import layout
from lotus.errors import LotusError
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.metrics.base.further_golds import dealt_as, with_floor
from lotus.metrics.base.scoring import SPLITS, of_scenario, score_all
from lotus.names import shown
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Predictions
from lotus.records.files import relative, sha256, write_json
from lotus.records.reading import read_record
from lotus.records.record import write_record
from lotus.results.entropies import entropies_of, save_entropies
from lotus.runs.labels import check_labels
from lotus.runs.objective import objective


def rows_of(
    pairs: Iterable[tuple[str, Path]], option: str = "--of", besides: Iterable[str] = ()
) -> dict[str, Path]:
    """Row → predictions, of rows as they were given.

    Args:
        besides: rows that were given otherwise.

    Raises:
        LotusError: a row is there twice, or has no name.

    """
    found: dict[str, Path] = {}
    taken = {*besides}
    for row, path in pairs:
        if not row or row in found or row in taken:
            said = (
                f"row '{shown(row)}' is given twice"
                if row
                else f"{path} is given without the name of its row"
            )
            raise LotusError(f"{option}: {said}")
        found[row] = path
    return found


def evaluate_runs(
    files: Mapping[str, Path],
    seed: int,
    labels: Mapping[str, Any],
    out: Path,
    record: Path,
    golds: Mapping[str, Path] = MappingProxyType({}),
    entropies: Path | None = None,
) -> None:
    """Scores all models of a scenario and seed; writes metrics, entropies, and their record.

    The metrics name the predictions that they were computed from, with their digests.

    Args:
        files: prediction files by row: `original`, and `gold` or a method at least. Without `gold`,
            what is measured against it is null.
        seed: of the attack's subsampling.
        labels: data set, architecture, scenario and protocol, and the study if there is one.
        golds: prediction files of further gold models, by names that are no rows; none without `gold`.
        entropies: file for the entropies of what was said of each image; None: none is written.

    Raises:
        LotusError: the original or all others are missing, a row has the name of what is made here, or a
            file is absent, damaged or of other images; nothing is written then.

    """
    if ORIGINAL not in files or len(files) == 1:
        missing = "gold or of a method" if ORIGINAL in files else ORIGINAL
        raise LotusError(f"metrics need the predictions of {missing} (--of)")
    if GOLD_AGAIN in files:
        raise LotusError(f"--of: the row '{GOLD_AGAIN}' is made of further golds (--again)")
    if golds and GOLD not in files:
        raise LotusError("--again: further golds are held against gold, which is missing (--of)")
    every = {**files, **golds}
    _check_places(every, {"--out": out, "--entropies": entropies, "--record": record})
    check_labels(labels)
    loaded = {row: predictions_file.load(path) for row, path in files.items()}
    collapsed = {row: predictions_file.why_collapsed(path) for row, path in every.items()}
    original, gold = loaded.pop(ORIGINAL), loaded.pop(GOLD, None)
    further = {}
    if gold is not None:
        further = {
            name: dealt_as(predictions_file.load(path), gold, name) for name, path in golds.items()
        }
    scores = score_all(original, gold, {**loaded, **further}, seed, collapsed)
    of_golds = {name: scores.pop(name) for name in golds}
    rows = with_floor(scores, of_golds) if of_golds else scores
    said = {**({} if gold is None else {GOLD: gold}), **loaded}
    content = {
        **labels,
        "seed": seed,
        "images": images_of(next(iter(said.values()))),
        "rows": rows,
        "objectives": {row: _objective(of, original) for row, of in said.items()},
        **({"golds": of_golds} if of_golds else {}),
        "predictions": {
            row: {"path": relative(path), "sha256": sha256(path)} for row, path in every.items()
        },
    }
    try:
        write_json(out, content)
        if entropies is not None:
            fallen = {row: str(of["collapsed"]) for row, of in rows.items()}
            save_entropies(entropies, entropies_of(original, said, fallen))
        write_record(
            record,
            kind="metrics",
            modules=[__name__],
            about={**labels, "seed": seed},
            settings={"rows": list(files), **({"golds": list(golds)} if golds else {})},
            inputs=list(every.values()),
            outputs=[out, *([] if entropies is None else [entropies])],
        )
    except OSError as error:
        place = shown(error.filename or out)
        raise LotusError(f"{place}: cannot be written: {error.strerror}") from error


def _objective(said: Predictions, original: Predictions) -> float | None:
    """Returns the objective of tuning; None where the images lack what it asks about."""
    try:
        return objective(said, of_scenario(original, said))["objective"]
    except LotusError:
        return None


def images_of(said: Predictions) -> dict[str, int]:
    """Returns how many images each split has of which a model of a scenario was asked."""
    return {name: len(said[name].labels) for name in SPLITS}


def _check_places(files: Mapping[str, Path], places: Mapping[str, Path | None]) -> None:
    """Refuses outputs that are also inputs or each other, and inputs without records that can be read."""
    written: dict[str, Path] = {}
    for option, given in places.items():
        if given is None:
            continue
        if not given.name:
            raise LotusError(f"{option}: '{given}' does not name a file")
        if given.absolute() in written.values():
            raise LotusError(f"{option}: {shown(given)} is the output itself")
        written[option] = given.absolute()
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
