"""How far gold is from gold: further gold models, scored as a method is.

A method that comes as near to gold as another retraining does cannot be told from retraining by that
distance: this is the floor under it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lotus.errors import LotusError
from lotus.layout import GOLD, GOLD_AGAIN
from lotus.metrics.base import registry
from lotus.metrics.base.check import check_row
from lotus.metrics.base.scoring import SPLITS
from lotus.predictions.predictions_file import ATTACKED, Predictions, Split
from lotus.wording import counted

HALVES = ("val", "test")
"""Splits that each seed makes of the held-out images in its own way."""


def dealt_as(further: Predictions, gold: Predictions, name: str) -> dict[str, Split]:
    """Predictions of a further gold, image by image in the splits of this seed's gold.

    The gold of another seed was asked about the same held-out images, halved otherwise: they are dealt
    anew. Such a gold chose its best epoch on its own validation half, of which some images are test images
    here; so it can be a hair nearer to them than a gold that never saw them.

    Args:
        name: of the further gold, for messages.

    Raises:
        LotusError: it was retrained for another forget set or asked about other images; names the split.

    """
    check_row(name, further, SPLITS)
    for split in ("forget", "retain"):
        mine, theirs = gold[split].indices, further[split].indices
        if not np.array_equal(np.sort(mine), np.sort(theirs)):
            lacking = len(np.setdiff1d(mine, theirs))
            raise LotusError(
                f"{name}: its {split} images are not those of {GOLD} ({counted(lacking, 'image')} of "
                f"{len(mine)} missing); accepted: golds that were retrained for the same forget set"
            )
    found = {}
    for before in ("", ATTACKED):
        if not all(f"{before}{split}" in further for split in SPLITS):
            continue
        held_out = _together(*(further[f"{before}{half}"] for half in HALVES))
        for split in SPLITS:
            said = held_out if split in HALVES else further[f"{before}{split}"]
            try:
                found[f"{before}{split}"] = said.at(gold[split].indices)
            except LotusError as error:
                raise LotusError(f"{name}: split '{split}' of {GOLD}: {error}") from error
    return found


def _together(*splits: Split) -> Split:
    parts = ("logits", "labels", "indices")
    return Split(*(np.concatenate([getattr(of, part) for of in splits]) for part in parts))


def with_floor(
    rows: Mapping[str, Mapping[str, Any]], golds: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The rows of `score_all` with `gold-again` after gold: of each column the mean over further golds.

    A column is None where one of them has no value. The row has collapsed where one of them has.

    Args:
        golds: their numbers by name, as `score_all` gives a method's; one at least.

    """
    columns = {
        column: _mean([scores[column] for scores in golds.values()])
        for column in registry.columns()
    }
    floor = {
        **columns,
        "same_as_original": all(scores["same_as_original"] for scores in golds.values()),
        "collapsed": "; ".join(
            f"{name}: {scores['collapsed']}"
            for name, scores in golds.items()
            if scores["collapsed"]
        ),
    }
    found: dict[str, dict[str, Any]] = {}
    for row, scores in rows.items():
        found[row] = dict(scores)
        if row == GOLD:
            found[GOLD_AGAIN] = floor
    return found


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
