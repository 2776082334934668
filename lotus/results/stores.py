"""The data sets as the report shows them: what was taken from where, and what vouches for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StoreRow:
    """One image store.

    Attributes:
        name: in the configuration.
        source: data set that it is made from, as `lotus datasets` lists it.
        images: number by part.
        pixels: size and channels.
        normalisation: mean and deviation of each channel.
        checked_by: what vouches for the images.
        content: sha256 of pixels and labels.
        locked: the store is the one that `data.dvc` locks.

    """

    name: str
    source: str
    title: str
    version: str
    homepage: str
    licence: str
    selection: str
    images: Mapping[str, int]
    classes: int
    pixels: str
    normalisation: str
    checked_by: str
    content: str
    dvc: str
    locked: bool
    files: Sequence[Mapping[str, Any]]


def store_row(record: Mapping[str, Any]) -> StoreRow:
    """Returns what the record of a verified store says."""
    notes = record["notes"]
    source = notes["source"]
    height, width, channels = notes["shape"]
    return StoreRow(
        name=source["dataset"],
        source=source["source"],
        title=source["title"],
        version=source["version"],
        homepage=source["homepage"],
        licence=source["licence"],
        selection=source["selection"],
        images={part: end - first for part, (first, end) in source["parts"].items()},
        classes=notes["classes"],
        pixels=f"{width}×{height}, {'grey' if channels == 1 else f'{channels} channels'}",
        normalisation=f"{_written(source['mean'])}; {_written(source['std'])}",
        checked_by=source["checked_by"],
        content=source["content"],
        dvc=notes["dvc"],
        locked=record["notes"].get("locked") is not None,
        files=source["files"],
    )


def _written(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
