"""Files below a folder, also where part of it lies on another disk and is linked."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from lotus.records.places import leads_out


def files_below(root: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[Path]:
    """Yields files in order of their paths; links to folders are followed, each folder is seen once.

    A link to a folder that was seen, or that has the project in it, or that leads out of the project (see
    `lotus.records.places`), is given as if it were a file.

    Args:
        wanted: which names to look at, of files and of folders.

    """
    here = Path.cwd()
    seen = {_place(root)}
    for above, inner, names in os.walk(root, followlinks=True):
        folder = Path(above)
        linked = [name for name in inner if (folder / name).is_symlink()]
        turned_down = []
        for name in linked:
            target = _place(folder / name)
            if target in seen or here.is_relative_to(target) or leads_out(folder / name):
                turned_down.append(name)
            seen.add(target)
        inner[:] = sorted(name for name in inner if wanted(name) and name not in turned_down)
        yield from (folder / name for name in sorted([*names, *turned_down]) if wanted(name))


def _place(path: Path) -> Path:
    """Returns where a path leads, as far as it does."""
    return Path(os.path.realpath(path))
