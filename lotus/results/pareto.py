"""Finds the candidates that are worth considering when two things count."""

import numpy as np


def non_dominated(points: np.ndarray, unranked: np.ndarray | None = None) -> np.ndarray:
    """Returns which points no other point dominates; lower is better in every column.

    A point dominates another if it is nowhere worse and somewhere better, so of equal points none
    dominates the other. A point with a NaN is never among them and dominates nothing.

    Args:
        points: float `[n, columns]`.
        unranked: bool `[n]`: points of which none dominates another of them; by default none is such.

    Returns:
        bool `[n]`.

    """
    # The first axis is of the points that dominate, the second of those that are dominated.
    nowhere_worse = np.all(points[:, None] <= points[None], axis=2)
    somewhere_better = np.any(points[:, None] < points[None], axis=2)
    dominates = nowhere_worse & somewhere_better
    if unranked is not None:
        dominates &= ~(unranked[:, None] & unranked[None])
    dominated = np.any(dominates, axis=0)
    found: np.ndarray = ~dominated & ~np.isnan(points).any(axis=1)
    return found
