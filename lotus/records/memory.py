"""What one command remembers for the next, in `.lotus`: whoever can write there can make it up."""

import hashlib
import json
from pathlib import Path
from typing import Any

from lotus.records.files import write_text


def key_of(*parts: Any) -> str:
    """Names what was looked at by all that decides what is found."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def keep(cache: Path, text: str) -> None:
    """Writes what is remembered; nothing where that cannot be written."""
    try:
        write_text(cache, text)
    except OSError:
        # Somebody else's project that can only be read is planned and audited without a memory.
        return
