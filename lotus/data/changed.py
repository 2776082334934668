"""Whether a user's own images are still those that a store was built from, as far as they are at hand."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lotus.data.archives import is_archive
from lotus.data.store import Store, read_names
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.files import sha256


def changed_since_built(store: Store, place: Path) -> list[str]:
    """Returns the images, or the list or archive of them, whose bytes are not those of the store any more.

    Images that are gone are not changed: a store stands for itself. Only what was written since the store
    was is read, so the answer is quick where nothing was. Of an archive its own bytes are compared.

    Args:
        place: the folder, CSV file or archive that `store.raw` names.

    Raises:
        LotusError: a file cannot be read, or the store's names are damaged.

    """
    built = (store.folder / "source.json").stat().st_mtime_ns
    return list(dict.fromkeys(shown(name) for name in _changed(store, place, built)))


def _changed(store: Store, place: Path, built: int) -> Iterator[str]:
    try:
        if place.is_file():
            stated = [_digest(file) for file in store.source.get("files", [])]
            if len(stated) == 1 and stated[0] and _is_other(place, stated[0], built):
                yield place.name
            if is_archive(place):
                return
        names = read_names(store)
        if names is None:
            return
        folder = place if place.is_dir() else place.parent
        for name, digest in dict.fromkeys(zip(names.names, names.sha256, strict=True)):
            path = folder / name
            if path.is_file() and _is_other(path, digest, built):
                yield name
    except OSError as error:
        what = error.filename or place
        raise LotusError(
            f"{shown(str(what))}: cannot be read: {error.strerror or error}"
        ) from error


def _digest(file: Mapping[str, Any]) -> str:
    return str(file.get("sha256") or "")


def _is_other(path: Path, digest: str, built: int) -> bool:
    state = os.stat(path)
    # The second time also changes where a file takes the place of another.
    return max(state.st_mtime_ns, state.st_ctime_ns) > built and sha256(path) != digest
