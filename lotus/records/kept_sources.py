"""What the package's sources come to, kept in the project from one command to the next.

To look into all of them anew takes a third of the time in which a small experiment is planned.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lotus.private_folder import PRIVATE
from lotus.records import sources, syntax
from lotus.records.code_identity import read_ahead, sources_of_package
from lotus.records.memory import keep
from lotus.records.sources import MET, ModuleSource, sha256_of

CACHE = PRIVATE / "sources.json"


class _Kept(BaseModel):
    """The content of the file.

    Attributes:
        rules: what said so, see `_rules`.
        known: sha256 of a source → what it comes to.

    """

    model_config = ConfigDict(extra="forbid", strict=True)

    rules: str
    known: dict[str, ModuleSource]


def read_ahead_by_memory(cache: Path = CACHE) -> None:
    """Reads all sources of the package; looks only into those that no earlier call has met.

    Whoever can write into the project can also write what is kept. So a plan may begin with this, and an
    audit that is asked to believe what the last one saw; a record is always written without.
    """
    known = _load(cache)
    MET.update(known)
    read_ahead()
    present = {key: MET[key] for key in map(sha256_of, sources_of_package().values())}
    if present != known:
        keep(cache, _Kept(rules=_rules(), known=present).model_dump_json())


@cache
def _rules() -> str:
    """Names the code, and the Python, by which sources are looked into."""
    digest = hashlib.sha256(sys.version.encode())
    for module in (sources, syntax):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def _load(cache: Path) -> dict[str, ModuleSource]:
    """Returns what earlier calls found; nothing where the file is not what they kept."""
    try:
        kept = _Kept.model_validate_json(cache.read_bytes())
    except (OSError, ValidationError):
        return {}
    return kept.known if kept.rules == _rules() else {}
