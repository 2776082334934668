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

import ast
import hashlib
import importlib.util
import json
import os
import platform
import resource
import shlex
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import psutil

from lotus import layout
from lotus.errors import LotusError
from lotus.git import run_git
from lotus.json_text import parse_json, read_file
from lotus.names import shown

FORMAT = 2
PACKAGE = "lotus"
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


def code_digest(*modules: str, root: Path | None = None) -> str:
    """Digest of the sources of `modules` and of every local module that they import.

    Local are the modules of this package, and all that lie neither in Python's own folders nor in those of
    installed libraries: a user's plug-in, and what lies beside it. Imports are read, not executed, so that
    a plan can be made without loading torch; an import inside a function counts too. Modules that are found
    at run time (methods, data sources) have to be named.

    Args:
        root: folder with the package that is meant; the package that runs unless given.

    """
    digest = hashlib.sha256()
    for name, source in sorted(_reached(modules, root).items()):
        digest.update(f"{name}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()[:16]


def module_digests(*modules: str, root: Path | None = None) -> dict[str, str]:
    """Module → digest of its source, of all that `code_digest` covers."""
    return {
        name: hashlib.sha256(source).hexdigest()[:12]
        for name, source in sorted(_reached(modules, root).items())
    }


def _reached(modules: Sequence[str], root: Path | None) -> dict[str, bytes]:
    """Module → source, of `modules` and of the local modules that they import."""
    # Packages that are named count even where they are installed as libraries are.
    own = frozenset((PACKAGE, *(name.partition(".")[0] for name in modules)))
    seen: dict[str, bytes] = {}
    queue = list(modules)
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        if name.partition(".")[0] not in own and not _is_local(name.partition(".")[0]):
            continue
        if (source := _source(name, root)) is not None:
            seen[name] = source
            queue += _imports(name, root)
        if "." in name:
            queue.append(name.rpartition(".")[0])
    return seen


@cache
def _source(module: str, root: Path | None = None) -> bytes | None:
    """Source of a module, None where there is no such module (a name imported from one, say)."""
    found = _find(module, root)
    if found is None or found.file is None:
        return None
    try:
        return found.file.read_bytes()
    except OSError:
        return None


@dataclass(frozen=True)
class _Found:
    """Where a module is: its source if it has one, and of a package the folders of its modules."""

    file: Path | None
    folders: tuple[Path, ...] | None


@cache
def _find(module: str, root: Path | None) -> _Found | None:
    """Finds a module without importing anything, as importlib's own search would its parents."""
    parent, _, name = module.rpartition(".")
    if parent:
        above = _find(parent, root)
        folders = (above.folders if above is not None else None) or ()
        return next(filter(None, (_below(folder, name) for folder in folders)), None)
    try:
        if module == PACKAGE and root is not None:
            spec = PathFinder.find_spec(module, [str(root)])
        else:
            # A finder of its own finds an editable installation.
            spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    is_source = spec.has_location and spec.origin is not None and spec.origin.endswith(".py")
    below = spec.submodule_search_locations
    return _Found(
        Path(spec.origin) if is_source and spec.origin is not None else None,
        tuple(map(Path, below)) if below is not None else None,
    )


def _below(folder: Path, name: str) -> _Found | None:
    """A module of a package, in one of its folders."""
    inside, file = folder / name, folder / f"{name}.py"
    if (inside / "__init__.py").is_file():
        return _Found(inside / "__init__.py", (inside,))
    if file.is_file():
        return _Found(file, None)
    return _Found(None, (inside,)) if inside.is_dir() else None


@cache
def _is_local(name: str) -> bool:
    """Whether a module (without dots) lies outside the folders of Python and of installed libraries."""
    if name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return False
    found = _find(name, None)
    if found is None:
        return False
    places = [*filter(None, [found.file]), *(found.folders or ())]
    return any(not _is_installed(place) for place in places)


def _is_installed(place: Path) -> bool:
    if {"site-packages", "dist-packages"} & set(place.parts):
        return True
    paths = sysconfig.get_paths()
    return any(place.is_relative_to(paths[key]) for key in ("stdlib", "platstdlib"))


@cache
def _imports(module: str, root: Path | None = None) -> tuple[str, ...]:
    """Modules that a module's source may import, with relative names resolved."""
    found = _find(module, root)
    is_package = found is not None and found.folders is not None
    names: list[str] = []
    for node in ast.walk(_tree(_source(module, root) or b"")):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, is_package, node.level, node.module or "")
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call):
            names += _called(node, module, is_package)
    return tuple(dict.fromkeys(filter(None, names)))


def _tree(source: bytes) -> ast.AST:
    """The syntax of a source; nothing where it has none, which whoever imports it is told of."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _absolute(module: str, is_package: bool, level: int, name: str) -> str:
    """The name of what `from ..name import` means in a module."""
    if not level:
        return name
    parts = module.split(".")
    base = parts[: len(parts) - level + is_package]
    return ".".join([*base, *filter(None, [name])]) if base else ""


def _called(node: ast.Call, module: str, is_package: bool) -> list[str]:
    """What `import_module("name")` names, where that stands there as it is."""
    function = node.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    first = node.args[0] if node.args else None
    if called not in ("import_module", "__import__") or not isinstance(first, ast.Constant):
        return []
    name = first.value if isinstance(first.value, str) else ""
    level = len(name) - len(name.lstrip("."))
    return [_absolute(module, is_package, level, name.lstrip("."))]


@cache
def package_digest() -> str:
    """Digest of every source file of the package."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


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

    A repository around the project that tracks nothing of it (of a home folder, say) is none of its own.
    Results that were published are tracked as well, and are not what a step is made by.
    """
    without = (
        f":(exclude){place}"
        for place in (layout.RESULTS, layout.RAW, layout.STORES, *layout.PUBLISHED)
    )
    options = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    said = git("status", *options, "--", ".", *without)
    if said is None or not (Path(".git").exists() or git("ls-files", "--", ".")):
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
