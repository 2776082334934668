"""A run's weights handed back: in the form in which the checkpoint of its original came."""

from pathlib import Path

from lotus import models
from lotus.errors import LotusError
from lotus.layout import ORIGINAL
from lotus.models.checkpoints import Form, form_of, write_like
from lotus.names import shown
from lotus.predictions.collapse import is_failed
from lotus.records.files import sha256
from lotus.records.reading import Record, read_record
from lotus.runs.run import MODEL, RECORD


def hand_back(run: Path, out: Path, original: Path | None = None, replace: bool = False) -> Form:
    """Writes the weights of a run as the user's own code loads them.

    Args:
        run: folder of the run.
        original: folder of the run of its original; by default the one that its record names.
        replace: whether a file that is there may be replaced.

    Returns:
        The form in which they are written.

    Raises:
        LotusError: the original did not come from a checkpoint, a record or the weights are not as
            recorded, the run made no model, or there is a file already. Nothing is then written.

    """
    record = read_record(run / RECORD)
    if sha256(_there(run / MODEL)) not in record.outputs.values():
        raise LotusError(
            f"{shown(run / MODEL)}: are not the weights that {RECORD} beside it states"
        )
    outcome = str(record.content.get("notes", {}).get("outcome", ""))
    if is_failed(outcome):
        raise LotusError(f"{shown(run / RECORD)}: there is no model to hand back: {shown(outcome)}")
    form = _form(record, run, original)
    write_like(form, models.read_weights(run / MODEL), out, replace)
    return form


def _form(record: Record, run: Path, original: Path | None) -> Form:
    """The form that the record of the original states."""
    if original is None and record.kind != ORIGINAL:
        original = _named_original(record, run)
    of_original = record if original is None else read_record(original / RECORD)
    place = shown((original or run) / RECORD)
    stated = of_original.content.get("notes", {}).get("checkpoint")
    if stated is None:
        raise LotusError(
            f"{place}: this original did not come from a checkpoint (`checkpoint` of its architecture), "
            f"so there is no form to hand it back in; its weights are {shown(run / MODEL)}"
        )
    return form_of(stated.get("form") if isinstance(stated, dict) else None, place)


def _named_original(record: Record, run: Path) -> Path:
    """Folder of the original that a run was made from.

    Raises:
        LotusError: its record names none, or this has another record by now.

    """
    named = [path for path in record.inputs if Path(path).name == RECORD]
    if len(named) != 1:
        raise LotusError(
            f"{shown(run / RECORD)}: was not made from an original; name the run of the original whose "
            "form is meant: --original FOLDER"
        )
    if sha256(_there(Path(named[0]))) != record.inputs[named[0]]:
        raise LotusError(f"{shown(named[0])}: is not the record that {shown(run)} was made from")
    return Path(named[0]).parent


def _there(path: Path) -> Path:
    if not path.is_file():
        raise LotusError(
            f"{shown(path)}: there is no such file; call the command in the project's folder, or name "
            "the run of the original: --original FOLDER"
        )
    return path
