"""Records that no step wrote, for tests of what reads them."""

import hashlib

from lotus.records.files import write_json
from lotus.records.seal import FORMAT, sealed


def digest_of(name):
    """A sha256 for a file that is not there."""
    return hashlib.sha256(name.encode()).hexdigest()


def write_by_hand(path, **parts):
    """Writes a sealed record with these parts, the others as small as they can be; returns its path."""
    whole = {
        "format": FORMAT,
        "kind": "unlearned",
        "path": path.as_posix(),
        "command": "lotus",
        "about": {},
        "settings": {},
        "inputs": {},
        "outputs": {},
        "records": {},
        "code": {
            "step": "0" * 16,
            "entry": ["lotus.errors"],
            "modules": {},
            "package": "0" * 16,
            "commit": None,
            "dirty": None,
        },
        "versions": {},
        "hardware": {},
        "time": {"started": "2026-01-01T00:00:00+00:00", "total": 1.0},
        "memory": {"process": 0, "device": 0},
        "notes": {},
    }
    for key, value in parts.items():
        whole[key] = whole[key] | value if key in ("code", "time", "memory") else value
    write_json(path, sealed(whole))
    return path
