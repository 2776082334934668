"""Folders in a list of raw files: their known members, held against the publisher's checksums."""

import os
from dataclasses import dataclass
from pathlib import Path

from lotus import layout
from lotus.audit.unrecorded_files import ListedFile, listed
from lotus.data import raw, sources
from lotus.errors import LotusError
from lotus.records.index import Index
from lotus.records.places import leads_out

UNKNOWN = "a folder without known members: the store's content stands for it"
PUBLISHED = "a folder: its members have the publisher's checksums"


@dataclass(frozen=True)
class CheckedFolder:
    """A folder that images were read from.

    Attributes:
        sha256: of the list of its members' digests, where that is what its list states; else ''.
        problem: a member that is missing or is not the published one; else ''.
        note: what its bytes were compared with, where `sha256` does not say it.

    """

    sha256: str = ""
    problem: str = ""
    note: str = UNKNOWN


def folders_of(raw_list: str, index: Index) -> dict[str, CheckedFolder]:
    """The folders of a list of raw files, as far as they are at hand; none of a list that is damaged."""
    files = listed(Path(raw_list)) or ()
    described = _registered_files(Path(raw_list).stem, index)
    return {
        file.path: _check_folder(file, described.get(file.name))
        for file in files
        if not leads_out(file.path) and os.path.isdir(file.path)
    }


def _registered_files(dataset: str, index: Index) -> dict[str, sources.RawFile]:
    """Name → file of the source that a store was built by; none where that is not registered."""
    store = index.records.get(layout.store_record(dataset).as_posix())
    options = store.settings.get("options", {}) if store is not None else {}
    try:
        source = sources.source(str(options.get("source") or dataset))
    except LotusError:
        return {}
    return {file.name: file for file in source.files}


def _check_folder(stated: ListedFile, file: sources.RawFile | None) -> CheckedFolder:
    if file is None or not file.members:
        return CheckedFolder()
    try:
        found = raw.check(file, Path(stated.path))
    except LotusError as error:
        return CheckedFolder(problem=str(error), note="")
    if found.sha256 == stated.sha256:
        return CheckedFolder(found.sha256, note="")
    # The list states the digest of the archive that the folder was unpacked from.
    if not found.problem:
        return CheckedFolder(note=PUBLISHED)
    # Other contents than the publisher's may be declared in the configuration.
    return CheckedFolder(problem=found.problem, note="") if stated.published else CheckedFolder()
