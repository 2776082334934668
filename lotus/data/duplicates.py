"""Finds images that look alike, by their perceptual hashes, and chooses those that cleaning keeps.

Images are similar if their hashes differ in at most `distance` of 64 bits; with distance 0, as in the
paper, they share a hash. Groups are the images that similar ones connect.

What cleaning keeps: no two similar images, one of each group. Which one:
* a test image before a validation image before a training image, so that nothing that is measured on
  is trained on, and no measurement loses images to the training set;
* a forget image before a retain image, else the retain set would still hold what is to be forgotten;
* within a part the first in data-set order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

PRIORITY = ("test", "val", "forget", "retain", "train")
"""Parts in the order in which cleaning prefers their images."""

BITS = 64


@dataclass(frozen=True)
class Similar:
    """The similar images among N.

    Attributes:
        hash_of: position of each image's hash among the U different ones, int64 `[N]`.
        near: pairs of different hashes that are similar, int64 `[M, 2]`.

    """

    hash_of: np.ndarray
    near: np.ndarray

    @property
    def _different(self) -> int:
        return int(self.hash_of.max(initial=-1)) + 1

    def groups(self) -> np.ndarray:
        """Group of each image, int64 `[N]`; groups are numbered by their first image."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        shape = (self._different, self._different)
        edges = coo_array((np.ones(len(self.near), bool), self.near.T), shape)
        component = connected_components(edges, directed=False)[1][self.hash_of]
        _, first, group = np.unique(component, return_index=True, return_inverse=True)
        numbered: np.ndarray = np.argsort(np.argsort(first))[group]
        return numbered

    def count_pairs(self, part: np.ndarray, parts: int) -> np.ndarray:
        """Pairs of similar images, from the sizes of groups alone.

        Args:
            part: number of each image's part, int64 `[N]`.
            parts: how many there are.

        Returns:
            int64 `[parts, parts]`, symmetric: within a part on the diagonal, across two elsewhere.

        """
        images = np.zeros((self._different, parts), np.int64)
        np.add.at(images, (self.hash_of, part), 1)
        left, right = self.near.T
        same, near = images.T @ images, images[left].T @ images[right]
        pairs: np.ndarray = same + near + near.T
        # Each of n·n counted an image with itself, and each pair twice.
        np.fill_diagonal(pairs, (np.diag(same) - images.sum(0)) // 2 + np.diag(near))
        return pairs


def find_similar(hashes: np.ndarray, distance: int) -> Similar:
    """The similar images among those with `hashes`, uint64 `[N]`."""
    different, hash_of = np.unique(hashes, return_inverse=True)
    return Similar(hash_of, _near(different, distance))


def _near(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Pairs of different hashes that differ in at most `distance` bits, int64 `[M, 2]`.

    Exact: cut into distance + 1 bands, two such hashes agree in at least one. Hashes that agree in a
    band are neighbours when sorted by it, and are compared all at once, one step apart, then two, ….
    """
    found = [np.zeros((0, 2), np.int64)]
    bands = _bands(distance + 1) if distance else []
    for number, band in enumerate(bands):
        order = np.argsort(hashes & band, kind="stable")
        values = hashes[order]
        left, step = np.arange(len(values) - 1), 1
        while len(left := left[left + step < len(values)]):
            differing = values[left] ^ values[left + step]
            agree = differing & band == 0
            left, differing = left[agree], differing[agree]
            close = np.bitwise_count(differing) <= distance
            for earlier in bands[:number]:
                # A pair is listed by the first band in which it agrees.
                close &= differing & earlier != 0
            pairs = np.stack([order[left[close]], order[left[close] + step]], axis=1)
            found.append(pairs)
            step += 1
    return np.concatenate(found)


def _bands(count: int) -> list[np.uint64]:
    """Masks that cut 64 bits into `count` runs of nearly equal length."""
    ends = np.linspace(0, BITS, count + 1).astype(int).tolist()
    return [np.uint64((1 << end) - (1 << first)) for first, end in pairwise(ends)]


def choose_kept(groups: np.ndarray, part: np.ndarray, parts: Sequence[str]) -> np.ndarray:
    """Returns which images cleaning keeps, bool `[N]`: one of each group (rule: see the module).

    Args:
        groups: group of each image, int64 `[N]`, in data-set order.
        part: number of each image's part, int64 `[N]`.
        parts: names of the parts, each of `PRIORITY`.

    """
    rank = np.array([PRIORITY.index(name) for name in parts], dtype=np.int64)[part]
    order = np.lexsort((rank, groups))
    is_first = np.diff(groups[order], prepend=-1) > 0
    kept = np.zeros(len(groups), bool)
    kept[order[is_first]] = True
    return kept


def distance_histogram(
    first: np.ndarray, second: np.ndarray, pairs: int, rng: np.random.Generator
) -> np.ndarray:
    """Counts the pairs of hashes that differ in 0, 1, …, 64 bits.

    Args:
        first, second: uint64 `[n]` and `[m]`; a pair has one of each.
        pairs: all n·m pairs are counted if they are no more, else so many, drawn with replacement.

    Returns:
        int64 `[65]`.

    """
    every, block = len(first) * len(second), 1 << 22
    histogram = np.zeros(BITS + 1, np.int64)
    for start in range(0, min(every, pairs), block):
        end = min(start + block, every, pairs)
        chosen = np.arange(start, end) if every <= pairs else rng.integers(every, size=end - start)
        left, right = np.divmod(chosen, len(second))
        differing = np.bitwise_count(first[left] ^ second[right])
        histogram += np.bincount(differing, minlength=BITS + 1)
    return histogram
