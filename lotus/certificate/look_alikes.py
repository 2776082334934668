"""Retain images that look like forgotten ones: what a model still learns of them was not forgotten."""

import numpy as np

from lotus.certificate.form import LookAlike
from lotus.config.scenarios import ALIKE_WITHIN
from lotus.data.store import Store, read_names

LISTED = 200
"""Pairs that a certificate lists; it counts them all."""


def find_look_alikes(
    store: Store, hashes: np.ndarray, forget: np.ndarray, retain: np.ndarray
) -> tuple[int, list[LookAlike]]:
    """Returns how many pairs of a forgotten and a kept image look alike, and the nearest of them.

    Their perceptual hashes differ in at most `ALIKE_WITHIN` bits of 64.

    Args:
        hashes: of all images of the store, uint64 `[n]`.
        forget: indices into the store, int64 `[f]`.
        retain: indices into the store, int64 `[r]`.

    """
    found: list[tuple[int, int, int]] = []
    for image in forget.tolist():
        bits = np.bitwise_count(hashes[retain] ^ hashes[image])
        found += [
            (int(bits[place]), image, int(retain[place]))
            for place in np.flatnonzero(bits <= ALIKE_WITHIN)
        ]
    found.sort()
    names = read_names(store)
    return len(found), [
        LookAlike(
            forgotten=forgotten,
            kept=kept,
            kept_name="" if names is None else names.names[kept],
            bits=bits,
            same_pixels=bool(np.array_equal(store.images[forgotten], store.images[kept])),
        )
        for bits, forgotten, kept in found[:LISTED]
    ]
