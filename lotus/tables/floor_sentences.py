"""Sentences on the floor: which methods cannot be told from retraining, and where nothing can be ranked."""

from collections.abc import Sequence
from math import isnan

import pandas as pd

from lotus.layout import GOLD, REFERENCES
from lotus.results.conventions import Form
from lotus.results.floor import column, floor_in, inside_floor
from lotus.results.metrics import needs_gold
from lotus.results.titles import row_title
from lotus.wording import all_of

UNKNOWN = (
    "How far another gold is from gold is not known here (no further golds; gold_seeds adds some), so no "
    "difference between methods can be held against it."
)


def floor_sentences(numbers: pd.DataFrame, forms: Sequence[Form]) -> list[str]:
    """Returns what the floor says of the methods of a cell, a sentence for each distance to gold.

    Args:
        numbers: as `summarise` gives them.
        forms: of the metrics that are asked for; those that are no distance to gold are left out.

    """
    to_gold = [form for form in forms if needs_gold(form.metric)]
    if GOLD not in numbers.index or not to_gold:
        return []
    said = [_sentence(numbers, form) for form in to_gold]
    return said if any(said) else [UNKNOWN]


def _sentence(numbers: pd.DataFrame, form: Form) -> str:
    floor = floor_in(numbers, form.metric)
    methods = numbers.drop(index=[*REFERENCES], errors="ignore")[
        column(numbers, form.metric)
    ].dropna()
    if isnan(floor) or methods.empty:
        return ""
    stated = f"{floor * form.scale:.{form.decimals}f}"
    inside = inside_floor(numbers, form.metric)
    if not inside:
        return f"{form.title}: another gold is {stated} from gold; every method is farther."
    if len(inside) == len(methods):
        stands = f"another gold is {stated} from gold, and no method is farther"
        return f"{form.title} cannot rank here: {stands}."
    named = all_of([row_title(row) for row in inside])
    stands = (
        f"{form.title} cannot rank the best here: another gold is {stated} from gold, and {named}"
    )
    if len(inside) == 1:
        return (
            f"{stands} is not farther: by this measure it cannot be told from retraining. A method that is "
            "clearly farther may still be told from it."
        )
    return (
        f"{stands} are not farther. They have no rank against each other; a method that is clearly farther "
        "may still be told from them."
    )
