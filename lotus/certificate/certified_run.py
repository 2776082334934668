"""The run that made a model, as its record states it: what is certified, and of which benchmark."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.errors import LotusError
from lotus.layout import MODEL_FILE, ORIGINAL, PREDICTIONS_FILE
from lotus.names import shown
from lotus.records.index import Index
from lotus.records.reading import Record
from lotus.wording import first_of

PLACE = ("dataset", "architecture", "scenario", "protocol")
DESCRIBED = (*PLACE, "row", "seed")
SETTINGS = ("method", "hyperparameters", "protocol")


@dataclass(frozen=True)
class CertifiedRun:
    """A run that unlearned.

    Attributes:
        folder: of the run.
        record: of the run.
        made: record of the original that it began with; None where there is none.

    """

    folder: Path
    record: Record
    made: Record | None

    @property
    def cell(self) -> Benchmark:
        """The benchmark that it belongs to."""
        return Benchmark(**{key: str(self.record.about[key]) for key in PLACE})

    @property
    def seed(self) -> int:
        """The seed of its split."""
        return int(self.record.about["seed"])

    @property
    def row(self) -> str:
        """How tables call it."""
        return str(self.record.about["row"])

    @property
    def model(self) -> str:
        """The unlearned weights."""
        return (self.folder / MODEL_FILE).as_posix()

    @property
    def original(self) -> str:
        """The weights that it began with."""
        return next(path for path in self.record.inputs if Path(path).name == MODEL_FILE)

    @property
    def split(self) -> Path:
        """The images to be forgotten."""
        return layout.split_file(self.cell.dataset, self.seed, self.cell.scenario)

    @property
    def metrics(self) -> Path:
        """The file of its metrics."""
        return layout.metrics_file(self.cell, self.seed)

    def answers(self) -> dict[str, tuple[str, str]]:
        """Returns row → path and sha256 of the predictions, of the model and of its original."""
        records = {self.row: self.record, ORIGINAL: self.made}
        return {
            row: (path, record.outputs[path])
            for row, record in records.items()
            if record is not None
            for path in record.outputs
            if Path(path).name == PREDICTIONS_FILE
        }


def find_run(index: Index, folder: Path) -> CertifiedRun:
    """Returns the run in a folder.

    Raises:
        LotusError: it is not the folder of an unlearned model, or its record cannot be trusted or does
            not state what a certificate says.

    """
    record = _record(index, folder)
    for lacking in _lacking(folder, record):
        raise LotusError(
            f"{record.path}: {lacking}; accepted: the record of a model that the workflow made"
        )
    original = next(path for path in record.inputs if Path(path).name == MODEL_FILE)
    return CertifiedRun(folder, record, index.producer(original))


def unlearned_runs(index: Index) -> list[CertifiedRun]:
    """Returns the runs of a project that can be certified once they were measured."""
    return [
        find_run(index, Path(record.path).parent)
        for record in index.records.values()
        if record.kind == "unlearned"
        and not record.problem
        and not any(_lacking(Path(record.path).parent, record))
    ]


def _record(index: Index, folder: Path) -> Record:
    path = (folder / layout.RUN_RECORD).as_posix()
    record = index.records.get(path)
    if record is None:
        others = [
            Path(it.path).parent.as_posix()
            for it in index.records.values()
            if it.kind == "unlearned"
        ]
        there = (
            f"; there are {first_of(others, 3)}"
            if others
            else "; `snakemake --cores all` makes them"
        )
        raise LotusError(f"{shown(folder)}: is not the folder of an unlearned model{there}")
    if record.problem:
        raise LotusError(f"{path}: {record.problem}, so its model is not certified")
    if record.kind != "unlearned":
        raise LotusError(
            f"{shown(folder)}: holds the {record.kind} model; accepted: the folder of an unlearned model"
        )
    return record


def _lacking(folder: Path, record: Record) -> Iterator[str]:
    """Yields what the record of a run does not state."""
    if not all(key in record.about for key in DESCRIBED):
        yield "does not say of which benchmark, row and seed the model is"
        return
    if not all(key in record.settings for key in SETTINGS) or not isinstance(
        record.settings["hyperparameters"], Mapping
    ):
        yield "does not say which method made the model, and with what"
    for name in (MODEL_FILE, PREDICTIONS_FILE):
        if (folder / name).as_posix() not in record.outputs:
            yield f"does not name {name} beside it as made"
    if not any(Path(path).name == MODEL_FILE for path in record.inputs):
        yield "names no weights that the method began with"
    dataset, seed, scenario = (record.about[key] for key in ("dataset", "seed", "scenario"))
    read = (
        layout.store_files(str(dataset))["source"],
        layout.split_file(str(dataset), seed, str(scenario)),
    )
    for path in read:
        if path.as_posix() not in record.inputs:
            yield f"does not name {shown(path)} as read, which it says the model is of"
