"""Retain images that look like forgotten ones: what a model still learns of them was not forgotten."""

import numpy as np

from lotus.certificate.form import LookAlike
from lotus.data.hashes import hash_store
from lotus.data.store import Store

WITHIN = 4
"""Bits of 64: images whose perceptual hashes differ in no more look alike to most people."""
LISTED = 200
"""Pairs that a certificate lists; it counts them all."""


def find_look_alikes(
    store: Store, forget: np.ndarray, retain: np.ndarray, workers: int, within: int = WITHIN
) -> tuple[int, list[LookAlike]]:
    """Returns how many pairs of a forgotten and a kept image look alike, and the nearest of them.

    Args:
        forget: indices into the store, int64 `[f]`.
        retain: indices into the store, int64 `[r]`.
        workers: processes that hash; the result does not depend on them.
        within: bits of 64 in which perceptual hashes may differ.

    """
    hashes = hash_store(store, workers)
    found: list[tuple[int, int, int]] = []
    for image in forget.tolist():
        bits = np.bitwise_count(hashes[retain] ^ hashes[image])
        found += [
            (int(bits[place]), image, int(retain[place]))
            for place in np.flatnonzero(bits <= within)
        ]
    found.sort()
    return len(found), [_pair(store, *pair) for pair in found[:LISTED]]


def _pair(store: Store, bits: int, forgotten: int, kept: int) -> LookAlike:
    same = bool(np.array_equal(store.images[forgotten], store.images[kept]))
    return LookAlike(forgotten=forgotten, kept=kept, kept_name="", bits=bits, same_pixels=same)
