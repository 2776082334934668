"""Which models a number rests on: the rows of a metrics file whose predictions it is computed from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.results.collapsed import COLLAPSED_SEEDS
from lotus.results.floor import IN_FLOORS
from lotus.results.metrics import COLLAPSED, measured_against
from lotus.results.quantities import CORRELATION, TERM_OF_GAP

OF_ALL_ROWS = ("points", "rows", "pearson", "spearman", CORRELATION)
"""Metrics of a whole table begin with these."""


def predictions_read(settings: Mapping[str, Any], inputs: Iterable[str]) -> dict[str, str]:
    """Row, or name of a further gold, → predictions, by the record of a metrics file."""
    return dict(zip([*settings["rows"], *settings.get("golds", [])], inputs, strict=True))


def rows_needed(metric: str, row: str, rows: Sequence[str], golds: Sequence[str] = ()) -> list[str]:
    """Rows of a metrics file whose predictions a row's metric is computed from.

    Args:
        metric: in whichever convention.
        row: '' for a number of the whole table.
        rows: of the file, in its order, further golds among them.
        golds: names of the further golds.

    """
    if metric == COLLAPSED_SEEDS:
        metric = COLLAPSED
    if metric.startswith(OF_ALL_ROWS) or not row:
        return list(rows)
    needed = [row, *measured_against(metric)]
    if row == GOLD_AGAIN:
        needed = [*golds, GOLD, *measured_against(metric)]
    elif metric.endswith(IN_FLOORS):
        needed += [GOLD, *golds]
    if metric in TERM_OF_GAP:
        needed.append(GOLD)
    if row == ORIGINAL:
        # Which of its predictions are of forget and retain images, another model's say.
        others = [name for name in rows if name != ORIGINAL]
        needed += [GOLD] if GOLD in others else others[:1]
    return list(dict.fromkeys(needed))
