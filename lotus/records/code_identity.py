"""Which code a step runs: digests of the modules that it can reach, read and never executed."""

import ast
import hashlib
import importlib.util
import pkgutil
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from lotus.surroundings import PACKAGE


def code_digest(*modules: str, root: Path | None = None) -> str:
    """Digest of the sources of `modules` and of every local module that they import.

    Local are the modules of this package, and all that lie neither in Python's own folders nor in those of
    installed libraries: a user's plug-in, and what lies beside it. Imports are read, not executed, so that
    a plan can be made without loading torch; an import inside a function counts too. So does one of a name
    that is put together, `import_module(f"package.{name}")`: as one of every module of that package. Other
    modules that are found at run time (methods, data sources) have to be named.

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
            names += _called(node, module, is_package, root)
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


def _called(node: ast.Call, module: str, is_package: bool, root: Path | None) -> list[str]:
    """What `import_module("name")` names, where that or the package before its last part stands there."""
    function = node.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    first = node.args[0] if node.args else None
    if called not in ("import_module", "__import__"):
        return []
    if isinstance(first, ast.JoinedStr):
        return _of_package(first, root)
    if not isinstance(first, ast.Constant):
        return []
    name = first.value if isinstance(first.value, str) else ""
    level = len(name) - len(name.lstrip("."))
    return [_absolute(module, is_package, level, name.lstrip("."))]


def _of_package(name: ast.JoinedStr, root: Path | None) -> list[str]:
    """Every module of the package in `f"package.{name}"`; none of a text of another form."""
    first = name.values[0]
    start = str(first.value) if isinstance(first, ast.Constant) else ""
    found = _find(start[:-1], root) if start.endswith(".") and len(name.values) == 2 else None
    folders = (found.folders if found is not None else None) or ()
    return [f"{start}{each.name}" for each in pkgutil.iter_modules(map(str, folders))]


@cache
def package_digest() -> str:
    """Digest of every source file of the package."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
