"""Which models of a row have collapsed, in words: counted, and named by their seeds."""

from collections.abc import Iterable, Sequence

import pandas as pd

from lotus.results.titles import row_title, titled
from lotus.wording import all_of, counted, first_of

COLLAPSED_SEEDS = "collapsed_seeds"
"""Column that names the seeds which `collapsed` counts: `seed 13`, `seeds 12 and 13`; '' of none."""


def in_words(seeds: Iterable[int]) -> str:
    """Gives `seed 13`, `seeds 12 and 13`, each once; '' of none."""
    named = [*map(str, dict.fromkeys(seeds))]
    if not named:
        return ""
    return f"{'seeds' if named[1:] else 'seed'} {all_of(named)}"


def in_seeds(seeds: Sequence[object], n: int, most: int | None = None) -> str:
    """Gives `in 2 of 3 seeds (12 and 13)`.

    Args:
        most: so many are named at most; None for all.

    """
    names = [*map(str, seeds)]
    few = most is None or len(names) <= most
    named = all_of(names) if few else first_of(names, most or 0)
    return f"in {len(names)} of {counted(n, 'seed')} ({named})"


def titled_by_seed(row: str, collapsed: int, n: int, seeds: str) -> str:
    """A row's name, how many of its `n` models have collapsed, if any, and of which seeds.

    Args:
        seeds: as `in_words` gives them.

    """
    title = titled(row, collapsed, n)
    return f"{title}: {seeds}" if seeds else title


def titled_without(row: str, seeds: str) -> str:
    """A row's name, and of which seeds its numbers lack the collapsed models, if there are such.

    Args:
        seeds: as `in_words` gives them.

    """
    return f"{row_title(row)} (without {seeds}, collapsed)" if seeds else row_title(row)


def seeds_of(fallen: pd.DataFrame, by: Sequence[str], index: pd.Index) -> pd.Series:
    """Key → the seeds of its collapsed models, in words.

    Args:
        fallen: lines of collapsed models.
        by: columns of the key.
        index: keys that are asked for.

    """
    # As objects: of no lines a column of numbers could not be filled with words.
    seeds = fallen.astype({"seed": object}).groupby([*by], sort=False)["seed"]
    named = seeds.agg(in_words).astype(object)
    return named.reindex(index, fill_value="").rename(COLLAPSED_SEEDS)
