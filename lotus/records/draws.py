"""Which runs are drawn to be made again, and the chance that such a draw misses forged ones."""

import hashlib
from collections.abc import Iterable
from fractions import Fraction
from math import ceil, comb

SHARES = ("0.01", "0.05", "0.1", "0.25", "0.5")
"""Shares of forged runs for which the chance to miss all of them is stated."""


def draw(population: Iterable[str], count: int, seed: int) -> list[str]:
    """Returns `count` different names of a population, or all of it if there are fewer.

    They are those whose sha256 of "SEED/NAME" is the smallest, so that anybody can draw them again.
    """
    ranks = {name: hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in population}
    return sorted(ranks, key=lambda name: ranks[name])[:count]


def chance_to_miss(population: int, drawn: int, forged: int) -> float:
    """Returns the probability that a draw without replacement holds none of the forged (hypergeometric)."""
    return float(Fraction(comb(population - forged, drawn), comb(population, drawn)))


def chances(population: int, drawn: int) -> list[dict[str, float | int]]:
    """Returns, for each of `SHARES`, the chance to miss all forged runs.

    `share`; `forged`: the number of runs that it comes to, rounded up; `missed`: the chance of this draw,
    without replacement; `with_replacement`: (1 - share) ** drawn, which is that of an endless population.
    """
    return [
        {
            "share": float(share),
            "forged": (forged := ceil(Fraction(share) * population)),
            "missed": round(chance_to_miss(population, drawn, forged), 6),
            "with_replacement": round((1 - float(share)) ** drawn, 6),
        }
        for share in SHARES
    ]
