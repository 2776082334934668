"""Holm's correction, by its table and by how often it errs."""

import numpy as np
import pytest

from lotus.results.holm import shares


def test_shares_of_a_worked_example():
    # .01 ≤ .05/4, .013 ≤ .05/3, .03 > .05/2: there it stops, and .04 is held against .05/2, too.
    assert shares([0.04, 0.01, 0.03, 0.013], 0.05) == pytest.approx(
        [0.05 / 2, 0.05 / 4, 0.05 / 2, 0.05 / 3]
    )
    assert shares([], 0.05) == []
    assert shares([0.2], 0.05) == [0.05]


@pytest.mark.parametrize("true", [0, 3, 9])
def test_any_error_at_all_is_as_rare_as_asked_for(true):
    """Of ten hypotheses the first `true` are false ones that are always found."""
    rng = np.random.default_rng(true)
    wrong = 0
    for _ in range(2000):
        p_values = np.concatenate([np.full(true, 1e-9), rng.random(10 - true)])
        found = p_values <= shares(p_values, 0.05)
        assert found[:true].all()
        wrong += found[true:].any()
    assert wrong / 2000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
