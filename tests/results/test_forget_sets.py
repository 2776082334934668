"""The comparison of forget sets, by hand-made metrics."""

import json

import numpy as np
import pytest
from forging import edit_json
from metrics_files import scores

from lotus.data.splits import ForgetSet, save_forget_set
from lotus.errors import LotusError
from lotus.results.forget_sets import load_forget_sets
from lotus.tables.forget_sets import forget_sets

GAPS = {"instance-10": (0.1, 0.2), "instance-10-hardest": (0.5, 0.3)}


@pytest.fixture
def sources(write_metrics, tmp_path):
    found = []
    for scenario, gaps in GAPS.items():
        for seed, gap in enumerate(gaps, 1):
            of = scores(0.9, 1.0, 0.8, 0.6, avg_gap=gap, jsd=0.01)
            about = {"scenario": scenario}
            found.append(write_metrics("corrected", seed, about=about, lotus=of))
        path = tmp_path / "results" / "data" / "splits" / "seed1" / f"{scenario}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = ForgetSet(f"how {scenario} is chosen", np.arange(7), np.arange(7, 9), False)
        save_forget_set(path, chosen)
        found.append(path)
    return found


def test_each_rule_has_its_means_and_the_difference_to_the_first(sources):
    numbers, latex = forget_sets(sources)
    lotus = numbers[numbers["row"] == "lotus"].set_index("scenario")
    assert lotus["avg_gap"].to_dict() == pytest.approx(
        {"instance-10": 0.15, "instance-10-hardest": 0.4}
    )
    assert lotus["avg_gap_change"].tolist() == pytest.approx([0, 0.25])
    assert lotus["avg_gap_std"].tolist() == pytest.approx([0.05 * 2**0.5, 0.1 * 2**0.5])
    assert lotus["chosen"].tolist() == [f"how {scenario} is chosen" for scenario in GAPS]
    assert lotus["images"].tolist() == [7, 7]
    assert "LoTUS & 10 \\% forgotten, hardest first & 0.400 $\\pm$ 0.141" in latex


def test_distances_stand_in_units_of_the_floor_of_their_own_scenario(sources):
    for number, floor in enumerate((0.05, 0.1, 0.0, 0.0)):
        # Two seeds of each scenario, and its forget set behind them.
        path = sources[number + number // 2]
        again = scores(0.8, 1.0, 0.8, 0.6, avg_gap=floor, jsd=floor)
        edit_json(path, lambda of, row=again: of["rows"].update({"gold-again": row}))
        edit_json(path, lambda of, row=again: of.update(golds={"gold-again-1": row}))
    found = load_forget_sets(sources).set_index(["row", "scenario"])["avg_gap_in_floors"]
    assert found["lotus", "instance-10"] == pytest.approx(0.15 / 0.075)
    assert found["gold-again", "instance-10"] == 1
    # Where another gold is no farther than gold itself, there is no unit.
    assert np.isnan(found["lotus", "instance-10-hardest"])


def test_a_row_that_the_first_scenario_lacks_has_no_change(sources):
    for path in sources[:2]:
        edit_json(path, lambda of: of["rows"].update(ssd=of["rows"].pop("lotus")))
    found = load_forget_sets(sources).set_index(["row", "scenario"])["avg_gap_change"]
    assert np.isnan(found["lotus", "instance-10-hardest"])
    assert found["original"].tolist() == [0, 0]
    assert found["ssd", "instance-10"] == 0


def test_what_each_seed_draws_by_its_own_is_said_so(sources):
    drawn = ForgetSet("10 %, drawn at random with seed 1", np.arange(7), np.arange(7, 9), False)
    save_forget_set(sources[-1], drawn)
    lotus = load_forget_sets(sources).set_index(["row", "scenario"]).loc["lotus"]
    assert lotus["chosen"].iloc[1] == "10 %, drawn at random with the seed of each run"


def test_a_collapsed_model_is_counted_and_in_no_mean(sources, tmp_path):
    content = json.loads(sources[0].read_text())
    content["rows"]["lotus"]["collapsed"] = "retain accuracy 0.100 is near chance"
    sources[0].write_text(json.dumps(content))
    lotus = load_forget_sets(sources).set_index(["row", "scenario"]).loc["lotus"]
    assert lotus["collapsed"].tolist() == [1, 0]
    assert lotus["collapsed_seeds"].tolist() == ["seed 1", ""]
    assert np.isnan(lotus["avg_gap"].iloc[0])
    assert lotus["avg_gap"].iloc[1] == pytest.approx(0.4)
    assert lotus["avg_gap_change"].isna().all()


def test_a_scenario_without_its_forget_set_is_refused(sources):
    with pytest.raises(LotusError, match="no forget set of instance-10-hardest, data set data"):
        load_forget_sets(sources[:-1])
