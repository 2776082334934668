"""What a measure says of models whose truth is known, and how likely golds are to be as high."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lotus.results.power import CALIBRATING, GROUPS

OfGroups = dict[str, list[float]]


@dataclass(frozen=True)
class Alarms:
    """A measure on all models.

    Attributes:
        label: its name for readers.
        values: group → its numbers, the higher, the less a model looks like a gold.
        p: group of models that are tried → for each number the probability, at most, of one as high if the
            model were a gold.

    """

    label: str
    values: OfGroups
    p: OfGroups


def ranked(label: str, values: Mapping[str, Sequence[float]]) -> Alarms:
    """A measure whose numbers are ranked among those of the calibrating golds.

    Args:
        values: group → numbers, those of the calibrating golds among them.

    """
    calibrating = np.asarray(values[CALIBRATING], dtype=float)
    p = {
        group: p_values(calibrating, np.asarray(values[group], dtype=float)).tolist()
        for group in GROUPS
    }
    return Alarms(label, {group: [*numbers] for group, numbers in values.items()}, p)


def p_values(calibrating: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of the golds, the model counted as one of them, whose number is as high or higher; `[m]`.

    Of a further gold this share is at most a with a probability of at most a, however the numbers are
    distributed, since it is as likely to be at any rank (conformal p-value; Vovk, Gammerman and Shafer
    2005).

    Args:
        calibrating: numbers of n golds; `[n]`.
        values: of the models that are judged; `[m]`.

    """
    as_high = (calibrating[None] >= values[:, None]).sum(axis=1)
    found: np.ndarray = (1 + as_high) / (1 + len(calibrating))
    return found
