"""Single images of a store as a list of them has to state them: name, digest, class, columns."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lotus.data.store import Store, read_names
from lotus.errors import LotusError


@dataclass(frozen=True)
class NamedImage:
    """One image of a store.

    Attributes:
        id: its place in the store, from 0.
        name: its path from the data set's folder on; '' where the data set has no names.
        sha256: of its file; where the data set has no names, of its pixels (uint8 `[H, W, C]`).
        label: name of its class.
        columns: column of the user's list → its text.

    """

    id: int
    name: str
    sha256: str
    label: str
    columns: Mapping[str, str]


def named_images(store: Store, indices: np.ndarray) -> list[NamedImage]:
    """Returns images of a store, in the order of the indices (int64 `[n]`).

    Raises:
        LotusError: an index is outside the store, or its names are damaged.

    """
    names = read_names(store)
    outside = [at for at in indices.tolist() if not 0 <= at < len(store.labels)]
    if outside:
        raise LotusError(
            f"{store.folder}: has no image {outside[0]}; accepted: 0 to {len(store.labels) - 1}"
        )
    return [
        NamedImage(
            id=at,
            name="" if names is None else names.names[at],
            sha256=_digest_of(store.images[at]) if names is None else names.sha256[at],
            label=store.classes[store.labels[at]],
            columns={}
            if names is None
            else {name: values[at] for name, values in names.columns.items()},
        )
        for at in indices.tolist()
    ]


def _digest_of(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
