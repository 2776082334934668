"""The files of a run crate: that their bytes are as recorded, which are copied, and how each is named."""

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown, without_home
from lotus.records.files import sha256
from lotus.records.index import Index
from lotus.records.places import HOW_TO_ALLOW, is_named_outside, leads_out, on_this_machine
from lotus.tracking.tracked_files import dvc_entries, entry_of

NEVER_COPIED = (".npy", ".npz", ".safetensors")
"""Endings of images, weights and predictions: never copied."""
ALWAYS_COPIED = (str(layout.PAGE), str(layout.CLAIMS), str(layout.EXPERIMENT))
"""Results that are copied whatever their size, as all records are."""


@dataclass(frozen=True)
class CrateFile:
    """A file that a crate speaks of.

    Attributes:
        path: as the records have it, relative to the project where it lies there.
        sha256: of its bytes.
        size: bytes; None where the file is not there.
        copied: whether it is in the crate.
        place: where DVC holds it or the folder that it lies in; else ''.

    """

    path: str
    sha256: str
    size: int | None
    copied: bool
    place: str

    @property
    def id(self) -> str:
        """Its path in the crate; of a file that is not copied, the URI of its bytes."""
        return quote(self.path) if self.copied else digest_uri(self.sha256, self.name)

    @property
    def name(self) -> str:
        """The path as a crate says it, which is read by others: without anybody's home."""
        return without_home(self.path)


def digest_uri(digest: str, path: str) -> str:
    """The URI that names bytes by their sha256 (RFC 6920), and of which file they are.

    Files of the same bytes are results of different steps, so the path tells them apart.
    """
    name = urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    return f"ni:///sha-256;{name}#{quote(path)}"


def crate_files(index: Index, project: Sequence[str], copy_below: int) -> dict[str, CrateFile]:
    """Path → file, of all that records name, of the records, and of the project's own files.

    Args:
        index: all records.
        project: files of the project, copied whatever their size.
        copy_below: bytes from which other files are not copied.

    Raises:
        LotusError: a record is not sound or missing, a file is not as a record states it, or something
            that is no file, a folder say, lies in its place.

    """
    stated = _stated_digests(index)
    whole = {*project, *ALWAYS_COPIED, *index.records}
    paths = sorted({*stated, *index.records, *project})
    _refuse_links_out(paths)
    inside = [(path, on_this_machine(path)) for path in paths if not leads_out(path)]
    found = {path: sha256(place) for path, place in inside if place.is_file()}
    no_files = {path for path, place in inside if path not in found and place.exists()}
    _refuse_differences(index, stated, found, no_files)
    entries = dvc_entries()
    files = {}
    for path in paths:
        there = path in found
        size = on_this_machine(path).stat().st_size if there else None
        small = size is not None and size < copy_below and Path(path).suffix not in NEVER_COPIED
        holder = entry_of(path, entries)
        files[path] = CrateFile(
            path=path,
            sha256=found[path] if there else next(iter(stated[path].values())),
            size=size,
            copied=there and not is_named_outside(path) and (small or path in whole),
            place=holder.place if holder else "",
        )
    return files


def _refuse_links_out(paths: Sequence[str]) -> None:
    """Raises a LotusError where a file of the project is a link out of it: that file is not shared."""
    for path in paths:
        if not is_named_outside(path) and (how := leads_out(path)):
            raise LotusError(f"{shown(path)}: {how}; nothing is exported: {HOW_TO_ALLOW}")


def _stated_digests(index: Index) -> dict[str, dict[str, str]]:
    """Path → record → the digest that this record states of it; the one that wrote it first."""
    stated: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for record in index.records.values():
        for path, digest in record.outputs.items():
            stated[path][record.path] = digest
    for record in index.records.values():
        for path, digest in record.inputs.items():
            stated[path][record.path] = digest
    return dict(stated)


def _refuse_differences(
    index: Index,
    stated: Mapping[str, Mapping[str, str]],
    found: Mapping[str, str],
    no_files: Collection[str],
) -> None:
    problems = [f"{r.path}: {r.problem}" for r in index.records.values() if r.problem]
    differences = (
        f"{path}: cannot be read as a file"
        if path in no_files
        else _difference(path, statements, found.get(path))
        for path, statements in sorted(stated.items())
    )
    problems += filter(None, differences)
    if problems:
        listed = "\n  ".join(map(shown, problems))
        raise LotusError(f"files and records disagree, so nothing is exported:\n  {listed}")


def _difference(path: str, statements: Mapping[str, str], found: str | None) -> str:
    """Returns what is wrong with a file, else ''; an absent one can be named by its recorded digest."""
    if found is not None:
        against = [record for record, digest in statements.items() if digest != found]
        return (
            f"{path}: its bytes are not those that {_first_and_number(against)} states"
            if against
            else ""
        )
    if layout.is_record(Path(path)):
        return f"{path}: this record is missing, and {_first_and_number(list(statements))} names it"
    return (
        f"{path}: is missing, and records state different bytes of it"
        if len(set(statements.values())) > 1
        else ""
    )


def _first_and_number(records: Sequence[str]) -> str:
    more = f" (and {len(records) - 1} more)" if len(records) > 1 else ""
    return f"{records[0]}{more}"
