"""Modules found as Python finds them, without importing any."""

import importlib.util
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from pkgutil import iter_modules

from lotus.surroundings import PACKAGE


@dataclass(frozen=True)
class Module:
    """A module as it lies on the disk.

    Attributes:
        file: its source; None where it has none (a folder without `__init__.py`, a compiled library).
        folders: of a package, those of its modules; else None.

    """

    file: Path | None
    folders: tuple[Path, ...] | None

    @property
    def is_package(self) -> bool:
        """Whether modules lie below it."""
        return self.folders is not None


@cache
def find_module(name: str, root: Path | None, folders: tuple[Path, ...] = ()) -> Module | None:
    """Finds a module as importlib's own search would, which imports the packages around it.

    Args:
        root: folder with the package `lotus` that is meant; the package that runs unless given.
        folders: where to look for what Python itself does not find.

    """
    parent, _, last = name.rpartition(".")
    if parent:
        above = find_module(parent, root, folders)
        inside = (above.folders if above is not None else None) or ()
        return next(filter(None, (_below(folder, last) for folder in inside)), None)
    try:
        if name == PACKAGE and root is not None:
            spec = PathFinder.find_spec(name, [str(root)])
        else:
            # A finder of its own finds an editable installation.
            spec = importlib.util.find_spec(name) or PathFinder.find_spec(
                name, [*map(str, folders)]
            )
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    is_source = spec.has_location and spec.origin is not None and spec.origin.endswith(".py")
    below = spec.submodule_search_locations
    return Module(
        Path(spec.origin) if is_source and spec.origin is not None else None,
        tuple(map(Path, below)) if below is not None else None,
    )


def _below(folder: Path, name: str) -> Module | None:
    """Finds a module of a package, in one of its folders."""
    inside, file = folder / name, folder / f"{name}.py"
    if (inside / "__init__.py").is_file():
        return Module(inside / "__init__.py", (inside,))
    if file.is_file():
        return Module(file, None)
    return Module(None, (inside,)) if inside.is_dir() else None


def modules_below(package: str, root: Path | None) -> tuple[str, ...]:
    """Returns the modules and packages directly below a package; none where there is no such package."""
    found = find_module(package, root)
    folders = (found.folders if found is not None else None) or ()
    return tuple(f"{package}.{each.name}" for each in iter_modules(map(str, folders)))


@cache
def is_local(name: str, folders: tuple[Path, ...] = ()) -> bool:
    """Whether a module (without dots) lies outside the folders of Python and of installed libraries."""
    if name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return False
    found = find_module(name, None, folders)
    if found is None:
        return False
    places = [*filter(None, [found.file]), *(found.folders or ())]
    return any(not _is_installed(place) for place in places)


def _is_installed(place: Path) -> bool:
    if {"site-packages", "dist-packages"} & set(place.parts):
        return True
    paths = sysconfig.get_paths()
    return any(place.is_relative_to(paths[key]) for key in ("stdlib", "platstdlib"))
