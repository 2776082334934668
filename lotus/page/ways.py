"""The way back from a number of the page: its formula, its value over the seeds, and what it rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from lotus.layout import GOLD
from lotus.predictions.collapse import outcome


@dataclass(frozen=True)
class Formula:
    """How a number is computed.

    Attributes:
        title: what it is called.
        words: a sentence or two.
        symbols: the same in symbols, as `MetricSpec.symbols`; '' where there are none.
        notes: what is otherwise here, a sentence each.

    """

    title: str
    words: str
    symbols: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeedValue:
    """The value for one seed.

    Attributes:
        left_out: why it counts in no mean; else ''.

    """

    seed: int
    text: str
    left_out: str = ""


@dataclass(frozen=True)
class ForgetSetKey:
    """Which forget set: the one that a scenario has in a data set, for a seed."""

    dataset: str
    scenario: str
    seed: int


@dataclass(frozen=True)
class Basis:
    """The files that a number rests on.

    Attributes:
        records: paths of the records of the steps, the last step first.
        files: files that no step wrote.
        forgotten: the forget sets behind it.

    """

    records: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    forgotten: tuple[ForgetSetKey, ...] = ()


@dataclass(frozen=True)
class Cell:
    """The number in its table, as `lotus lineage` asks for it; without a row the whole file."""

    path: str
    row: str = ""
    column: str = ""
    where: str = ""


@dataclass(frozen=True)
class Way:
    """The way back from one number.

    Attributes:
        row: whose number it is.
        where: the benchmark in words, or whatever else it is of.
        stated: how it is made of the values of the seeds; '' where it is of no seeds.

    """

    formula: Formula
    row: str
    where: str
    basis: Basis
    stated: str = ""
    seeds: tuple[SeedValue, ...] = ()
    cell: Cell | None = None


MEAN = "Mean ± standard deviation (n − 1) over the seeds."
"""How most numbers are made of the values of the seeds."""


def of_seeds(
    seeds: Iterable[int], values: Iterable[float], left_out: Iterable[str], decimals: int
) -> tuple[SeedValue, ...]:
    """Returns values seed by seed, as they are printed; a dash where there is none."""
    return tuple(
        SeedValue(int(seed), "–" if pd.isna(value) else f"{value:.{decimals}f}", why)
        for seed, value, why in zip(seeds, values, left_out, strict=True)
    )


def seeds_by_row(
    frame: pd.DataFrame, values: Iterable[float], against_gold: bool, decimals: int
) -> dict[str, tuple[SeedValue, ...]]:
    """Returns row → its values seed by seed.

    Args:
        frame: of all rows of one cell.
        values: along its lines.
        against_gold: whether a value is measured against the gold model of its seed.

    """
    every = of_seeds(frame["seed"], values, _why_left_out(frame, against_gold), decimals)
    found: dict[str, list[SeedValue]] = {}
    for row, each in zip(frame["row"].tolist(), every, strict=True):
        found.setdefault(row, []).append(each)
    return {row: tuple(of_row) for row, of_row in found.items()}


def _why_left_out(frame: pd.DataFrame, against_gold: bool) -> Sequence[str]:
    """Returns for each line why its value counts in no mean; '' where it counts."""
    rows, seeds, collapsed = (frame[name].tolist() for name in ("row", "seed", "collapsed"))
    every = zip(rows, seeds, collapsed, strict=True)
    golds = {seed: why for row, seed, why in every if against_gold and row == GOLD and why}
    return [
        outcome(own) if own else f"its gold model collapsed: {golds[seed]}" if seed in golds else ""
        for own, seed in zip(collapsed, seeds, strict=True)
    ]
