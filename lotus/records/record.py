"""The record that a step leaves beside its result: digests, code version, environment, time.

Fields of a record (`run.json`; see `write_record`):
    format      version of this layout
    path        of the record itself, relative to the project
    kind        the step: original, gold, unlearned, store, metrics, table, figure, …
    command     the line that can be run again by hand; homes of users are `~` here and in all paths
    about       data set, architecture, scenario, method, seed, protocol, as far as they apply
    settings    every resolved parameter
    inputs      path → sha256 of what was read
    outputs     path → sha256 of what was written
    records     record → identity: those of the inputs, as far as the project has them (the chain)
    code        digest of the modules that the step can reach, the modules it enters, the digest of each
                that it can reach: of their syntax (`lotus.records.syntax`). `package` is a digest of the
                bytes of the whole package, by which the copy of it can be known again; nothing is compared
                with it. git commit, dirty
    versions    Python and the libraries that can change numbers
    hardware    device, its name, processor, cores, threads, memory; of steps with a model the runtime, too:
                precision, memory format, compilation, determinism (older records mean the default)
    time        start (UTC); seconds of each phase, and from the start of the job's process to the record
                (from when it had a GPU, if it had to wait for one)
    memory      peak in bytes, of the process and on the device
    notes       what else the step reports, for example one entry per epoch
    digest      sha256 of the record's text without this line: a record that was edited shows it

In format 2 `code` had digests of the bytes of each module, comments included; all else is the same.

Limits: the digest covers Python sources of the package, not compiled libraries (see `versions`); times
are wall times of a machine that may have done other work.
"""

import resource
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.records.began import job_began
from lotus.records.code_identity import identify, package_digest
from lotus.records.environment import (
    command_line,
    git_state,
    processor,
    seconds_of_process,
    versions,
)
from lotus.records.files import relative, sha256, write_json
from lotus.records.reading import read_record
from lotus.records.seal import FORMAT, identity, sealed


def write_record(
    path: Path,
    *,
    kind: str,
    modules: Sequence[str],
    about: Mapping[str, Any],
    settings: Mapping[str, Any],
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    seconds: Mapping[str, float] | None = None,
    hardware: Mapping[str, Any] | None = None,
    device_memory: int = 0,
    notes: Mapping[str, Any] | None = None,
) -> None:
    """Writes the record of a step, last and atomically: no record, no result.

    Args:
        path: the record's file.
        modules: entry modules of the step; their digest is recorded.
        inputs: files that were read; each is hashed.
        outputs: files that were written; each is hashed.
        seconds: time of the phases.
        hardware: what the device layer says of itself; the processor is added.
        device_memory: peak on the device, bytes.

    """
    now = datetime.now(UTC)
    started = job_began() or now - timedelta(seconds=seconds_of_process())
    total = (now - started).total_seconds()
    code = identify(*modules)
    content = sealed(
        {
            "format": FORMAT,
            "kind": kind,
            "path": relative(path),
            "command": command_line(),
            "about": dict(about),
            "settings": dict(settings),
            "inputs": {relative(p): sha256(p) for p in inputs},
            "outputs": {relative(p): sha256(p) for p in outputs},
            "records": _chained(inputs),
            "code": {
                "step": code.step,
                "entry": list(modules),
                "modules": code.modules,
                "package": package_digest(),
                **git_state(),
            },
            "versions": versions(),
            "hardware": {**(hardware or {}), **processor()},
            "time": {
                "started": started.isoformat(timespec="seconds"),
                **(seconds or {}),
                "total": round(total, 3),
            },
            "memory": {
                "process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "device": device_memory,
            },
            "notes": dict(notes or {}),
        }
    )
    write_json(path, content)


def _chained(inputs: Sequence[Path]) -> dict[str, str]:
    """Returns the records of files that other steps wrote, each with its identity.

    Raises:
        LotusError: one of them is damaged or was edited.

    """
    places = (layout.record_of(Path(relative(path))) for path in inputs)
    found = dict.fromkeys(place for place in places if place is not None and place.is_file())
    return {place.as_posix(): identity(read_record(place).content) for place in found}
