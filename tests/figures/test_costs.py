"""Costs, and the front of methods that nothing beats."""

import json

import numpy as np
import pytest
from hand_made import digest_of
from measured_runs import ROWS, bars_of, records_of, texts_of, texts_of_figure

from lotus.errors import LotusError
from lotus.figures.cost import cost
from lotus.figures.pareto import pareto
from lotus.figures.registry import FIGURES
from lotus.figures.time_bars import time_bars
from lotus.figures.times import times
from lotus.records.files import write_json
from lotus.records.seal import sealed
from lotus.results.run_records import load_costs
from lotus.tables.cost import cost as cost_table
from lotus.tables.times import times as times_table


def named_front(axes):
    """Names of the methods on the front, and what the line through them joins."""
    line = next(line for line in axes.lines if line.get_drawstyle() == "steps-post")
    return texts_of(axes), list(zip(*line.get_data(), strict=True))


def test_the_front_is_of_methods_that_nothing_beats(measured):
    # SSD is beaten by both others, SCRUB by doing nothing, UNSIR by retraining.
    (axes,) = pareto(measured(ROWS)).axes
    names, joined = named_front(axes)
    assert names == ["Finetuning", "LoTUS"]
    assert joined == [pytest.approx((1.0, 0.10)), pytest.approx((2.0, 0.05))]
    levels = [line for line in axes.lines if line.get_linestyle() in ("--", "-.")]
    assert [line.get_ydata()[0] for line in levels[:1]] == pytest.approx([0.2])
    assert [line.get_xdata()[0] for line in levels[1:]] == pytest.approx([10.0])


def test_the_front_does_not_depend_on_the_order_of_the_files(measured):
    files = measured(ROWS)
    (axes,), (again,) = pareto(files).axes, pareto(files[::-1]).axes
    assert named_front(axes)[0] == named_front(again)[0]


def test_a_front_for_each_protocol(measured):
    files = measured(ROWS) + measured({"ssd": (0.01, 0.1, 1.0)}, "released")
    (axes,) = pareto(files).axes
    assert texts_of(axes) == ["Finetuning", "LoTUS", "SSD"]


def test_pareto_leaves_collapsed_rows_out_and_says_so(measured):
    (axes,) = pareto(measured(ROWS, collapsed=[("lotus", 1)])).axes
    assert texts_of(axes) == ["Finetuning", "LoTUS, corrected: collapsed in 1 of 2 seeds (1)"]


def test_pareto_asks_for_the_records_of_all_models(measured):
    files = measured(ROWS)
    missing = next(path for path in records_of(files) if path.parent.name == "ssd")
    with pytest.raises(LotusError, match=r"row 'ssd': none of the sources .*ssd/predictions\.npz"):
        pareto([path for path in files if path != missing])


def test_pareto_asks_for_records_of_the_same_predictions(measured):
    files = measured(ROWS)
    stale = next(path for path in records_of(files) if path.parent.name == "ssd")
    content = json.loads(stale.read_text())
    content["outputs"] = dict.fromkeys(content["outputs"], digest_of("of an earlier run"))
    write_json(stale, sealed(content))
    with pytest.raises(LotusError, match="row 'ssd'"):
        pareto(files)


def test_costs_of_the_table(spent):
    numbers = cost_table(spent)[0].set_index("row")
    assert numbers["seconds"].to_dict() == {"original": 20, "gold": 10, "salun": 5, "scrub": 2}
    assert numbers["ratio_to_gold"].to_dict() == {
        **{"original": 2.0, "gold": 1.0, "salun": 0.5, "scrub": 0.2}
    }
    assert numbers.loc["salun", "prepare_seconds"] == 2
    assert numbers.loc["salun", ["process_mib", "device_mib"]].tolist() == [800, 200]
    assert list(numbers["n"]) == [1, 2, 2, 1]


def test_memory_of_weights_that_were_taken_over_is_not_known(spent):
    costs = load_costs(spent).set_index(["row", "seed"])
    assert np.isnan(costs.loc[("scrub", 1), "process_mib"])
    assert np.isnan(costs.loc[("original", 1), "device_mib"])
    assert costs.loc[("original", 1), "process_mib"] == 700


def test_ratios_are_unknown_without_gold(spent):
    without = [path for path in spent if path.parent.name != "gold"]
    numbers, latex = cost_table(without)
    assert numbers["ratio_to_gold"].isna().all()
    assert "nan" not in latex


def test_cost_figure_splits_time_and_states_ratios(spent):
    time, memory = cost(spent).axes
    assert time.get_title().endswith("gold: 10.0 s")
    assert memory.get_title().endswith("gold: 800 MiB")
    assert bars_of(time)[:2] == pytest.approx([5.0, 2.0])
    assert texts_of(time) == [" ×0.50", " ×0.20"]
    assert texts_of(memory) == [" ×1.00"]
    assert [line.get_xdata()[0] for line in memory.lines if line.get_marker() == "D"] == [200]


def test_costs_of_collapsed_models_are_counted_and_their_bars_left_out(measured):
    """The run's own record calls it sound: that it lost what the original knew is said by the metrics."""
    files = measured(ROWS, collapsed=[("lotus", 1)])
    for make in (cost_table, times_table):
        numbers, latex = make(files)
        found = numbers.set_index("row")
        assert found["collapsed"].to_dict() == {**dict.fromkeys(found.index, 0), "lotus": 1}
        assert found.loc["lotus", "seconds"] == pytest.approx(2.0)
        assert found.loc["lotus", "collapsed_seeds"] == "seed 1"
        assert "LoTUS (collapsed in 1 of 2 seeds): seed 1" in latex
    said = "corrected: collapsed in 1 of 2 seeds (1)"
    assert said in texts_of(cost(files).axes[0])
    for draw in (times, time_bars):
        assert said in texts_of_figure(draw(files))


def test_other_files_are_no_records(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    for kind in ("cost", "temperature", "time-bars"):
        with pytest.raises(LotusError, match=r"other\.json: is neither the record"):
            FIGURES.spec(kind).draw([tmp_path / "other.json"])
