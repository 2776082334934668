"""Builds a verified store from a publisher's files."""

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lotus.config.images import StoreOptions
from lotus.data import content as contents
from lotus.data import sources
from lotus.data.content import Content, Files, LeftOut
from lotus.data.decode import decode
from lotus.data.image_files import FRAMES, grouped
from lotus.data.one_builder import asked_for, one_builder
from lotus.data.raw import check, find_all
from lotus.data.sources import Source
from lotus.data.store import FILES, check_lock, dvc_digest, open_store, read_names, write_store
from lotus.errors import LotusError
from lotus.layout import NAMES_FILE, RAW
from lotus.names import shown
from lotus.records.files import relative, sha256, write_json
from lotus.records.places import on_this_machine
from lotus.records.record import write_record
from lotus.wording import first_of

log = logging.getLogger(__name__)

NAMED = 1_000
"""Names of what is left out for one reason that a store lists."""


def source_of(dataset: str, options: StoreOptions) -> Source:
    """The registered data set behind a name of the configuration."""
    return sources.source(options.source or dataset)


def fetch_raw(dataset: str, options: StoreOptions, mirrors: Sequence[str], out: Path) -> None:
    """Finds or downloads the raw files of a data set, checks them and lists them with their digests.

    Args:
        dataset: its name in the configuration.
        mirrors: folders and URLs that are looked at before anything is downloaded.

    Raises:
        LotusError: unknown data set; a file is nowhere to be found or is not the published one.

    """
    described = source_of(dataset, options)
    found = find_all(dataset, described, options, mirrors, RAW / described.name)
    files = [
        {
            "name": file.name,
            "path": relative(file.path),
            "bytes": file.bytes,
            "md5": file.md5,
            "sha256": file.sha256,
            "published": file.published,
        }
        for file in found
    ]
    write_json(out, {"dataset": dataset, "licence": described.licence, "files": files})


def build_store(
    dataset: str,
    options: StoreOptions,
    raw: Path,
    out: Path,
    locked: str | None,
    workers: int | None = None,
) -> None:
    """Builds the store of a data set, whole or not at all.

    Of several processes that build one store, one works and the others wait: they take what it built, or
    build theirs if they asked for another.

    Args:
        raw: what `fetch_raw` wrote; becomes part of `source.json`, without places of this machine.
        locked: digest that the store must have; None accepts any.
        workers: processes that decode; default: one for each processor.

    Raises:
        LotusError: a raw file changed since it was fetched or is damaged, labels and classes do not fit,
            or the store is not the published, declared or locked one.

    """
    described = source_of(dataset, options)
    files = json.loads(raw.read_text(encoding="utf-8"))["files"]
    with one_builder(out, asked_for(dataset, options, files, locked)) as turn:
        if not turn.is_ready:
            _build(dataset, described, options, raw, files, out, locked, workers)
            turn.done()


def _build(
    dataset: str,
    described: Source,
    options: StoreOptions,
    raw: Path,
    files: Sequence[Mapping[str, Any]],
    out: Path,
    locked: str | None,
    workers: int | None,
) -> None:
    """Builds a store while nobody else does; see `build_store`."""
    _check_unchanged(dataset, described, files, raw)
    paths = tuple(on_this_machine(listed["path"]) for listed in files)
    content = read_content(dataset, described, options, paths)
    _check_sizes(dataset, described, options, content, files)
    contents.check(dataset, content)
    _check_classes(dataset, described, content)
    for said in (*content.remarks, *content.left_out):
        log.warning("%s: %s", dataset, said)
    declared = None if options.content == "any" or _published(files) else options.content
    # Only images in files are worth choosing before they are read.
    whole = not isinstance(content.images, Files) or declared is not None
    if options.limit is not None and not whole:
        content = contents.limited(content, options.limit)
    content = _with_digests(content)
    # Of this data set alone, so that a build that was killed or interrupted can go on.
    draft = out.with_name(f".decode-{out.name}")
    try:
        images, several = _pixels(content.images, draft, workers or len(os.sched_getaffinity(0)))
        frames = _frames(content.images, several, paths)
        for group in frames:
            log.warning("%s: %s", dataset, group)
        digest = contents.digest(images, content.labels)
        if declared not in (None, digest):
            raise LotusError(
                f"{dataset}: the images have the content {digest}, but datasets.{dataset}.store declares "
                f"{declared}: images, labels or options differ"
            )
        source = {
            **_about(dataset, described, options, content, images),
            "files": [{k: v for k, v in listed.items() if k != "path"} for listed in files],
            "content": digest,
            "checked_by": _checked_by(described, options, files, digest),
            **_listed_out([*content.left_out, *frames]),
        }
        if options.limit is not None and whole:
            content = contents.limited(replace(content, images=images), options.limit)
            images, _ = _pixels(content.images, draft, 1)
        decoded = images.filename if isinstance(images, np.memmap) else None
        write_store(out, Path(decoded) if decoded else images, content, source, locked)
    except LotusError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(draft, ignore_errors=True)
    log.info(
        "%s: %d images %s in %s; content%s %s",
        dataset,
        len(content.labels),
        images.shape[1:],
        out,
        " of all" if options.limit is not None and whole else "",
        digest,
    )


