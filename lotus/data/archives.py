"""Archives into folders: whole or not at all, and nothing outside the folder."""

import errno
import logging
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from lotus.errors import LotusError
from lotus.names import shown

log = logging.getLogger(__name__)

SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)
"""Errors that another copy of the archive would meet too."""
LATEST = 2**33
"""Seconds since 1970 that every file system takes as a time."""
ON_WINDOWS = 0
"""System that a zip states as the one of its names."""
RATIO, ALWAYS = 200, 2**30
"""Times its own bytes that an archive may unpack to, and bytes that any may; images hardly get smaller."""
VARIABLE = "LOTUS_UNPACK_LIMIT"
"""Environment variable: bytes that any archive may unpack to."""


def is_archive(path: Path) -> bool:
    """Whether it can be unpacked: zip, or tar with any compression that Python reads.

    Raises:
        OSError: it cannot be read.

    """
    return any(_is(kind, path) for kind in (zipfile.is_zipfile, tarfile.is_tarfile))


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except OSError as error:
        if error.errno is not None:
            raise
        return False
    except Exception:  # The readers raise errors of every kind on damaged archives.
        return False


def unpacked(
    archive: Path,
    cache: Path,
    sha256: str,
    unpack: Callable[[Path, Path], None] | None = None,
) -> Path:
    """The folder with an archive's content, unpacked if it was not before: whole or not at all.

    Args:
        sha256: of the archive; part of the folder's name.
        unpack: from archive and empty folder; None: all of it.

    Raises:
        LotusError: damaged or no archive; a member lies outside the folder or is no plain file; or it
            unpacks to more than `limit_of` says.

    """
    folder = cache / f"{archive.name}-{sha256[:12]}"
    if folder.is_dir():
        return folder
    if not is_archive(archive):
        raise LotusError(f"{shown(archive)}: is neither a zip nor a tar archive; get it again")
    draft = folder.with_name(f".{os.getpid()}-{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        (unpack or unpack_all)(archive, draft)
        os.replace(draft, folder)
    except LotusError:
        raise
    except Exception as error:  # The readers raise errors of every kind on damaged archives.
        raise LotusError(f"{shown(archive)}: cannot be unpacked: {_reason(error)}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log.info("%s: unpacked into %s", shown(archive), shown(folder))
    return folder


def _reason(error: Exception) -> str:
    """An error in one line; only what a damaged archive says asks for another one."""
    if isinstance(error, OSError) and error.errno in SYSTEM:
        place = f"{shown(str(error.filename))}: " if error.filename else ""
        return f"{place}{error.strerror}"
    text = shown(" ".join(str(error).split())) or type(error).__name__
    return f"{text}; get it again"


def limit_of(archive: Path) -> int:
    """Returns how many bytes an archive may unpack to: one of a few bytes can fill any disk.

    Raises:
        LotusError: `LOTUS_UNPACK_LIMIT` is no number of bytes.

    """
    given = os.environ.get(VARIABLE, "")
    if given and not (given.isascii() and given.isdigit()):
        raise LotusError(f"{VARIABLE}: '{shown(given)}': accepted: a whole number of bytes")
    return max(int(given) if given else ALWAYS, RATIO * archive.stat().st_size)


def refuse_too_large(archive: Path, size: int, limit: int) -> None:
    """Refuses an archive that unpacks to more bytes than its limit (`limit_of`).

    Raises:
        LotusError: it does.

    """
    if size > limit:
        raise LotusError(
            f"{shown(archive)}: unpacks to {size:,} bytes or more, accepted are {limit:,}: {RATIO} times "
            f"its own, or {VARIABLE} (an environment variable); if it is what you mean, set that, or "
            "unpack it yourself"
        )


def unpack_all(archive: Path, folder: Path) -> None:
    """Every member of an archive.

    Raises:
        LotusError: a member lies outside the folder or is no plain file, or they are too large.
        Exception: of any kind, the archive is damaged.

    """
    if zipfile.is_zipfile(archive):
        _unzip(archive, folder)
        return
    with tarfile.open(archive) as opened:
        for member in members(archive, opened):
            extract(opened, member, folder)


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        listed = opened.infolist()
        windows = all("/" not in member.filename for member in listed)
        for member in listed:
            # Some programs of Windows part folders by backslashes.
            if windows or member.create_system == ON_WINDOWS:
                member.filename = member.filename.replace("\\", "/")
            _refuse_outside(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise LotusError(
                    f"{shown(archive)}: {shown(member.filename)} is a link, which is refused"
                )
        # Python's reader takes no more of a member than is stated here.
        refuse_too_large(archive, sum(it.file_size for it in listed), limit_of(archive))
        for member in listed:
            opened.extract(member, folder)


def members(archive: Path, opened: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files and folders of a tar archive.

    Raises:
        LotusError: one lies outside the folder or is neither, or they are too large.
        ReadError: the archive is cut off.

    """
    last, size, limit = -1, 0, limit_of(archive)
    for member in opened:
        # A damaged size can lead back, and Python's reader would go round for ever.
        if member.offset <= last or member.size < 0:
            raise tarfile.ReadError("damaged")
        last = member.offset
        size += tarfile.BLOCKSIZE + member.size
        refuse_too_large(archive, size, limit)
        _refuse_outside(archive, member.name)
        if not (member.isfile() or member.isdir()):
            raise LotusError(
                f"{shown(archive)}: {shown(member.name)} is neither a plain file nor a "
                "folder, so it is refused"
            )
        yield member
    # `tarfile` takes a damaged header, or none, for the end; the end is a block of zeros.
    if opened.fileobj is not None:
        opened.fileobj.seek(opened.offset)
        if opened.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("damaged or cut off")


def extract(opened: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Writes a member that `members` gave."""
    # Python's own guard, where this version has it; the checks of `members` do not rely on it.
    opened.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
    # Archives of read-only folders could not be unpacked into, nor removed.
    member.mode = 0o755 if member.isdir() else 0o644
    if not 0 <= member.mtime < LATEST:
        member.mtime = 0
    opened.extract(member, folder)


def _refuse_outside(archive: Path, name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        raise LotusError(
            f"{shown(archive)}: '{shown(name)}' would be unpacked outside the folder, so it is refused"
        )
