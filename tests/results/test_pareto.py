"""Points that no other point beats."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lotus.results.pareto import non_dominated

steps = st.integers(0, 3).map(float)


@given(st.lists(st.tuples(steps, steps), max_size=8))
def test_non_dominated_points_are_those_that_no_other_beats(points):
    def beats(a, b):
        return a[0] <= b[0] and a[1] <= b[1] and a != b

    expected = [not any(beats(other, point) for other in points) for point in points]
    assert non_dominated(np.array(points).reshape(-1, 2)).tolist() == expected


def test_a_point_without_a_value_beats_nothing_and_is_not_among_them():
    points = np.array([[0.0, np.nan], [1.0, 1.0], [np.nan, 0.0]])
    assert non_dominated(points).tolist() == [False, True, False]


def test_of_unranked_points_none_dominates_another():
    points = np.array([[1.0, 0.1], [2.0, 0.2], [3.0, 0.3], [4.0, 0.4]])
    unranked = np.array([True, True, False, True])
    assert non_dominated(points, unranked).tolist() == [True, True, False, False]
