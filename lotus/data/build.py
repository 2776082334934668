"""From a publisher's files to a verified store."""

import hashlib
import json
import logging
from pathlib import Path

from lotus.data import sources
from lotus.data.sources import RawFile
from lotus.data.store import FILES, check_lock, dvc_digest, open_store, write_store
from lotus.errors import LotusError
from lotus.provenance import sha256, write_json, write_record

log = logging.getLogger(__name__)


def fetch_raw(dataset: str, out: Path) -> None:
    """Finds the raw files of a data set, verifies their md5 and lists them with their sha256.

    Raises:
        LotusError: unknown data set; a file is absent or is not the published one.

    """
    described = sources.source(dataset)
    listed = [_verified(dataset, file) for file in described.files]
    write_json(out, {"dataset": dataset, "licence": described.licence, "files": listed})


def _verified(dataset: str, file: RawFile) -> dict[str, str | int]:
    path = file.locate()
    if not path.is_file():
        raise LotusError(f"{dataset}: {file.name} not found; looked for {file.origin}")
    content = path.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != file.md5:
        raise LotusError(
            f"{dataset}: {file.origin}: md5 is {md5}, published is {file.md5}: the file is damaged or "
            "another version; restore it"
        )
    log.info("%s: %s verified (md5 %s)", dataset, file.origin, md5)
    return {
        "name": file.name,
        "origin": file.origin,
        "bytes": len(content),
        "md5": md5,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def build_store(dataset: str, raw: Path, out: Path, locked: str | None) -> None:
    """Builds the store of a data set, whole or not at all.

    Args:
        raw: what `fetch_raw` wrote; becomes part of `source.json`.
        locked: digest that the store must have; None accepts any.

    Raises:
        LotusError: a raw file changed since it was fetched, or the store is not the locked one.

    """
    described = sources.source(dataset)
    files = json.loads(raw.read_text(encoding="utf-8"))["files"]
    paths = tuple(file.locate() for file in described.files)
    for listed, path in zip(files, paths, strict=True):
        if sha256(path) != listed["sha256"]:
            raise LotusError(f"{dataset}: {listed['origin']} changed since {raw}; fetch it again")
    content = described.read(paths)
    source = {
        "dataset": dataset,
        "title": described.title,
        "homepage": described.homepage,
        "licence": described.licence,
        "selection": described.selection,
        "files": files,
        "mean": described.mean,
        "std": described.std,
    }
    write_store(out, content, described.classes, source, locked)
    log.info("%s: %d images %s in %s", dataset, len(content.images), content.images.shape[1:], out)


def verify_store(folder: Path, locked: str | None, out: Path) -> None:
    """Checks a store's form and its digest against the lock, and records what was verified.

    Raises:
        LotusError: it is damaged or not the locked one.

    """
    check_lock(folder, locked, name=str(folder))
    store = open_store(folder)
    write_record(
        out,
        kind="store",
        modules=[__name__],
        about={"dataset": store.source["dataset"]},
        settings={"locked": locked},
        inputs=[],
        outputs=[folder / name for name in FILES],
        notes={"dvc": dvc_digest(folder), "source": dict(store.source)},
    )
