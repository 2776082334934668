"""Lists a folder of images: the images, and the files that are left out, with the reason."""

import os
import re
import stat
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from lotus.data.content import LeftOut
from lotus.names import composed, shown

Left = tuple[str, Path]
"""Reason and place of a file or folder that is not taken."""
Identity = tuple[int, int]
"""Device and number of a folder; links to it have the same."""

FOLDER, FILE = "folder", "file"
COMPANION = "hidden, or of the operating system or an editor"
SPECIAL = "pipes, sockets and devices"
DANGLING = "links to nothing"
LOOP = "links to a folder that they lie in"
NO_IMAGE = "files without an ending that are no images"
NO_CLASS = "images in no class folder"
BESIDE = "images beside train, val and test"
FRAMES = "all images but the first of files with several (animations, pages)"

COMPANIONS = frozenset(
    {
        *("__macosx", "icon\r", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
        *("$recycle.bin", "system volume information", "lost+found", "lost.dir", "found.000"),
        *("@eadir", "#recycle", "#snapshot", "@recycle", "@tmp", "__pycache__"),
    }
)
COMPANION_FORM = re.compile(r"\..*|.*~|~\$.*|#.+#|.*\.sw[opx]", re.DOTALL)

ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"),
    *(".gif", ".avif", ".apng", ".jfif", ".jpe", ".mpo", ".pbm", ".pnm", ".dib", ".ico", ".qoi"),
    *(".tga", ".pcx", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
)
NEEDED = {
    **{".webp": "webp", ".avif": "avif"},
    **dict.fromkeys((".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), "jpg_2000"),
}
"""Ending → part of Pillow that not every build has."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000", "QOI")
"""Formats that are known by their first bytes."""

LOOKED_AT = 10_000
"""Files and folders that are looked at to find an image where none has to be."""


def is_companion(name: str) -> bool:
    """Whether a file or folder was not put there by a person: hidden, or of a system or an editor."""
    name = name.lower()
    return name in COMPANIONS or COMPANION_FORM.fullmatch(name) is not None


def kind_of(entry: "os.DirEntry[str]") -> str:
    """`FOLDER`, `FILE`, or the reason why it is neither; links count as what they lead to."""
    if is_companion(entry.name):
        return COMPANION
    if not entry.is_symlink():
        if entry.is_dir(follow_symlinks=False):
            return FOLDER
        return FILE if entry.is_file(follow_symlinks=False) else SPECIAL
    try:
        mode = entry.stat().st_mode
    except OSError:
        return DANGLING
    if stat.S_ISDIR(mode):
        return FOLDER
    return FILE if stat.S_ISREG(mode) else SPECIAL


def why_no_image(path: Path) -> str:
    """Returns why a file is no image, '' if it is one: by its ending, or without one by its content.

    Raises:
        OSError: it may not be read.

    """
    name = path.name.lower()
    if name.endswith(_endings()):
        return ""
    ending = re.search(r"\.[a-z0-9_+-]{1,12}$", name)
    if ending is not None and re.search("[a-z]", ending[0]):
        return f"files with the ending {ending[0]}"
    return "" if _is_image(path) else NO_IMAGE


def ancestors(folder: Path) -> frozenset[Identity]:
    """A folder and all that it lies in."""
    whole = folder.resolve()
    return frozenset(identity(str(place)) for place in (whole, *whole.parents))


def identity(folder: str) -> Identity:
    """Returns what a folder has in common with all links to it."""
    state = os.stat(folder)
    return state.st_dev, state.st_ino


def images_below(
    folders: Sequence[Path], above: frozenset[Identity], passed_over: tuple[str, ...] = ()
) -> tuple[list[Path], list[Left]]:
    """The images of folders and of all folders in them; links are followed.

    They are in the order of `sorted(os.walk(…))`, by names in Unicode's form NFC.

    Args:
        above: folders that must not be entered again.
        passed_over: endings of files that belong there and are no images.

    Raises:
        OSError: a folder cannot be read.

    """
    found: list[tuple[str, str, list[str]]] = []
    left: list[Left] = []
    for place, files, lost in _walk(folders, above):
        left += lost
        taken = []
        for name in files:
            if name.endswith(passed_over):
                continue
            reason = why_no_image(Path(place, name))
            if reason:
                left.append((reason, Path(place, name)))
            else:
                taken.append(name)
        taken.sort(key=lambda name: (composed(name), name))
        found.append((composed(place), place, taken))
    return [Path(place, name) for _, place, names in sorted(found) for name in names], left


def holds_images(folder: Path) -> bool:
    """Whether an image lies in a folder, or in a folder in it, as far as that is quickly seen."""
    seen = 0
    try:
        for place, files, _ in _walk([folder], ancestors(folder.parent)):
            for name in files:
                if not why_no_image(Path(place, name)):
                    return True
            seen += 1 + len(files)
            if seen > LOOKED_AT:
                return False
    except OSError:
        return False
    return False


def grouped(left: Iterable[Left], *roots: Path) -> tuple[LeftOut, ...]:
    """Groups what is left out by reason, with places from the root on, as they can be shown."""
    groups: dict[str, list[str]] = {}
    for reason, path in left:
        root = next((root for root in roots if path.is_relative_to(root)), path.parent)
        groups.setdefault(reason, []).append(shown(path.relative_to(root)))
    return tuple(LeftOut(reason, tuple(sorted(groups[reason]))) for reason in sorted(groups))


def _walk(
    folders: Sequence[Path], above: frozenset[Identity]
) -> Iterator[tuple[str, list[str], list[Left]]]:
    """Each folder, the names of its files, and what is neither file nor folder."""
    to_do = [(str(folder), above) for folder in folders]
    while to_do:
        place, parents = to_do.pop()
        own = identity(place)
        if own in parents:
            yield place, [], [(LOOP, Path(place))]
            continue
        files, left = [], []
        with os.scandir(place) as entries:
            for entry in entries:
                kind = kind_of(entry)
                if kind == FOLDER:
                    to_do.append((entry.path, parents | {own}))
                elif kind == FILE:
                    files.append(entry.name)
                else:
                    left.append((kind, Path(entry.path)))
        yield place, files, left


@lru_cache(maxsize=1)
def _endings() -> tuple[str, ...]:
    from PIL import features

    with warnings.catch_warnings():
        # Pillow warns of parts that it does not know yet.
        warnings.simplefilter("ignore")
        return tuple(
            ending for ending in ENDINGS if ending not in NEEDED or features.check(NEEDED[ending])
        )


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _is_image(path: Path) -> bool:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(path, formats=_formats()).close()
    except Image.DecompressionBombError:
        return True
    except PermissionError:
        raise
    except Exception:  # Whatever Pillow raises on bytes that are no image.
        return False
    return True
