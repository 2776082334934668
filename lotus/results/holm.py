"""Many comparisons at one error: Holm's step-down correction."""

from collections.abc import Sequence

import numpy as np


def shares(p_values: Sequence[float], error: float) -> list[float]:
    """Returns at which error each of several tests is decided, so that all together err at `error`.

    The smallest p-value is held against error / m, the next against error / (m − 1), and so on up to the
    first that is larger than its share; from there on all are held against that share, and none is
    decided. A test is therefore decided if and only if its p-value is at most its share. The chance that
    any true hypothesis is refuted is `error` at most, however the tests depend on each other (Holm 1979).
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    found = [error] * m
    share, is_stopped = error, False
    for step, place in enumerate(order):
        if not is_stopped:
            share = error / (m - step)
            is_stopped = p_values[place] > share
        found[place] = share
    return found
