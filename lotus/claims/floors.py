"""What the floor of gold leaves of a verdict: it ranks no rows that are no farther than another gold."""

from collections.abc import Iterable, Sequence

from lotus.claims.evidence import Evidence
from lotus.results.metrics import row_title

Floor = tuple[Sequence[tuple[str, float]], str]
"""Numbers that stand with a finding, and a sentence; '' where there is nothing to be said."""


def floor_of_ranking(cell: Evidence, metric: str, rows: Iterable[str]) -> Floor:
    """Returns the floor of a measure by which rows are ranked."""
    floor = cell.floor(metric)
    if floor is None:
        return (), ""
    inside = _inside(cell, metric, floor, rows)
    if not inside:
        return [("floor", floor)], ""
    mean, nearest = inside[0]
    said = (
        f"Another gold is as far from gold as {floor:.4g}, and the nearest row, {row_title(nearest)}, "
        f"{mean:.4g}: below that this measure ranks nothing."
    )
    return [("floor", floor)], said


def floor_of_correlation(cell: Evidence, rows: Sequence[str]) -> Floor:
    """Returns the floor of JSD, which RF-JSD is held against over the models of rows."""
    floor = cell.floor("jsd")
    if floor is None:
        return (), ""
    inside = _inside(cell, "jsd", floor, rows)
    if not inside:
        return [("floor", floor)], ""
    who = f"{len(inside)} of {len(rows)} rows {'is' if len(inside) == 1 else 'are'} no farther"
    if len(inside) == len(rows):
        who = "no row is farther"
    mean, nearest = inside[0]
    said = (
        f"By JSD {who} from gold than another gold ({floor:.4g}; the nearest: {row_title(nearest)}, "
        f"{mean:.4g}): below that JSD ranks nothing that RF-JSD could tell."
    )
    return [("floor", floor)], said


def _inside(
    cell: Evidence, metric: str, floor: float, rows: Iterable[str]
) -> list[tuple[float, str]]:
    """Returns mean and name of the rows that are not farther than the floor, the nearest first."""
    means = ((float(cell.of(row, metric).mean(skipna=False)), row) for row in rows)
    return sorted(found for found in means if found[0] <= floor)