def _with_digests(content: Content) -> Content:
    """The content with the digest of each image's file beside its name, where it has one."""
    if content.names is None or not isinstance(content.images, Files):
        return content
    try:
        digests = {path: sha256(path) for path in dict.fromkeys(content.images.paths)}
    except OSError as error:
        raise LotusError(
            f"{shown(str(error.filename))}: cannot be read: {error.strerror}"
        ) from error
    sha256s = tuple(digests[path] for path in content.images.paths)
    return replace(content, names=replace(content.names, sha256=sha256s))


def _pixels(
    images: np.ndarray | Files, draft: Path, workers: int
) -> tuple[np.ndarray, tuple[int, ...]]:
    """uint8 `[N, H, W, C]`, of files memory-mapped; and which are the first of several in their file."""
    if isinstance(images, Files):
        decoded, several = decode(images, draft, workers)
        return np.load(decoded, mmap_mode="r"), several
    return images, ()


def _frames(
    images: np.ndarray | Files, several: Sequence[int], paths: Sequence[Path]
) -> tuple[LeftOut, ...]:
    """The files of which only the first image is taken."""
    if not isinstance(images, Files) or not several:
        return ()
    roots = [path if path.is_dir() else path.parent for path in paths]
    return grouped([(FRAMES, images.paths[index]) for index in several], *roots)


def _listed_out(left_out: Sequence[LeftOut]) -> dict[str, Any]:
    """Returns the entry of `source.json` for files that are left out; none if none are."""
    listing = [
        {"reason": group.reason, "count": len(group.names), "names": list(group.names[:NAMED])}
        for group in left_out
    ]
    return {"left_out": listing} if listing else {}


def _check_unchanged(
    dataset: str, described: Source, files: Sequence[Mapping[str, Any]], raw: Path
) -> None:
    """Refuses raw files that are not those that were fetched, as far as their digests are known."""
    published = {file.name: file for file in described.files}
    for listed in files:
        path, file = on_this_machine(listed["path"]), published.get(listed["name"])
        if path.is_file():
            same = not listed["sha256"] or sha256(path) == listed["sha256"]
        else:
            known = path.is_dir() and file is not None and file.members and listed["published"]
            same = not check(file, path).problem if file is not None and known else path.is_dir()
        if not same:
            raise LotusError(f"{dataset}: {path} changed since {raw} was written; fetch it again")


def read_content(
    dataset: str, described: Source, options: StoreOptions, paths: tuple[Path, ...]
) -> Content:
    """Returns what a data set's reader gives; images in files are listed, not opened.

    Raises:
        LotusError: the reader refuses the files, one cannot be read, `side` is given for images of one
            size, or `held_out` for a data set with parts of its own.

    """
    try:
        content = _read(dataset, described, options, paths)
    except OSError as error:
        place = shown(str(error.filename)) if error.filename else ", ".join(map(shown, paths))
        raise LotusError(
            f"{dataset}: {place}: cannot be read: {error.strerror or error}"
        ) from error
    if options.side is None:
        return content
    if not isinstance(content.images, Files):
        raise LotusError(
            f"{dataset}: side = {options.side}: all images of this data set have one size; "
            "remove `side`, and use "
            "`resize` to show them in another"
        )
    return replace(content, images=replace(content.images, side=options.side))


def _read(
    dataset: str, described: Source, options: StoreOptions, paths: tuple[Path, ...]
) -> Content:
    if options.held_out is None:
        return described.read(paths)
    if described.read_unsplit is None:
        raise LotusError(
            f"{dataset}: held_out = {options.held_out:g}: this data set has held-out images of its own; "
            "remove `held_out`"
        )
    return contents.hold_out(described.read_unsplit(paths), options.held_out)


