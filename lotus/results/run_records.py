"""Run records as numbers: what each model took, and how LoTUS's temperature went."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.layout import is_further_gold
from lotus.names import shown
from lotus.records.reading import read_record
from lotus.results.metrics_file import KEYS, read_metrics

MIB = 2**20

Output = tuple[str, str]
"""Path and sha256 of a file that a run wrote."""


def apart(sources: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Metrics files, and records of runs, of files that may be either.

    Raises:
        LotusError: a file is damaged, or neither.

    """
    metrics: list[Path] = []
    records: list[Path] = []
    for path in sources:
        content = read_mapping(path)
        if not {"outputs", "rows"} & content.keys():
            raise LotusError(f"{shown(path)}: is neither the record of a run nor a metrics file")
        (records if "outputs" in content else metrics).append(path)
    return metrics, records


def judged(sources: Sequence[Path]) -> tuple[list[Path], frozenset[Output]]:
    """Records of runs, and the predictions of models that have collapsed by the metrics files beside them.

    A run's own record knows only of numbers that are not finite; that a model lost most of what the
    original knows is seen beside the original.

    Raises:
        LotusError: as `apart` says, or a file is not a metrics file.

    """
    metrics, records = apart(sources)
    found = []
    for path in metrics:
        content = read_metrics(path)
        for row, scores in content["rows"].items():
            if scores["collapsed"] and row in content["predictions"]:
                said = content["predictions"][row]
                found.append((said["path"], said["sha256"]))
    return records, frozenset(found)


def load_times(records: Sequence[Path], fallen: Collection[Output] = ()) -> pd.DataFrame:
    """One line per run record: `KEYS` (scenario '' for originals, study '': runs know of none), row,
    seed, seconds, and of them `prepare_seconds`; `minutes_released_r1`, the minutes that the published
    code would state; `collapsed`, whether the model is of no use.

    The protocol is the one under which the run is filed. Further golds, which tell the floor alone, have
    no line.

    Args:
        records: of runs.
        fallen: predictions of models that have collapsed (`judged`), besides those whose record says so.

    Raises:
        LotusError: a file is not a run's record.

    """
    lines = []
    for path in records:
        with _record_of_a_run(path) as record:
            about, time = record["about"], record["time"]
            if is_further_gold(str(about.get("row", ""))):
                continue
            preparation = float(time.get("method_prepare", 0.0))
            seconds = float(time["unlearn"] if "unlearn" in time else time["train"]) + preparation
            line = [about["dataset"], about["architecture"], about.get("scenario", ""), ""]
            line += [about["protocol"], about["row"], about["seed"], seconds, preparation]
            minutes = float(record["notes"].get("minutes_released_r1", seconds / 60))
            lines.append([*line, minutes, _has_collapsed(record, fallen)])
    numbers = ["seconds", "prepare_seconds", "minutes_released_r1", "collapsed"]
    frame = pd.DataFrame(lines, columns=[*KEYS, "row", "seed", *numbers])
    return frame.astype({"collapsed": bool})


def _has_collapsed(record: Mapping[str, Any], fallen: Collection[Output]) -> bool:
    is_sound = record["notes"].get("outcome", "sound") == "sound"
    return not is_sound or any(output in fallen for output in record["outputs"].items())


def load_costs(records: Sequence[Path], fallen: Collection[Output] = ()) -> pd.DataFrame:
    """As `load_times`, with the peaks of memory in MiB: `process_mib` and `device_mib`.

    That of the process is the most that was resident from its start to its record, libraries and
    predictions included; jobs of a workflow are forked from a process with the libraries loaded, whose
    memory each of them counts as its own. That of the device is what tensors took, NaN on a processor.
    Both are NaN for a run that took its weights over from another, which did the work.

    Raises:
        LotusError: a file is not a run's record.

    """
    peaks = []
    for path in records:
        with _record_of_a_run(path) as record:
            if is_further_gold(str(record["about"].get("row", ""))):
                continue
            memory, worked = record["memory"], "weights_of" not in record["notes"]
            process, device = memory["process"] / MIB, memory["device"] / MIB or np.nan
            peaks.append([process, device] if worked else [np.nan, np.nan])
    named = pd.DataFrame(peaks, columns=["process_mib", "device_mib"])
    return load_times(records, fallen).join(named.astype(float))


@dataclass(frozen=True)
class Course:
    """How the unlearning of one LoTUS model went.

    Attributes:
        about: data set, architecture, scenario, protocol, row, seed.
        alpha: the hyper-parameter α.
        planned: epochs, if it does not end early.
        collapsed: whether the model is of no use.
        temperature: of each epoch; NaN where it was not finite.
        forget_accuracy: before each epoch.
        target: the accuracy on unseen images, which that on forget images is compared with.

    """

    about: Mapping[str, Any]
    alpha: float
    planned: int
    collapsed: bool
    temperature: np.ndarray
    forget_accuracy: np.ndarray
    target: np.ndarray

    @property
    def ended_early(self) -> bool:
        """Whether forget accuracy had fallen far enough before the last epoch."""
        return len(self.temperature) < self.planned


def load_courses(records: Sequence[Path], fallen: Collection[Output] = ()) -> list[Course]:
    """Courses of the runs of the method `lotus` among run records; `fallen` as in `load_times`.

    Raises:
        LotusError: a file is not a run's record.

    """
    courses = []
    for path in records:
        with _record_of_a_run(path) as record:
            if record["settings"].get("method") != "lotus":
                continue
            given, epochs = record["settings"]["hyperparameters"], record["notes"]["epochs"]
            temperature, known, gap = (
                np.array([epoch[key] for epoch in epochs], dtype=float)
                for key in ("temperature", "forget_accuracy", "gap")
            )
            courses.append(
                Course(
                    about=record["about"],
                    alpha=float(given["alpha"]),
                    planned=int(given["epochs"]),
                    collapsed=_has_collapsed(record, fallen),
                    temperature=temperature,
                    forget_accuracy=known,
                    target=known - gap,
                )
            )
    return courses


@contextmanager
def _record_of_a_run(path: Path) -> Iterator[Mapping[str, Any]]:
    """The record; what it lacks is an error that names it."""
    try:
        record = read_record(path).content
        for key, of in record["about"].items():
            if not isinstance(of, int if key == "seed" else str):
                raise TypeError(f"about.{key} = {of!r}")
        yield record
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise LotusError(f"{path}: is not the record of a run: {error!r}") from error
