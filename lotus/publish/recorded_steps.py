"""From records of what is drawn to steps of today: of a record only its subject and its inputs are taken.

A record can state any command, any code and any place; neither of these is believed. A step is made as the
list of steps makes it, and has to be the one that leaves this record here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.errors import LotusError
from lotus.names import shown
from lotus.plan import drawing
from lotus.plan.step import Step
from lotus.records.places import is_named_outside, leads_out
from lotus.records.reading import Record
from lotus.results.metrics_file import KEYS

MEANS = "means"
ATTACKS = {"attacks": drawing.attack, "shadow-attacks": drawing.attack_shadows}


@dataclass(frozen=True)
class RecordedStep:
    """A step of today, and the records that it left."""

    step: Step
    records: Sequence[Record]


def recorded_steps(records: Iterable[Record]) -> list[RecordedStep]:
    """Returns the steps that draw what records of metrics, attacks, tables, figures and the page state.

    Raises:
        LotusError: there is no step that leaves such a record at its place.

    """
    every = list(records)
    of_means = [record for record in every if record.about.get("table") == MEANS]
    steps = [RecordedStep(_checked(of), [of]) for of in every if of not in of_means]
    return [*steps, *([RecordedStep(_means(of_means), of_means)] if of_means else [])]


def _checked(record: Record) -> Step:
    _refuse_inputs_outside(record)
    try:
        step = _step(record)
    except (LotusError, KeyError, TypeError, AttributeError) as error:
        raise _no_step(record, str(error) if isinstance(error, LotusError) else "") from error
    (wanted,) = step.records
    _refuse_others(record, wanted.path, wanted.outputs)
    return step


def _step(record: Record) -> Step:
    """Returns the step of a record by what it is about."""
    about, sources = record.about, list(record.inputs)
    if record.kind == "metrics":
        rows, golds = record.settings["rows"], record.settings.get("golds", [])
        read = dict(zip([*rows, *golds], sources, strict=True))
        of_rows, of_golds = ({name: read[name] for name in names} for names in (rows, golds))
        return drawing.evaluation(_cell(about), int(about["seed"]), of_rows, of_golds)
    if record.kind in ATTACKS:
        of = [(str(row), int(seed)) for row, seed in record.settings["of"]]
        return ATTACKS[record.kind](_cell(about), dict(zip(of, sources, strict=True)))
    if record.kind == "report":
        return drawing.page({})
    if "item" in about:
        return drawing.exhibit(str(about["item"]), [])
    if record.kind == "table" and about["table"] == layout.CLAIMS_TABLE[1]:
        return drawing.claims({})
    folder, name = _place(record)
    return drawing.item(record.kind, folder, name, str(about[record.kind]), sources)


def _place(record: Record) -> tuple[str, str]:
    """Returns folder and name of a table or figure, by where its record lies."""
    path = Path(record.path).relative_to(layout.RECORDS)
    if len(path.parts) != 2 or path.parts[0] not in layout.MADE:
        raise KeyError(record.path)
    return path.parts[0], path.name.removesuffix(f".{record.kind}.json")


def _means(records: Sequence[Record]) -> Step:
    cells: dict[Benchmark, tuple[Sequence[str], Sequence[str]]] = {}
    for record in records:
        _refuse_inputs_outside(record)
        try:
            cell = _cell(record.about)
        except (KeyError, TypeError) as error:
            raise _no_step(record, "") from error
        # Which rows it has, the metrics say.
        files = [path for path in record.outputs if Path(path).parent == layout.MEANS / cell.name]
        _refuse_others(record, layout.means_record(cell).as_posix(), files)
        cells[cell] = (list(record.inputs), files)
    return drawing.means(cells)


def _cell(about: Mapping[str, object]) -> Benchmark:
    labels = {key: about[key] for key in KEYS if key != "study" or key in about}
    if not all(isinstance(label, str) for label in labels.values()):
        raise TypeError(labels)
    return Benchmark(**labels)  # type: ignore[arg-type]


def _refuse_inputs_outside(record: Record) -> None:
    for path in record.inputs:
        how = "lies outside the project" if is_named_outside(path) else leads_out(path)
        if how:
            raise LotusError(f"{shown(record.path)}: was made of {shown(path)}, which {how}")


def _refuse_others(record: Record, place: str, outputs: Sequence[str]) -> None:
    """Refuses a record that lies elsewhere, or states other files, than the one that the step leaves."""
    if record.path != place:
        raise _no_step(record, f"the record of such a step is {shown(place)}")
    for path in (path for path in record.outputs if path not in outputs):
        raise _no_step(record, f"it states {shown(path)}")
    for path in (path for path in outputs if leads_out(path)):
        raise _no_step(record, f"{shown(path)} {leads_out(path)}")


def _no_step(record: Record, why: str) -> LotusError:
    said = f": {why}" if why else ""
    return LotusError(f"{shown(record.path)}: no step of this project leaves this record{said}")
