"""Archives into folders: whole or not at all, and nothing outside the folder."""

import logging
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from lotus.errors import LotusError

log = logging.getLogger(__name__)

UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
"""What the readers of archives raise on damaged, encrypted or unusual ones."""


def is_archive(path: Path) -> bool:
    """Whether it can be unpacked: zip, or tar with any compression that Python reads."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


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
        LotusError: damaged or no archive; or a member lies outside the folder or is no plain file.

    """
    folder = cache / f"{archive.name}-{sha256[:12]}"
    if folder.is_dir():
        return folder
    if not is_archive(archive):
        raise LotusError(f"{archive}: neither a zip nor a tar archive; get it again")
    draft = folder.with_name(f".{os.getpid()}-{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        (unpack or unpack_all)(archive, draft)
        os.replace(draft, folder)
    except UNREADABLE as error:
        raise LotusError(f"{archive}: cannot be unpacked: {error}; get it again") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log.info("%s: unpacked into %s", archive, folder)
    return folder


def unpack_all(archive: Path, folder: Path) -> None:
    """Every member of an archive.

    Raises:
        LotusError: a member lies outside the folder or is no plain file.
        UNREADABLE: the archive is damaged.

    """
    if zipfile.is_zipfile(archive):
        _unzip(archive, folder)
        return
    with tarfile.open(archive) as opened:
        for member in members(archive, opened):
            extract(opened, member, folder)


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            _refuse_outside(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise LotusError(f"{archive}: {member.filename} is a link; refused")
        opened.extractall(folder)


def members(archive: Path, opened: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files and folders of a tar archive.

    Raises:
        LotusError: one lies outside the folder or is neither.
        ReadError: the archive is cut off.

    """
    for member in opened:
        _refuse_outside(archive, member.name)
        if not (member.isfile() or member.isdir()):
            raise LotusError(f"{archive}: {member.name} is no plain file or folder; refused")
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
    opened.extract(member, folder)


def _refuse_outside(archive: Path, name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        raise LotusError(
            f"{archive}: {name!r} lies outside the folder it is unpacked into; refused"
        )
