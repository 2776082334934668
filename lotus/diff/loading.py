"""One side of a comparison: the metrics and records of a folder, or of a commit they were published in."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.git import git, why_none
from lotus.names import shown
from lotus.records.forms import Digest, FilePath, Number, RecordForm, first_misfit
from lotus.records.index import Index
from lotus.records.places import leads_out
from lotus.records.reading import Record, parse_record
from lotus.results.metrics_file import KEYS, parse_metrics

ACCEPTED = "accepted: a project's folder, its folder results, or a commit, branch or tag"


class _Predictions(RecordForm):
    path: FilePath
    sha256: Digest


class _MetricsForm(RecordForm):
    """The form that a metrics file has to have for its numbers to be compared."""

    dataset: str
    architecture: str
    scenario: str
    study: str = ""
    protocol: str
    seed: int
    rows: dict[str, dict[str, bool | Number | str | None]]
    predictions: dict[str, _Predictions]


@dataclass(frozen=True)
class MetricsFile:
    """The numbers of one scenario, protocol, study and seed.

    Attributes:
        sha256: of the file's bytes.
        content: as `lotus evaluate` wrote it; `study` is '' for none.

    """

    sha256: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the two sets of results; all paths are relative to its project.

    Attributes:
        name: as it was asked for.
        place: what that is: `folder`, or `commit` and its digest.
        metrics: by path.
        index: of the records.

    """

    name: str
    place: str
    metrics: Mapping[str, MetricsFile]
    index: Index

    @property
    def title(self) -> str:
        """The name, and what it stands for."""
        return f"{self.name} ({self.place})"


def open_side(name: str) -> Side:
    """The metrics and records of a folder or of a revision of the present project.

    A folder wins over a revision of the same name.

    Raises:
        LotusError: it is neither, has no metrics, or a metrics file is damaged.

    """
    folder = Path(name)
    if os.path.isdir(folder):
        files = _read_folder(_results_of(folder), folder)
        return _side(name, "folder", files, "run an experiment first")
    commit = _commit(name)
    return _side(
        name,
        f"commit {commit[:10]}",
        _read_commit(commit),
        "that commit tracks no results (`snakemake publish`, then a commit, adds them)",
    )


def _side(name: str, place: str, files: Iterable[tuple[Path, bytes]], otherwise: str) -> Side:
    metrics: dict[str, MetricsFile] = {}
    records: dict[str, Record] = {}
    places: dict[tuple[Benchmark, int], str] = {}
    for path, text in files:
        if layout.is_record(path):
            records[path.as_posix()] = parse_record(path, text)
            continue
        try:
            content = _content(path, text)
        except LotusError as error:
            raise LotusError(f"{name} ({place}): {error}") from error
        of = Benchmark(**{key: content[key] for key in KEYS}), content["seed"]
        first = places.setdefault(of, path.as_posix())
        if first != path.as_posix():
            raise LotusError(
                f"{name} ({place}): {shown(path)} and {shown(first)} both say that they are of "
                f"{shown(of[0].name)}, seed {of[1]}"
            )
        metrics[path.as_posix()] = MetricsFile(hashlib.sha256(text).hexdigest(), content)
    if not metrics:
        raise LotusError(f"{name} ({place}): has no metrics in {layout.RESULTS}: {otherwise}")
    return Side(name, place, metrics, Index(records))


def _content(path: Path, text: bytes) -> Mapping[str, Any]:
    """The content of a metrics file.

    Raises:
        LotusError: it is none.

    """
    try:
        parse_json(text)
        content = parse_metrics(path, text)
        _MetricsForm.model_validate(content)
    except ValidationError as error:
        raise LotusError(f"{shown(path)}: is not a metrics file: {first_misfit(error)}") from error
    except ValueError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error}") from error
    return content


def _wanted(path: Path) -> bool:
    """Whether a file is a record or one of metrics (`layout.metrics_file`)."""
    if path.suffix != ".json":
        return False
    of_metrics = len(path.parts) == 7 and path.name.startswith("metrics")
    return of_metrics or layout.is_record(path)


def _results_of(folder: Path) -> Path:
    """The folder `results` of a project, or the folder itself if it is such a one."""
    if (folder / layout.RESULTS).is_dir():
        return folder / layout.RESULTS
    if next(folder.glob("*/*/seed*/*/*/metrics*.json"), None) is None:
        raise LotusError(
            f"{folder}: is neither a project with {layout.RESULTS} nor a folder of results; {ACCEPTED}"
        )
    return folder


def _read_folder(results: Path, root: Path) -> Iterator[tuple[Path, bytes]]:
    for folder, inner, names in os.walk(results):
        inner.sort()
        here = layout.RESULTS / Path(folder).relative_to(results)
        for name in sorted(names):
            if _wanted(here / name):
                if how := leads_out(Path(folder, name), root):
                    raise LotusError(f"{shown(f'{folder}/{name}')}: {how}")
                try:
                    yield here / name, read_file(Path(folder, name))
                except OSError as error:
                    path = shown(f"{folder}/{name}")
                    raise LotusError(f"{path}: cannot be read: {error.strerror}") from error


def _commit(name: str) -> str:
    """The commit that a revision names."""
    if problem := why_none():
        raise LotusError(
            f"{shown(name)}: there is no such folder; for a commit of that name {problem}"
        )
    try:
        revision = ("--end-of-options", f"{name}^{{commit}}")
        return git("rev-parse", "--verify", "--quiet", *revision).decode().strip()
    except LotusError as error:
        raise LotusError(
            f"{shown(name)}: is neither a folder nor a revision of this repository; {ACCEPTED}"
        ) from error


def _read_commit(commit: str) -> Iterator[tuple[Path, bytes]]:
    listed = git("ls-tree", "-r", "-z", commit, "--", str(layout.RESULTS))
    blobs = {}
    for line in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        about, _, path = line.partition("\t")
        if _wanted(Path(path)):
            blobs[Path(path)] = about.split()[2]
    yield from zip(blobs, _contents(commit, list(blobs.values())), strict=True)


def _contents(commit: str, blobs: list[str]) -> Iterator[bytes]:
    """Returns the bytes that git stores under these digests, in their order."""
    said = git("cat-file", "--batch", stdin="\n".join(blobs).encode())
    start = 0
    for blob in blobs:
        end = said.find(b"\n", start)
        head = said[start:end].split()
        if head[1:2] != [b"blob"]:
            raise LotusError(f"commit {commit}: git lacks the object {blob}; fetch it")
        start = end + 1 + int(head[2])
        yield said[end + 1 : start]
        start += 1
