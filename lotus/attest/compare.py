"""Compares what was made again with what lies there: by bytes, or elsewhere within tolerances."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lotus.attest import tolerances
from lotus.engine.runtime import device_in, stated_in
from lotus.records.attestations import (
    CLOSE,
    OTHER,
    SAME,
    UNCOMPARED,
    AttestedFile,
    Finding,
)
from lotus.records.attested_words import PICTURES
from lotus.records.files import sha256
from lotus.records.reading import Record

MACHINE = ("system", "processor", "threads")
LIBRARIES = (
    "python",
    "numpy",
    "torch",
    "torchvision",
    "timm",
    "pillow",
    "scikit-learn",
    "scipy",
    "pandas",
    "matplotlib",
    "seaborn",
)
"""Those by which the last bits of a result can change."""
TIMES = ("seconds", "seconds_to_it", "resumed_after_epochs", "minutes_released_r1")
"""Notes that differ each time."""


def elsewhere(there: Record, again: Record) -> str:
    """Returns in what the machine or the versions of two records differ; '' if in nothing that counts."""
    if there.problem:
        return ""
    mine, theirs = (_circumstances(it.content) for it in (again, there))
    found = [(key, was, mine.get(key)) for key, was in theirs.items() if was != mine.get(key)]
    return "; ".join(f"{key} {was}, here {now}" for key, was, now in found)


def _circumstances(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of a record that can change a result's last bits: machine, runtime and libraries."""
    hardware, versions = content.get("hardware", {}), content.get("versions", {})
    return {
        **{key: hardware.get(key) for key in MACHINE},
        **device_in(hardware),
        **stated_in(hardware),
        **{key: versions.get(key) for key in LIBRARIES},
    }


def other_code(there: Record, again: Record) -> str:
    """Returns a hint, if a record was written by other code than that which wrote it again; else ''."""
    if there.problem or there.content["code"]["step"] == again.content["code"]["step"]:
        return ""
    return "; its record names other code than the present (`lotus audit`)"


def compare_files(
    path: str,
    again: Path,
    is_elsewhere: bool,
    by_accuracy: Collection[str] | None,
    hint: str = "",
) -> AttestedFile:
    """Holds one output that was made again against the one that lies there.

    Args:
        path: in the project.
        is_elsewhere: whether machine or versions are others than those of the record.
        by_accuracy: of predictions, see `misfit_of_predictions`.
        hint: what can explain other bytes.

    """
    here = Path(path)
    digests = [sha256(it) if it.is_file() else None for it in (here, again)]
    was, now = digests

    def found(finding: Finding, said: str = "") -> AttestedFile:
        return AttestedFile(there=was, again=now, finding=finding, said=said)

    if was is None or now is None:
        return found(OTHER, "absent" if was is None else "the step, done again, does not write it")
    if was == now:
        return found(SAME)
    if not is_elsewhere:
        return found(OTHER, f"made again, it has other bytes{hint}")
    if here.suffix in PICTURES:
        return found(
            UNCOMPARED, "other bytes; pictures are not compared across machines or versions"
        )
    if here.suffix == ".npz":
        said = tolerances.misfit_of_predictions(here, again, by_accuracy)
    elif here.suffix == ".safetensors":
        said = tolerances.misfit_of_weights(here, again)
    else:
        said = tolerances.misfit_of_text(here, again)
    return found(OTHER, said) if said else found(CLOSE)


def compare_records(
    there: Record, again: Record, is_elsewhere: bool, is_whole: bool
) -> AttestedFile:
    """Holds the record of a step against that of the step done again: all but paths, times and machine.

    Args:
        is_elsewhere: then what a training reports of itself is left out too.
        is_whole: whether the whole step was done again; else it read its own weights besides.

    """
    said = there.problem or _first_difference(there, again, is_elsewhere, is_whole)
    return AttestedFile(
        there=there.sha256 or None,
        again=again.sha256,
        finding=OTHER if said else SAME,
        said=said,
    )


def _first_difference(there: Record, again: Record, is_elsewhere: bool, is_whole: bool) -> str:
    was, now = there.content, again.content
    for key in ("kind", "about", "settings"):
        if was[key] != now[key]:
            return f"{key}: {_differing(was[key], now[key])}"
    # What was read, whether it is listed once more or not.
    others = [path for path, digest in there.inputs.items() if again.inputs.get(path) != digest]
    others += [path for path in again.inputs if is_whole and path not in there.inputs]
    if others:
        return f"inputs: not made of {others[0]} as it lies here"
    keys = ("outcome",) if is_elsewhere or not is_whole else (*was["notes"], *now["notes"])
    for key in dict.fromkeys(keys):
        before, after = (_without_times(notes.get(key)) for notes in (was["notes"], now["notes"]))
        if key not in TIMES and before != after:
            return f"notes: {key}: other than when it is made again"
    return ""


def _differing(was: Any, now: Any) -> str:
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        key = next(key for key in (*was, *now) if was.get(key) != now.get(key))
        return f"{key}: {_differing(was.get(key), now.get(key))}"
    return f"{was!r:.60}, made again {now!r:.60}"


def _without_times(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_times(it) for key, it in value.items() if key not in TIMES}
    return [*map(_without_times, value)] if isinstance(value, list) else value
