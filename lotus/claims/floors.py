"""What the floor of gold leaves of a verdict: it ranks no rows that are no farther than another gold."""

from collections.abc import Callable, Iterable, Sequence

from lotus.claims.evidence import Evidence
from lotus.results.titles import row_title

Floor = tuple[Sequence[tuple[str, float]], str]
"""Numbers that stand with a finding, and a sentence; '' where there is nothing to be said."""


def floor_of_ranking(cell: Evidence, metric: str, rows: Iterable[str]) -> Floor:
    """Returns the floor of a measure by which rows are ranked."""

    def say(floor: str, _: int, nearest: str, mean: str) -> str:
        return (
            f"Another gold is as far from gold as {floor}, and the nearest row, {nearest}, {mean}: below "
            "that this measure ranks nothing."
        )

    return _floor(cell, metric, rows, say)


def floor_of_correlation(cell: Evidence, rows: Sequence[str]) -> Floor:
    """Returns the floor of JSD, which RF-JSD is held against over the models of rows."""

    def say(floor: str, inside: int, nearest: str, mean: str) -> str:
        who = f"{inside} of {len(rows)} rows {'is' if inside == 1 else 'are'} no farther"
        if inside == len(rows):
            who = "no row is farther"
        return (
            f"By JSD {who} from gold than another gold ({floor}; the nearest: {nearest}, {mean}): below "
            "that JSD ranks nothing that RF-JSD could tell."
        )

    return _floor(cell, "jsd", rows, say)


def _floor(
    cell: Evidence, metric: str, rows: Iterable[str], say: Callable[[str, int, str, str], str]
) -> Floor:
    """Returns the floor of a measure, if it is known, and a sentence if rows are not farther.

    Args:
        say: makes the sentence of the floor, how many rows are not farther, the nearest of them, and its
            mean.

    """
    floor = cell.floor(metric)
    if floor is None:
        return (), ""
    means = ((float(cell.of(row, metric).mean(skipna=False)), row) for row in rows)
    inside = sorted(found for found in means if found[0] <= floor)
    if not inside:
        return [("floor", floor)], ""
    mean, nearest = inside[0]
    return [("floor", floor)], say(f"{floor:.4g}", len(inside), row_title(nearest), f"{mean:.4g}")
