"""Which pairs of images that look alike are shown: a few of some kinds, the paper's first."""

from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

KINDS = (
    *(("retain", "retain"), ("forget", "retain"), ("train", "train"), ("retain", "test")),
    *(("train", "test"), ("forget", "test"), ("forget", "forget"), ("train", "val")),
    *(("retain", "val"), ("forget", "val"), ("val", "test"), ("test", "test"), ("val", "val")),
)
"""Kinds of pair by their parts; the first `SHOWN` that there are get shown."""
SHOWN, EXAMPLES = 3, 3
"""Kinds of pair, and pairs of each."""
LOOKED_AT = 50
"""Images of each part of a group among which an example is sought."""

Member = tuple[int, str, int, int]
"""Index, part, label and hash of an image."""


def pairs_between(audit: Mapping[str, Any], first: str, second: str) -> int:
    """Number of pairs of similar images, one in each of two parts, or both in one.

    Args:
        audit: what `lotus duplicates` found, as JSON has it.

    """
    if first == second:
        return int(audit["parts"][first]["pairs"])
    across = audit["across"]
    return int(across.get(f"{first}-{second}", across.get(f"{second}-{first}")))


def shown_kinds(audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The kinds of pair that are shown."""
    known = audit["parts"]
    there = (kind for kind in KINDS if kind[0] in known and kind[1] in known)
    return list(islice((kind for kind in there if pairs_between(audit, *kind)), SHOWN))


def shown_pairs(audit: Mapping[str, Any], kind: tuple[str, str]) -> list[tuple[Member, Member]]:
    """The pairs of a kind that are shown: one from each of the first groups that have one."""
    return list(islice(_pairs(audit, kind), EXAMPLES))


def shown_images(audit: Mapping[str, Any]) -> list[int]:
    """Indices of the images of all pairs that are shown, ascending."""
    pairs = [pair for kind in shown_kinds(audit) for pair in shown_pairs(audit, kind)]
    return sorted({member[0] for pair in pairs for member in pair})


def _pairs(audit: Mapping[str, Any], kind: tuple[str, str]) -> Iterator[tuple[Member, Member]]:
    for group in audit["groups"]:
        hashes = (int(value, 16) for value in group["hashes"])
        members = list(zip(group["indices"], group["parts"], group["labels"], hashes, strict=True))
        first, second = (
            [member for member in members if member[1] == part][:LOOKED_AT] for part in kind
        )
        yield from islice(
            (
                (a, b)
                for a, b in product(first, second)
                if a[0] != b[0] and (a[3] ^ b[3]).bit_count() <= audit["distance"]
            ),
            1,
        )
