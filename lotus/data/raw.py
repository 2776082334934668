"""Finding a publisher's files: in the repository, in mirrors, as downloaded before, by download."""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from lotus.config.images import StoreOptions
from lotus.data.archives import is_archive, unpacked
from lotus.data.image_files import is_companion
from lotus.data.sources import RawFile, Source
from lotus.errors import LotusError
from lotus.names import on_disk, shown

log = logging.getLogger(__name__)

RETRIES, TIMEOUT = 3, 30
CHUNK = 1 << 22


@dataclass(frozen=True)
class FoundFile:
    """A raw file or folder on this machine.

    Attributes:
        name: as its publisher calls it.
        path: where it lies.
        bytes: its size; of a folder without known members 0, as its files are not read yet.
        md5, sha256: of the file; of a folder with known members those of the list of their digests.
        published: whether all checksums are those that the publisher states.
        problem: how it differs from what was published, '' if it does not or nothing is known.

    """

    name: str
    path: Path
    bytes: int
    md5: str
    sha256: str
    published: bool
    problem: str = ""


def find_all(
    dataset: str, described: Source, options: StoreOptions, mirrors: Sequence[str], cache: Path
) -> list[FoundFile]:
    """Every file of a data set, in the order of `described.files`, archives unpacked.

    Args:
        dataset: its name in the configuration, for the messages.
        mirrors: folders and URLs that are looked at before anything is downloaded.
        cache: folder for downloads and unpacked archives.

    Raises:
        LotusError: a file is nowhere to be found, damaged, or not the published one although the options
            declare no content.

    """
    found = []
    try:
        for file in _each(dataset, described, options, mirrors, cache):
            if file.problem and options.content is None:
                raise LotusError(
                    f"{dataset}: {file.problem}: it is damaged or another version; get it "
                    "again, or, if you mean "
                    f"these images, declare them: `content: any`, or the sha256 that the log then "
                    f"shows, under datasets.{dataset}.store"
                )
            log.info("%s: %s %s", dataset, file.path, "verified" if file.published else "found")
            found.append(file)
    except OSError as error:
        raise LotusError(
            f"{dataset}: {shown(str(error.filename or cache))}: cannot be read: "
            f"{error.strerror or error}"
        ) from error
    return found


def _each(
    dataset: str, described: Source, options: StoreOptions, mirrors: Sequence[str], cache: Path
) -> Iterator[FoundFile]:
    local = [folder for mirror in mirrors if (folder := _folder_of(mirror)) is not None]
    given = _given(dataset, options.raw, local) if options.raw is not None else None
    if not described.files:
        if given is None:
            raise LotusError(
                f"{dataset}: name the folder or the CSV file of the images with the key `raw` under "
                f"datasets.{dataset}.store"
            )
        yield _taken(given, RawFile(given.name, ""), cache)
        return
    if given is not None and len(described.files) == 1:
        yield _taken(given, described.files[0], cache)
        return
    names = (described.name, *described.folders)
    places = [place for root in local for place in (*(root / name for name in names), root)]
    if given is not None:
        places.insert(0, _taken(given, RawFile(given.name, ""), cache).path)
    earlier: list[Path] = []
    for file in described.files:
        if file.needed is not None and not file.needed(tuple(earlier)):
            continue
        one = _find(dataset, described, file, [*places, cache], mirrors, cache, options.content)
        earlier.append(one.path)
        yield one


def _find(
    dataset: str,
    described: Source,
    file: RawFile,
    places: Sequence[Path],
    mirrors: Sequence[str],
    cache: Path,
    content: str | None,
) -> FoundFile:
    """One file: the first with the published checksum, else the first of its name, else a download."""
    if file.locate is not None:
        path = file.locate()
        if not path.is_file():
            raise LotusError(f"{dataset}: {file.name} was not found; looked for {file.origin}")
        return check(file, path)
    candidates = (place / name for place in places for name in (file.unpacks, file.name) if name)
    found: list[FoundFile] = []
    for path in candidates:
        if (path.is_dir() and path.name != file.name) or path.is_file():
            found.append(check(file, path))
            if not found[-1].problem:
                break
    else:
        if not found:
            # With a declared content, other checksums are judged by it later.
            md5 = file.md5 if content is None else ""
            path = _download(dataset, described, file, md5, places, mirrors, cache)
            found.append(check(file, path))
    best = found[-1] if not found[-1].problem else found[0]
    # What will be refused is not unpacked.
    refused = best.problem and content is None
    if file.unpacks and best.path.is_file() and not refused:
        folder = unpacked(best.path, cache, best.sha256, file.unpack)
        return replace(best, path=_entered(folder, file.unpacks))
    return best


