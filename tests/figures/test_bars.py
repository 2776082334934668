"""Bars of JSD and of times."""

import numpy as np
import pytest
from measured_runs import ROWS, bars_of, metrics_of, records_of, texts_of

from lotus.figures.jsd_bars import jsd_bars
from lotus.figures.time_bars import time_bars


def test_jsd_bars_are_means_with_deviations_and_seeds(measured):
    (axes,) = jsd_bars(metrics_of(measured(ROWS))).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:3] == ["Original (nothing done)", "LoTUS", "Finetuning"]
    assert "Gold (retrained)" not in names
    assert bars_of(axes)[:3] == pytest.approx([0.3, 0.1, 0.2])
    (low, high) = axes.collections[1].get_segments()[0][:, 0]
    assert (high - low) / 2 == pytest.approx(np.sqrt(2) * 0.01)
    seeds = [line.get_xdata() for line in axes.lines if line.get_marker() == "o"]
    assert seeds[1] == pytest.approx([0.09, 0.11])
    assert axes.get_title().endswith("original, nothing done: 0.300 nats (dashed)")


def test_jsd_bars_of_both_protocols_are_filled_and_hollow(measured):
    files = measured(ROWS) + measured({"lotus": (0.1, 0.15, 1.0)}, "released")
    (axes,) = jsd_bars(metrics_of(files)).axes
    lotus = axes.patches[2:4]
    assert [bar.get_width() for bar in lotus] == pytest.approx([0.1, 0.15])
    assert [bar.get_facecolor()[:3] == (1.0, 1.0, 1.0) for bar in lotus] == [False, True]
    assert lotus[0].get_edgecolor() == lotus[1].get_edgecolor()


def test_jsd_bars_say_what_has_collapsed(measured):
    (axes,) = jsd_bars(metrics_of(measured(ROWS, collapsed=[("lotus", 1)]))).axes
    assert texts_of(axes) == ["corrected: collapsed in 1 of 2 seeds (1)"]
    assert len(axes.patches) == len(ROWS)


@pytest.mark.parametrize(("gold", "how"), [(30.0, "dashed"), (300.0, "off the axis")])
def test_time_bars_state_gold_even_where_it_is_not_drawn(measured, gold, how):
    (axes,) = time_bars(records_of(measured(ROWS, gold_seconds=gold))).axes
    assert bars_of(axes) == pytest.approx([2.0, 1.0, 3.0, 0.5, 20.0])
    assert axes.get_title().endswith(f"training gold: {gold:.1f} s ({how})")
    first, last = axes.get_xlim()
    assert first == 0
    assert (last > gold) == (how == "dashed")
