"""Files of a project that no record states: source files, and strays."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from lotus import layout
from lotus.formats.json_text import parse_json, read_file
from lotus.records.files_below import files_below
from lotus.records.forms import FilePath, RecordForm
from lotus.records.places import is_named_outside, leads_out

WORKING = re.compile(r"checkpoint\.pt|\.snakemake_timestamp|\.gitignore|\.\d+-.*|\.decode-.*")
"""What tools leave while they work, or when they are killed."""


@dataclass(frozen=True)
class RawFileOfStore:
    """A file that a store was built from.

    Attributes:
        listed_by: the list of `lotus fetch`.

    """

    path: str
    sha256: str
    listed_by: str

    @property
    def is_in_repository(self) -> bool:
        """Whether every clone has it."""
        return not self.is_elsewhere and not Path(self.path).is_relative_to(layout.RAW)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it lies outside the project: in an installed library, on a mirror."""
        return is_named_outside(self.path)


class ListedFile(RecordForm):
    """One raw file, as a list of `lotus fetch` states it."""

    path: FilePath
    name: str = ""
    sha256: str | None = None
    published: bool | None = None


class _FileList(RecordForm):
    files: list[ListedFile]


def listed(path: Path) -> list[ListedFile] | None:
    """Returns the files in a list of `lotus fetch`; None where it cannot be read."""
    if leads_out(path):
        return None
    try:
        return _FileList.model_validate(parse_json(read_file(path))).files
    except (OSError, ValueError, ValidationError):
        return None


def raw_files() -> list[RawFileOfStore]:
    """Source files of all data sets with a known digest; a list that cannot be read names none."""
    return [
        RawFileOfStore(file.path, file.sha256, path.as_posix())
        for path in sorted(layout.RAW.glob("*.json"))
        for file in listed(path) or ()
        if file.sha256
    ]


def remarks_on_folders(raw: Collection[RawFileOfStore]) -> list[str]:
    """Remarks on unpacked folders that stores were built from: a list has one digest for all members."""
    return [
        f"{file.path}: a folder that {file.listed_by} lists; its files were compared when the store was "
        "built, and are not read again"
        for file in raw
        if os.path.isdir(file.path)
    ]


def strays(known: Collection[str]) -> Iterator[str]:
    """Files among results and stores that are not known."""
    for root in (layout.RESULTS, layout.STORES):
        for path in files_below(root, lambda name: not WORKING.fullmatch(name)):
            if path.as_posix() not in known:
                yield path.as_posix()