def _folder_of(mirror: str) -> Path | None:
    """The folder that a mirror is; None for a URL of the net."""
    if mirror.startswith("file://"):
        return Path(mirror.removeprefix("file://"))
    return None if "://" in mirror else Path(mirror).expanduser()


def _given(dataset: str, raw: str, local: Sequence[Path]) -> Path:
    """The folder or file that `store.raw` names."""
    tried = _places(raw, local)
    path = next((path for path in tried if path.exists()), None)
    if path is None:
        raise LotusError(
            f"{dataset}: raw = {raw!r} was not found; looked for {', '.join(map(str, tried))}"
        )
    # Opening a pipe would wait for somebody who writes.
    if not (path.is_dir() or path.is_file()):
        raise LotusError(
            f"{dataset}: raw = {raw!r}: {shown(path)} is neither a folder nor a regular file"
        )
    return path


def at_hand(raw: str, mirrors: Sequence[str]) -> Path | None:
    """The folder or regular file that `store.raw` names; None if there is none on this machine."""
    local = [folder for mirror in mirrors if (folder := _folder_of(mirror)) is not None]
    try:
        found = next((path for path in _places(raw, local) if path.exists()), None)
        return found if found is not None and (found.is_dir() or found.is_file()) else None
    except OSError:
        return None


def _places(raw: str, local: Sequence[Path]) -> list[Path]:
    asked = Path(raw).expanduser()
    places = [asked] if asked.is_absolute() else [asked, *(folder / asked for folder in local)]
    return [on_disk(place) for place in places]


def _taken(given: Path, file: RawFile, cache: Path) -> FoundFile:
    """A folder or file in place of the published one; of an archive the folder inside."""
    if given.is_dir():
        return check(file, _entered(given, file.unpacks) if file.unpacks else given)
    one = check(file, given)
    if not is_archive(given):
        return one
    folder = _entered(unpacked(given, cache, one.sha256, file.unpack), file.unpacks)
    return replace(one, path=folder, published=one.published and bool(file.md5))


def _entered(folder: Path, wanted: str) -> Path:
    """The folder `wanted` inside, or the only thing that is inside, or the folder itself.

    Beside that thing may lie what a system put there, as `__MACOSX`.
    """
    if wanted and (folder / wanted).is_dir():
        return folder / wanted
    inside = [path for path in folder.iterdir() if not is_companion(path.name)]
    if folder.name != wanted and len(inside) == 1 and inside[0].is_dir():
        return inside[0]
    return folder


def check(file: RawFile, path: Path) -> FoundFile:
    """Compares a file, or the known members of a folder, with the published checksums."""
    if path.is_dir():
        return _checked_folder(file, path) if file.members else _unchecked(file.name, path)
    md5, sha256 = _digests(path)
    problem = (
        f"{path}: md5 is {md5}, but {file.md5} is published" if file.md5 not in ("", md5) else ""
    )
    return FoundFile(file.name, path, path.stat().st_size, md5, sha256, md5 == file.md5, problem)