def _published(files: Sequence[Mapping[str, Any]]) -> bool:
    return bool(files) and all(listed["published"] for listed in files)


def _check_sizes(
    dataset: str,
    described: Source,
    options: StoreOptions,
    content: Content,
    files: Sequence[Mapping[str, Any]],
) -> None:
    """Refuses other numbers of images than the published ones, where no checksum vouches for the files."""
    if options.content is not None or _published(files):
        return
    for part, (first, end) in content.parts.items():
        wanted = described.sizes.get(part)
        if wanted not in (None, end - first):
            raise LotusError(
                f"{dataset}: {end - first:,} {part} images, but {wanted:,} are published; if these are the "
                f"images you mean, declare them: `content: any`, or the sha256 that the log then shows, "
                f"under datasets.{dataset}.store"
            )


def _check_classes(dataset: str, described: Source, content: Content) -> None:
    """The classes that plans are checked against have to be those of the files."""
    if described.classes not in (None, content.classes):
        raise LotusError(
            f"{dataset}: the files have the classes {first_of(content.classes, 3)}, but "
            f"{described.name} has {first_of(described.classes or (), 3)}"
        )


def _about(
    dataset: str, described: Source, options: StoreOptions, content: Content, images: np.ndarray
) -> dict[str, Any]:
    """Returns the entries of `source.json` that describe the data set."""
    mean, std = options.mean or described.mean, options.std or described.std
    if mean is None or std is None:
        mean, std = contents.channel_statistics(images, content.parts["train"][1])
    if len(mean) != images.shape[3]:
        raise LotusError(
            f"{dataset}: {len(mean)} values are given for mean and std, but the images have "
            f"{images.shape[3]} channels"
        )
    selection = described.selection
    if options.held_out is not None:
        selection += (
            f"; of these {100 * options.held_out:g} % of each class, drawn once, are held out"
        )
    if options.limit is not None:
        selection += f"; of these the first {options.limit} of each class, of each part"
    return {
        "dataset": dataset,
        "source": described.name,
        "title": described.title,
        "version": described.version,
        "homepage": described.homepage,
        "licence": described.licence,
        "selection": selection,
        "side": content.images.side if isinstance(content.images, Files) else None,
        "mean": list(mean),
        "std": list(std),
    }


def _checked_by(
    described: Source, options: StoreOptions, files: Sequence[Mapping[str, Any]], digest: str
) -> str:
    """Returns in words what vouches for the images."""
    if _published(files):
        return "checksums of the publisher"
    if options.content == digest:
        return "content declared in the configuration"
    if options.content == "any" or not described.sizes:
        return "nothing: taken as they are"
    return "number of images"


def verify_store(
    folder: Path,
    locked: str | None,
    out: Path,
    options: Mapping[str, Any] | None = None,
    raw: Path | None = None,
) -> None:
    """Checks a store's form and its digest against the lock, and records what was verified.

    Args:
        options: how it was built, for the record.
        raw: what `fetch_raw` wrote of the files that it was built from.

    Raises:
        LotusError: it is damaged, not the locked one, or of other files than those listed.

    """
    check_lock(folder, locked, name=str(folder))
    store = open_store(folder)
    is_named = read_names(store) is not None
    if raw is not None:
        _check_built_from(raw, store.source["files"], folder)
    write_record(
        out,
        kind="store",
        modules=[__name__],
        about={"dataset": store.source["dataset"]},
        settings={"options": dict(options or {})},
        inputs=[raw] if raw is not None else [],
        outputs=[folder / name for name in (*FILES, *([NAMES_FILE] if is_named else []))],
        notes={
            "dvc": dvc_digest(folder),
            # No setting: publishing locks a store, which changes neither the store nor what is made of it.
            "locked": locked,
            "shape": list(store.images.shape[1:]),
            "classes": len(store.classes),
            "source": dict(store.source),
        },
    )


def _check_built_from(raw: Path, stated: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Refuses a store of other raw files than those that were fetched, as far as digests tell."""
    files = json.loads(raw.read_text(encoding="utf-8"))["files"]
    fetched = {listed["name"]: listed["md5"] for listed in files}
    for listed in stated:
        name, mine = listed["name"], listed["md5"]
        theirs = fetched.get(name)
        if mine and theirs and mine != theirs:
            raise LotusError(
                f"{folder}: was built from {name} with md5 {mine}, but {raw} lists {theirs}; delete the "
                "folder and run again"
            )
