"""Predictions that an earlier audit found right: to look into all of them again is a third of an audit."""

from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lotus import layout
from lotus.audit.said_by_models import ModelUse
from lotus.private_folder import PRIVATE
from lotus.records import memory
from lotus.records.index import Index
from lotus.records.reading import Record

CACHE = PRIVATE / "predictions.json"


class _KeptUses(BaseModel):
    """The content of the file.

    Attributes:
        right: key of predictions (`key_of`) → what they say of the use of their model.

    """

    model_config = ConfigDict(extra="forbid", strict=True)

    right: dict[str, ModelUse]


def key_of(
    record: Record, path: str, splits: Iterable[str], code: str, index: Index, sound: Set[str]
) -> str:
    """Names predictions by all that they are held against.

    Args:
        record: of their run. It states their digest, and those of what the run read.
        path: of the predictions.
        splits: those that they are compared with, of the digests that the record states.
        code: identity of the code that compares them.
        sound: artifacts whose bytes are as recorded: only such a store is compared.

    """
    datasets = str(record.about.get("dataset")), str(record.settings.get("calibration"))
    files = [path.as_posix() for name in datasets for path in layout.store_files(name).values()]
    stores = {
        it: index.producers[it].outputs[it] for it in files if it in sound and it in index.producers
    }
    return memory.key_of(record.sha256, path, sorted(splits), stores, code)


def load(cache: Path = CACHE) -> Mapping[str, ModelUse]:
    """Returns what earlier audits found; nothing where the file is not what `save` writes."""
    try:
        return _KeptUses.model_validate_json(cache.read_bytes()).right
    except (OSError, ValidationError):
        return {}


def save(right: Mapping[str, ModelUse]) -> None:
    """Keeps what was found right for the next audit."""
    memory.keep(CACHE, _KeptUses(right=dict(right)).model_dump_json())
