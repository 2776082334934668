"""An audit as text and as JSON."""

import json
from collections.abc import Iterator

from lotus.audit.audit import LEFT_OUT, MISSING, STATUSES, VERIFIED, Artifact, Audit
from lotus.names import shown
from lotus.wording import counted

SHOWN = 3
"""Paths that are named where many have the same reason."""


def as_json(found: Audit) -> str:
    """Returns an object: `ok`, the configuration, files not read again, every artifact, the remarks."""
    artifacts = [
        {"path": it.path, "status": it.status, "reason": it.reason} for it in found.artifacts
    ]
    content = {
        "ok": found.ok,
        "held_against": found.held_against,
        "remembered": found.remembered,
        "artifacts": artifacts,
        "notes": list(found.notes),
    }
    return json.dumps(content, indent=1)


def as_text(found: Audit) -> str:
    """Returns lines: all that is not verified, the gravest first; remarks; the configuration; the count."""
    lines = [
        line
        for status in reversed(STATUSES)
        if status != VERIFIED
        for line in _of_status(found.by_status(status))
    ]
    lines += [f"note      {note}" for note in found.notes]
    if found.held_against:
        lines.append(f"Held against {found.held_against}.")
    counts = {status: len(found.by_status(status)) for status in STATUSES}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    whole = "sound, as far as it is here" if counts[LEFT_OUT] else "sound"
    verdict = whole if found.ok else "not sound"
    if counts[MISSING] == len(found.artifacts):
        verdict += "; nothing was run here, and nothing pulled (`dvc pull`)"
    files = counted(found.remembered, "file")
    memory = f" ({files} not read again; --full reads all)" if found.remembered else ""
    # Names of files and values in them can be anything, also what steers a terminal.
    return "\n".join(
        [
            *map(shown, lines),
            f"{len(found.artifacts)} artifacts{memory}: {said or 'none'}; {verdict}.",
        ]
    )


def _of_status(artifacts: list[Artifact]) -> Iterator[str]:
    """Yields a line for each artifact; of many with the same reason only the first have one."""
    reasons: dict[str, list[Artifact]] = {}
    for artifact in artifacts:
        reasons.setdefault(artifact.reason, []).append(artifact)
    for reason, group in reasons.items():
        for artifact in group[:SHOWN]:
            yield f"{artifact.status:9} {artifact.path}: {reason}"
        if len(group) > SHOWN:
            yield f"{group[0].status:9} … and {len(group) - SHOWN} more for this reason (--json has all)"
