"""How likely golds are to be as high: by hand, and over many draws."""

import numpy as np
import pytest

from lotus.runs.alarms import p_values, ranked


def test_p_values_by_hand():
    calibrating = np.arange(1.0, 20)
    assert p_values(calibrating, np.array([20.0, 19, 18.5, 0])) == pytest.approx(
        [0.05, 0.1, 0.1, 1]
    )


def test_golds_raise_alarm_at_the_stated_level():
    rng = np.random.default_rng(3)
    draws = rng.standard_cauchy((4000, 20))
    alarms = np.mean([p_values(of[:19], of[19:])[0] <= 0.05 for of in draws])
    assert alarms == pytest.approx(0.05, abs=0.012)


def test_each_group_is_ranked_and_an_absent_one_stays_empty():
    groups = ("nothing", "half", "lookup", "temperature", "train_mode")
    values = {"calibrating": [1.0, 2.0, 3.0], "fresh": [2.5], **{name: [] for name in groups}}
    found = ranked("A measure", values | {"nothing": [9.0, 0.0]})
    assert (found.label, found.values["calibrating"]) == ("A measure", [1, 2, 3])
    assert found.p == {**{name: [] for name in groups}, "fresh": [0.5], "nothing": [0.25, 1.0]}
