"""Which forgotten images a model still remembers, by the scores of an attack."""

from dataclasses import dataclass

import pandas as pd

from lotus import layout
from lotus.errors import LotusError, choices
from lotus.names import shown
from lotus.results.attack_scores import ScoresFile
from lotus.results.titles import row_title
from lotus.wording import counted

TOP = 0.95
"""Share of the others that an image outdoes to be counted in the first line of `in_words`."""


@dataclass(frozen=True)
class Remembered:
    """One forget image.

    Attributes:
        image: its index in the store.
        outdone: mean over the seeds of the share of the others that it outdoes.
        seeds: how many models it is a mean over.

    """

    image: int
    outdone: float
    seeds: int


def remembered(scores: ScoresFile, row: str, attack: str) -> list[Remembered]:
    """Returns the forget images, those first that outdo most of what they are held against.

    Raises:
        LotusError: there is no such row, or the attack could not be run on it.

    """
    parts = [name.split("/") for name in scores.arrays]
    rows = dict.fromkeys(part[0] for part in parts)
    if row not in rows:
        raise LotusError(f"row '{shown(row)}': {choices(row, rows)}")
    attacks = dict.fromkeys(part[1] for part in parts if part[0] == row)
    if attack not in attacks:
        raise LotusError(f"--attack {shown(attack)}: {choices(attack, attacks)}")
    seeds = dict.fromkeys(part[2] for part in parts if part[:2] == [row, attack])
    lines = [
        pd.DataFrame(
            {key: scores.arrays[f"{row}/{attack}/{seed}/{key}"] for key in ("images", "outdone")}
        )
        for seed in seeds
    ]
    shares = pd.concat(lines).dropna().groupby("images")["outdone"].agg(["mean", "size"])
    ordered = shares.sort_values("mean", ascending=False, kind="stable")
    return [
        Remembered(int(image), float(line["mean"]), int(line["size"]))
        for image, line in ordered.iterrows()
    ]


def in_words(scores: ScoresFile, row: str, attack: str, most: int) -> list[str]:
    """Returns the `most` first images of `remembered`, a line each, below how many outdo nearly all others.

    Raises:
        LotusError: see `remembered`.

    """
    images = remembered(scores, row, attack)
    above = sum(of.outdone > TOP for of in images)
    shown_first = images[:most]
    return [
        f"{row_title(row)}, {attack}: {above} of {counted(len(images), 'forgotten image')} outdo "
        f"{TOP:.0%} of what they are held against (by chance {1 - TOP:.0%} do with one seed, and fewer "
        "in the mean of several)",
        *(
            f"  {place_of(scores.dataset, of.image)}  outdoes {of.outdone:6.1%}  "
            f"({counted(of.seeds, 'seed')})"
            for of in shown_first
        ),
    ]


def place_of(dataset: str, image: int) -> str:
    """An image as `lotus impact` takes it."""
    return f"{(layout.STORES / dataset).as_posix()}:{image}"
