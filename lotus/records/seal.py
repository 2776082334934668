"""The format of a record, the seal of its text, and the identity by which other records name it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lotus.records.files import as_text

FORMAT = 3
"""Of the records that are written. Since 3, code is known by its syntax, and no longer by its bytes."""
READ_FORMATS = (2, 3)
"""Of the records that are read."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a record with the digest of its own text."""
    open_content = {key: value for key, value in content.items() if key != "digest"}
    digest = hashlib.sha256(as_text(open_content).encode()).hexdigest()
    return {**open_content, "digest": digest}


def is_sealed(text: bytes, digest: str) -> bool:
    """Whether a record's text is, to the byte, what its digest was made of."""
    # The text is compared, not what it means: an edit of its blanks alone breaks the seal too.
    end = f',\n "digest": "{digest}"\n}}\n'.encode()
    body = text.removesuffix(end)
    return body != text and hashlib.sha256(body + b"\n}\n").hexdigest() == digest


def identity(record: Mapping[str, Any]) -> str:
    """Returns a digest of what a step made of what, with which parameters; a repetition has the same.

    Args:
        record: the content of a record.

    """
    parts = {key: record[key] for key in ("kind", "about", "settings", "inputs", "outputs")}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
