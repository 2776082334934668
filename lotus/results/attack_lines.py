"""What membership attacks found, and where they could not be run: a line for every row and attack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lotus.results.attacks import load_attacks, load_klom, read_attacks
from lotus.results.collapsed import COLLAPSED_SEEDS, in_words
from lotus.results.metrics import COLLAPSED
from lotus.results.metrics_file import KEYS

COUNTS = ("images", "reference_models", "others", "left_out", "seeds")
"""Columns of whole numbers, which stay such beside lines that have none."""
NOT_ONE = "every model of this row collapsed"


def every_attack(files: Sequence[Path]) -> pd.DataFrame:
    """As `load_attacks`, with a line too for each row on which an attack of its file could not be run.

    It has no numbers, and `why` says what it lacked. `collapsed` counts the models of the row that are of
    no use and in no mean, `collapsed_seeds` names their seeds (of shadow models: their numbers).

    Raises:
        LotusError: a file is absent or not one of attacks.

    """
    parts = [_of_file(path) for path in files]
    return pd.concat([part for part in parts if len(part)] or [load_attacks([])], ignore_index=True)


def _of_file(path: Path) -> pd.DataFrame:
    content = read_attacks(path)
    rows = content["rows"]
    attacks = dict.fromkeys(name for of_row in rows.values() for name in of_row)
    ran = load_attacks([path])
    every = pd.MultiIndex.from_product([[*rows], [*attacks]], names=["row", "attack"])
    found = ran.astype(dict.fromkeys(COUNTS, "Int64")).set_index(["row", "attack"]).reindex(every)
    found["seeds"] = found["seeds"].fillna(0)
    found["why"] = [rows[row].get(attack, {"why": NOT_ONE})["why"] for row, attack in every]
    for key in KEYS:
        found[key] = content[key]
    return _with_collapsed(found.reset_index(), content)[[*ran, COLLAPSED, COLLAPSED_SEEDS]]


def klom_lines(files: Sequence[Path]) -> pd.DataFrame:
    """As `load_klom`, with `collapsed` and `collapsed_seeds` as `every_attack` has them.

    Raises:
        LotusError: a file is absent or not one of attacks.

    """
    parts = [_with_collapsed(load_klom([path]), read_attacks(path)) for path in files]
    return pd.concat([part for part in parts if len(part)] or [load_klom([])], ignore_index=True)


def _with_collapsed(lines: pd.DataFrame, content: dict[str, Any]) -> pd.DataFrame:
    fallen = [content["collapsed"].get(row, {}) for row in lines["row"]]
    counts, named = [len(of) for of in fallen], [in_words(map(int, of)) for of in fallen]
    return lines.assign(**{COLLAPSED: counts, COLLAPSED_SEEDS: named})