def _checked_folder(file: RawFile, path: Path) -> FoundFile:
    missing = [name for name in file.members if not (path / name).is_file()]
    if missing:
        raise LotusError(f"{path}: the folder is incomplete; it lacks {', '.join(missing)}")
    digests = {name: _digests(path / name) for name in file.members}
    problem = ""
    for name, published in file.members.items():
        if digests[name][0] != published and not problem:
            problem = f"{path / name}: md5 is {digests[name][0]}, but {published} is published"
    size = sum((path / name).stat().st_size for name in file.members)
    listing = json.dumps(digests, sort_keys=True).encode()
    md5 = hashlib.md5(listing, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(listing).hexdigest()
    return FoundFile(file.name, path, size, md5, sha256, not problem, problem)


def _unchecked(name: str, path: Path) -> FoundFile:
    return FoundFile(name, path, 0, "", "", False)


def _digests(path: Path) -> tuple[str, str]:
    """md5 and sha256 of a file, read once."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as opened:
        while part := opened.read(CHUNK):
            md5.update(part)
            sha256.update(part)
    return md5.hexdigest(), sha256.hexdigest()


def _download(
    dataset: str,
    described: Source,
    file: RawFile,
    md5: str,
    places: Sequence[Path],
    mirrors: Sequence[str],
    cache: Path,
) -> Path:
    """The file from the first URL that has it, whole or not at all.

    Raises:
        LotusError: none has it; says what was looked for, and where.

    """
    failures = []
    remote = [mirror.rstrip("/") for mirror in mirrors if _folder_of(mirror) is None]
    names = (described.name, *described.folders)
    of_mirrors = [f"{root}/{name}" for root in remote for name in (*names, "")]
    for place in of_mirrors:
        url = f"{place.rstrip('/')}/{file.name}"
        failures.append((url, _retrieve(url, file.name, md5, cache, 0)))
        if not failures[-1][1]:
            return cache / file.name
    if file.url:
        failures.append((file.url, _retrieve(file.url, file.name, file.md5, cache, RETRIES)))
        if not failures[-1][1]:
            return cache / file.name
    wanted = " or ".join(
        f"{name}" for name in (file.unpacks and f"{file.unpacks}/", file.name) if name
    )
    tried = "".join(f"; {url}: {reason}" for url, reason in failures)
    how = (
        described.obtain
        or "Put it into one of these folders, or name a folder or URL as data.mirror"
    )
    raise LotusError(
        f"{dataset}: {wanted} was not found; looked in {', '.join(map(str, places))}{tried}. {how}"
    )


def _retrieve(url: str, name: str, md5: str, cache: Path, retries: int) -> str:
    """Downloads with a progress bar; returns why it failed, '' if it did not.

    The file takes its name only when it is whole and has the checksum; a failed try begins anew.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    downloads = pooch.create(
        cache, "", registry={name: f"md5:{md5}" if md5 else None}, urls={name: url},
        retry_if_failed=retries,
    )  # fmt: skip
    try:
        downloads.fetch(name, downloader=_downloader(url, has_checksum=bool(md5)))
    except OSError as error:
        return _reason(error)
    except ValueError as error:
        return f"refused: {str(error).splitlines()[0]}"
    log.info("%s: downloaded", url)
    return ""


def _downloader(url: str, has_checksum: bool) -> Any:
    """Returns what downloads a file; one that no checksum tells comes from the host that was named."""
    import pooch

    if not url.startswith(("http://", "https://")):
        raise LotusError(
            f"data.mirror: {url}: accepted: a folder, or a URL with http:// or https://"
        )
    hooks = {} if has_checksum else {"response": _refuse_other_host}
    return pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT, hooks=hooks)


def _refuse_other_host(response: Any, **_: Any) -> None:
    """Raises a ValueError where a server sends one to another host, or away from https."""
    if not response.is_redirect:
        return
    asked = urlsplit(response.url)
    target = urljoin(response.url, response.headers["location"])
    told = urlsplit(target)
    same = (asked.hostname, asked.port) == (
        told.hostname,
        told.port,
    ) and told.scheme == asked.scheme
    upgraded = (asked.hostname, asked.scheme, told.scheme) == (told.hostname, "http", "https")
    if not same and not upgraded:
        raise ValueError(
            f"it redirects to {shown(target)}, and no checksum is known that would tell the file from "
            "another"
        )


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"{response.status_code} {response.reason}"
    return f"cannot be reached ({type(error).__name__})"
