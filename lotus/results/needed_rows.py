"""Which models a number rests on: the rows of a metrics file whose predictions it is computed from."""

from collections.abc import Sequence

from lotus.layout import GOLD, ORIGINAL
from lotus.results.metrics import measured_against
from lotus.results.quantities import CORRELATION, TERM_OF_GAP

OF_ALL_ROWS = ("points", "rows", "pearson", "spearman", CORRELATION)
"""Metrics of a whole table begin with these."""


def rows_needed(metric: str, row: str, rows: Sequence[str]) -> list[str]:
    """Rows of a metrics file whose predictions a row's metric is computed from.

    Args:
        metric: in whichever convention.
        row: '' for a number of the whole table.
        rows: of the file, in its order.

    """
    if metric.startswith(OF_ALL_ROWS) or not row:
        return list(rows)
    needed = [row, *measured_against(metric)]
    if metric in TERM_OF_GAP:
        needed.append(GOLD)
    if row == ORIGINAL:
        # Which of its predictions are of forget and retain images, another model's say.
        others = [name for name in rows if name != ORIGINAL]
        needed += [GOLD] if GOLD in others else others[:1]
    return list(dict.fromkeys(needed))
