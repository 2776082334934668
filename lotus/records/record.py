"""What a run leaves beside its result: digests, code version, environment, time.

Fields of a record (`run.json`; see `write_record`):
    format      version of this layout
    path        of the record itself, relative to the project
    kind        the step: original, gold, unlearned, store, metrics, table, figure, …
    command     the line that can be run again by hand
    about       data set, architecture, scenario, method, seed, protocol, as far as they apply
    settings    every resolved parameter
    inputs      path → sha256 of what was read
    outputs     path → sha256 of what was written
    records     record → identity: those of the inputs, as far as the project has them (the chain)
    code        digest of the modules that the step runs, the modules it enters, the digest of each
                that it can reach, of the whole package; git commit, dirty
    versions    Python and the libraries that can change numbers
    hardware    device, its name, processor, cores, threads, memory
    time        start (UTC); seconds of each phase, and from the start of the process to the record
    memory      peak in bytes, of the process and on the device
    notes       what else the step reports, for example one entry per epoch
    digest      sha256 of the record's text without this line: a record that was edited shows it

Limits: the digest covers Python sources of the package, not compiled libraries (see `versions`); times
are wall times of a machine that may have done other work.
"""

import hashlib
import json
import os
import platform
import resource
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from lotus import layout
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.git import run_git, tracks_something_here
from lotus.names import shown
from lotus.records.code_identity import code_digest, module_digests, package_digest

FORMAT = 2
LIBRARIES = (
    "numpy",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "scipy",
    "seaborn",
    "pandas",
    "matplotlib",
    "pillow",
    "imagehash",
    "safetensors",
    "pydantic",
    "snakemake",
    "dvc",
)


def sha256(path: Path) -> str:
    """Digest of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place only if the block succeeds.

    The folder is made if need be; on an error nothing is left behind.

    Raises:
        LotusError: the path names no file.

    """
    if not path.name:
        raise LotusError(f"'{path}' names no file; accepted: the path of a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically, in UTF-8."""
    with atomic(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes JSON atomically: indented, keys in the given order, NaN refused."""
    write_text(path, as_text(value))


def as_text(value: Any) -> str:
    """JSON as files have it."""
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


@dataclass
class Stopwatch:
    """Seconds of the named phases of a step; on a GPU, phases end when the device is idle."""

    synchronize: Any = lambda: None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time that the block takes to phase `name`."""
        self.synchronize()
        start = datetime.now(UTC)
        yield
        self.synchronize()
        elapsed = (datetime.now(UTC) - start).total_seconds()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + elapsed, 3)

    def move(self, outer: str, inner: str) -> None:
        """Takes the time of phase `inner`, which ran within it, out of phase `outer`."""
        self.seconds[outer] = round(self.seconds[outer] - self.seconds.get(inner, 0.0), 3)


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
    started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    total = (datetime.now(UTC) - started).total_seconds()
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
                "step": code_digest(*modules),
                "entry": list(modules),
                "modules": module_digests(*modules),
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


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the digest of its own text."""
    open_content = {key: value for key, value in content.items() if key != "digest"}
    digest = hashlib.sha256(as_text(open_content).encode()).hexdigest()
    return {**open_content, "digest": digest}


def is_sealed(text: bytes, digest: str) -> bool:
    """Whether a record's text is, to the byte, what its digest was made of."""
    end = f',\n "digest": "{digest}"\n}}\n'.encode()
    body = text.removesuffix(end)
    return body != text and hashlib.sha256(body + b"\n}\n").hexdigest() == digest


def identity(record: Mapping[str, Any]) -> str:
    """Digest of what a step made of what, with which parameters; the same if it is repeated."""
    parts = {key: record[key] for key in ("kind", "about", "settings", "inputs", "outputs")}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _chained(inputs: Sequence[Path]) -> dict[str, str]:
    """Records of files that other steps wrote, each with its identity.

    Raises:
        LotusError: one of them is damaged.

    """
    places = (layout.record_of(Path(relative(path))) for path in inputs)
    found = dict.fromkeys(place for place in places if place is not None and place.is_file())
    return {place.as_posix(): _identity_of(place) for place in found}


def _identity_of(place: Path) -> str:
    try:
        return identity(parse_json(read_file(place)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LotusError(f"{shown(place)}: damaged record: {error}") from error


def relative(path: Path) -> str:
    """A path as the records name it: relative to the project where possible, with slashes."""
    absolute = path.absolute()
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else path).as_posix()


def command_line() -> str:
    """The command of this process, without the path of the interpreter's folder."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def git_state() -> dict[str, Any]:
    """Commit and whether tracked files differ from it; None where there is no repository.

    A repository around the project that tracks nothing of it is none of its own.
    Results that were published are tracked as well, and are not what a step is made by.
    """
    without = (
        f":(exclude){place}"
        for place in (layout.RESULTS, layout.RAW, layout.STORES, *layout.PUBLISHED)
    )
    options = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    said = git("status", *options, "--", ".", *without)
    if said is None or not (Path(".git").exists() or tracks_something_here()):
        return {"commit": None, "dirty": None}
    lines = said.splitlines()
    head = "# branch.oid "
    (commit,) = (line.removeprefix(head) for line in lines if line.startswith(head))
    return {
        "commit": None if commit == "(initial)" else commit,
        "dirty": any(not line.startswith("# ") for line in lines),
    }


def git(*arguments: str) -> str | None:
    """What git prints, without white space around it; None where it fails or is not there."""
    try:
        done = run_git(*arguments)
    except LotusError:
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


@cache
def versions() -> Mapping[str, str]:
    """Installed versions, read without importing the libraries."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor() -> dict[str, Any]:
    """Operating system, processor, logical cores and memory (bytes) of this machine."""
    return {
        "system": platform.system(),
        "processor": _processor_name(),
        "cores": psutil.cpu_count() or 0,
        "memory": psutil.virtual_memory().total,
    }


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
