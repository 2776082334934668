"""Where a path that others wrote may lead: into the project, and nowhere that its user has not named.

Records, lists and DVC files come from anybody. A path in them can be absolute, have `..` in it, or lie
behind a link; whoever followed it would show, share or overwrite what is none of the project's.
"""

import os
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lotus.errors import LotusError
from lotus.names import shown

VARIABLE = "LOTUS_DISKS"
"""Environment variable: folders outside the project in which parts of it lie, on other disks."""


def is_named_outside(path: str | Path) -> bool:
    """Whether a path, as records have it, is named as one outside the project."""
    place = Path(path)
    return place.is_absolute() or ".." in place.parts or place.parts[:1] == ("~",)


def leads_out(path: str | Path, root: Path | None = None) -> str:
    """Returns how a path leaves a project, in words: by its name or by a link; '' if it does not.

    A place in a folder of `LOTUS_DISKS`, or among the installed libraries, counts as one in the project.

    Args:
        root: folder of the project; the present one unless given.

    Raises:
        LotusError: `LOTUS_DISKS` is not a list of absolute paths.

    """
    try:
        target = os.path.realpath(on_this_machine(path))
    except (OSError, ValueError):
        # No path: what reads it says so.
        return ""
    # The present folder as the system knows it has no link in it.
    here = os.getcwd() if root is None else os.path.realpath(root)
    if any(_is_below(target, place) for place in (here, *_disks(), *_libraries())):
        return ""
    if root is None and is_named_outside(path):
        return "lies outside the project"
    return f"leads out of the project by a link, to {shown(target)}"


def refuse_links_out(*roots: Path) -> None:
    """Refuses to go on where a link below some folders leads out of the project.

    Raises:
        LotusError: names the first such link, and how it can be allowed.

    """
    for root in roots:
        for path in _links(root):
            if how := leads_out(path):
                raise LotusError(f"{shown(path)}: {how}; {HOW_TO_ALLOW}")


HOW_TO_ALLOW = (
    f"if a part of your project lies there, name the folder in {VARIABLE} (absolute paths, with "
    f"'{os.pathsep}' between them), else remove the link"
)


def on_this_machine(path: str | Path) -> Path:
    """Returns a path with the user's home in place of a `~` that it begins with."""
    place = Path(path)
    return place.expanduser() if place.parts[:1] == ("~",) else place


def _links(root: Path) -> Iterator[Path]:
    if root.is_symlink():
        yield root
    for folder, inner, names in os.walk(root):
        for name in (*inner, *names):
            path = Path(folder, name)
            if path.is_symlink():
                yield path


def _is_below(target: str, place: str) -> bool:
    return target == place or target.startswith(place.rstrip(os.sep) + os.sep)


def _disks() -> list[str]:
    named = [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    for name in named:
        if not os.path.isabs(name):
            raise LotusError(
                f"{VARIABLE}: '{shown(name)}': accepted: absolute paths of folders, with "
                f"'{os.pathsep}' between them"
            )
    return [os.path.realpath(name) for name in named]


@cache
def _libraries() -> tuple[str, ...]:
    """Folders of installed libraries, which bring images of their own."""
    return tuple({os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")})


def followed(path: str, named_by: str | Path) -> Path:
    """Returns the place of a file that another file names, if that lies in the project.

    Raises:
        LotusError: it does not.

    """
    if how := leads_out(path):
        raise LotusError(f"{shown(named_by)}: names {shown(path)}, which {how}; {HOW_TO_ALLOW}")
    return on_this_machine(path)
